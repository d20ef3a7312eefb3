import type { CpuSource } from '../../guests/sources.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { ReadBatch } from '../../kernel/base/read.ts';
import { SCHEDSTAT_ROOM } from '../../kernel/pid/proc-pid-schedstat.ts';
import type { Thread } from '../../kernel/process/process.ts';
import { VhostWorkers } from '../../kernel/process/vhost-workers.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Collector, HostTarget, GuestTarget, Wanted } from '../collector.ts';
import { ContainerCpu } from './cpu-container.ts';
import { pinnedGuests } from './cpu-each.ts';
import type { PinnedGuests } from './cpu-each.ts';
import { HostCpu } from './cpu-host.ts';
import { RemoteCpu } from './cpu-remote.ts';
import { VmCpu } from './cpu-vm.ts';
import { PerGuest } from '../per-guest.ts';
import { now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const vmSlots = slots('cpu', 'vm');
/** Seconds between two searches for the kernel threads that work for VMs. */
const WORKERS_BEAT = 10;
/** Seconds between two checks of which VMs are pinned to a CPU; the VMs themselves check every 30 s. */
const PINNED_BEAT = 10;

/** CPU time used and waited for: of the host, of each VM and vCPU from its threads' schedstat, of each container from its cgroup. */
export class CpuCollector implements Collector {
  readonly name = 'cpu';
  private readonly host: HostCpu;
  private readonly workers: VhostWorkers;
  private readonly batch = new ReadBatch(SCHEDSTAT_ROOM);
  private readonly workersBeat = new SlowBeat(WORKERS_BEAT);
  private readonly pinnedBeat = new SlowBeat(PINNED_BEAT);
  private pinned: PinnedGuests = new Map();
  /** How many VMs there were at the last search for workers. */
  private served = 0;
  private readonly vms = new PerGuest(({ guest }) => this.cpuOf(guest.sources.cpu));

  constructor(
    private readonly paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.host = new HostCpu(paths, wanted);
    this.workers = new VhostWorkers(paths);
  }

  collect(host: HostTarget, vms: readonly GuestTarget[], attend?: () => void): void {
    this.assignWorkers(vms);
    const { batch } = this;
    batch.begin();
    for (const target of vms) {
      attend?.();
      const cpu = this.vms.of(target);
      if (cpu instanceof VmCpu) cpu.fetch(batch);
    }
    let vcpus = 0;
    for (const target of vms) {
      attend?.();
      vcpus += target.guest.vcpus;
      if (target.guest.vcpus > 0) target.row.values[vmSlots.cpu_cores] = target.guest.vcpus;
      this.vms.of(target).collect(target, this.wanted, batch);
    }
    if (this.wanted.verbose && this.wanted.devices && this.pinnedBeat.due(now())) this.lookAtPins(vms);
    this.host.collect(host, vcpus, this.pinned);
  }

  /**
   * Looks again which VMs are pinned to which CPUs, as far as the VMs know by now. Containers are not: Proxmox VE moves one with
   * a number of cores from CPU to CPU.
   */
  private lookAtPins(vms: readonly GuestTarget[]): void {
    this.pinned = pinnedGuests(
      vms
        .filter(({ guest }) => guest.type === 'qemu')
        .map(({ guest, row }) => [guest.name, row.texts[vmSlots.cpu_affinity]]),
      this.host.cpus,
    );
  }

  /** Tells the VMs which kernel threads work for them, now and then and when VMs came or went. */
  private assignWorkers(vms: readonly GuestTarget[]): void {
    if (!this.workersBeat.due(now()) && vms.length === this.served) return;
    this.served = vms.length;
    const local = vms.map((target) => this.vms.of(target)).filter((cpu) => cpu instanceof VmCpu);
    const needless = local.every(({ hasVhostThreads }) => hasVhostThreads);
    if (needless) this.workers.close();
    const workers = needless ? new Map<number, readonly Thread[]>() : this.workers.find();
    for (const cpu of local) cpu.employ(workers.get(cpu.pid) ?? []);
  }

  private cpuOf(source: CpuSource): VmCpu | ContainerCpu | RemoteCpu {
    switch (source.kind) {
      case 'threads':
        return new VmCpu(source.qemu, source.cgroup);
      case 'cgroup':
        return new ContainerCpu(this.paths, source.cgroup);
      case 'told':
        return new RemoteCpu();
    }
  }

  close(): void {
    this.host.close();
    this.workers.close();
  }
}
