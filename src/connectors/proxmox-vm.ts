import type { Cgroup } from '../kernel/cgroup.ts';
import type { Paths } from '../kernel/paths.ts';
import { ownCgroup } from './own-cgroup.ts';
import type { Process } from '../kernel/process.ts';
import { QmpError } from '../qmp/errors.ts';
import { Monitor } from '../qmp/monitor.ts';
import type { Detail, Vm, VmDisk, VmNic } from './connector.ts';
import type { PollSchedule } from './poll-schedule.ts';
import type { PveConfig } from './pve-config.ts';
import type { QemuArguments } from './qemu-arguments.ts';
import type { QemuAnswers } from './qemu-detail.ts';
import { balloonReading, basicQueries, diskName, diskReading, fullQueries } from './qemu-detail.ts';
import type { SlowFiles } from './slow-files.ts';
import { markVcpus } from './vcpu-threads.ts';

/** Seconds between two looks at how much space the image files occupy. */
const ALLOCATION_BEAT = 60;
const BLOCK = 512;

/** A running VM of Proxmox VE: its process, its monitor, and what its configuration says. */
export class ProxmoxVm implements Vm {
  readonly key: string;
  readonly cgroup: Cgroup | undefined;
  readonly monitor: Monitor;
  vcpus = 0;
  nics: readonly VmNic[] = [];
  detail: Detail | undefined;
  silence: Vm['silence'];
  private config: PveConfig | undefined;
  private generation = -1;
  private threads: ReadonlyMap<number, number> | undefined;
  /** A stock QEMU tells the guest's memory statistics only when asked for them. */
  private stock = false;
  private allocations = new Map<string, number>();
  private allocationsAt = -Infinity;
  private answeredAt: number | undefined;

  constructor(
    paths: Paths,
    readonly vmid: string,
    readonly process: Process,
    private readonly args: QemuArguments,
    readonly schedule: PollSchedule,
  ) {
    this.key = process.key;
    this.monitor = new Monitor(paths.qmpSocket(vmid));
    this.cgroup = ownCgroup(paths, process.pid, vmid);
  }

  get uuid(): string {
    return this.args.uuid ?? this.config?.uuid ?? `proxmox-${this.vmid}`;
  }

  /** The configured name, which a rename changes at once, else the one QEMU was started with. */
  get name(): string {
    return this.config?.name ?? this.args.name ?? `VM ${this.vmid}`;
  }

  get memory(): number | undefined {
    return this.config?.memory ?? this.args.memory;
  }

  get disks(): readonly VmDisk[] {
    return this.config?.disks ?? [];
  }

  get tags(): string | undefined {
    return this.config?.tags;
  }

  get lock(): string | undefined {
    return this.config?.lock;
  }

  configure(config: PveConfig | undefined): void {
    this.config = config;
  }

  /** Follows the process; false when it is gone. */
  refresh(): boolean {
    if (!this.process.refresh()) return false;
    if (this.generation !== this.process.generation) {
      this.vcpus = markVcpus(this.process, this.threads);
      this.generation = this.process.generation;
    }
    return true;
  }

  /**
   * Asks the monitor; never rejects.
   * @param images reads the sizes of image files
   * @returns why there was no answer; undefined when there was one
   */
  async ask(images: SlowFiles): Promise<QmpError | undefined> {
    const asked = performance.now() / 1000;
    const full = this.stock || this.unnamed;
    const answers = await (full ? this.monitor.ask(fullQueries) : this.monitor.ask(basicQueries));
    const time = performance.now() / 1000;
    this.schedule.visited(asked, time - asked);
    if (answers instanceof QmpError) {
      this.detail = undefined;
      this.silence = { reason: answers.reason, since: this.answeredAt ?? this.silence?.since ?? asked };
      return answers;
    }
    this.answeredAt = time;
    this.silence = undefined;
    this.take(answers, time);
    if (time - this.allocationsAt >= ALLOCATION_BEAT) await this.lookAtImages(images, time);
    return undefined;
  }

  private take(answers: QemuAnswers, time: number): void {
    const [status, blocks, balloon, guest, cpus] = answers;
    this.stock = balloon.value !== undefined && balloon.value.max === undefined;
    const reading = balloonReading(balloon.value, guest?.value);
    if (this.unnamed && cpus?.value !== undefined) {
      this.threads = new Map(cpus.value.map(({ index, thread }) => [thread, index]));
      this.generation = -1;
    }
    const disks = (blocks.value ?? []).flatMap((stats) => {
      const device = diskName(stats);
      return device === undefined || this.isCdrom(device)
        ? []
        : [diskReading(device, stats, this.allocations.get(device))];
    });
    this.detail = {
      time,
      disks,
      ...(status.value?.status !== undefined && { state: status.value.status }),
      ...(reading !== undefined && { balloon: reading }),
    };
  }

  /** Whether its threads have no names and only the monitor knows which of them run vCPUs. */
  private get unnamed(): boolean {
    return this.vcpus === 0 || this.threads !== undefined;
  }

  private isCdrom(device: string): boolean {
    return this.args.cdroms.has(device) || (this.config?.cdroms.includes(device) ?? false);
  }

  /** What the image files occupy. The storage may hang: then the sizes are not known. */
  private async lookAtImages(images: SlowFiles, time: number): Promise<void> {
    this.allocationsAt = time;
    const sizes = new Map<string, number>();
    for (const [drive, path] of this.args.images) {
      try {
        const stats = await images.stat(path);
        if (stats.isFile()) sizes.set(drive.replace(/^drive-/, ''), stats.blocks * BLOCK);
      } catch {
        continue;
      }
    }
    this.allocations = sizes;
  }

  close(): void {
    this.monitor.close();
    this.process.close();
    this.cgroup?.close();
  }
}
