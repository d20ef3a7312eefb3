import type { Logger } from 'pino';
import { refusedOpens } from '../../kernel/base/open-files.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { UnixConnections } from '../../kernel/proc/proc-net-unix.ts';
import { readConnections } from '../../kernel/proc/proc-net-unix.ts';
import { openSockets, openTaps } from '../../kernel/pid/proc-pid-fd.ts';
import { Process } from '../../kernel/process/process.ts';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import type { Guest, GuestDisk } from '../guest.ts';
import type { Beat, Inventory } from '../inventory.ts';
import { HostDevices } from '../below/host-device.ts';
import { startedDisks } from './guest-disks.ts';
import { MonitorSockets } from './monitor-sockets.ts';
import { loneCgroup } from '../../kernel/sys/cgroup/own-cgroup.ts';
import { PollSchedule } from '../poll-schedule.ts';
import type { QemuArguments } from './qemu-arguments.ts';
import type { QemuProcess } from './qemu-finder.ts';
import { QemuFinder } from './qemu-finder.ts';
import { QemuPoller } from './qemu-poller.ts';
import { QemuVm } from './qemu-vm.ts';

/** Seconds between two searches for new processes. */
const SCAN_BEAT = 2;
/** Seconds between two checks of a VM's taps, which can be plugged while it runs. */
const TAP_BEAT = 10;

/** A VM that QEMU runs without a manager we know: by hand, by Incus, Kata, KubeVirt, ... */
class PlainVm extends QemuVm {
  protected readonly asksMemory = true;
  /** As the command line has them, until QEMU tells; then as it told last. */
  disks: readonly GuestDisk[];
  private tapsAt = -Infinity;

  constructor(
    private readonly paths: Paths,
    process: Process,
    args: QemuArguments,
    schedule: PollSchedule,
    sockets: MonitorSockets,
    devices: HostDevices,
  ) {
    const { pid } = process;
    const monitor = args.monitor === undefined ? undefined : sockets.monitor(pid, args.monitor);
    super(paths, process, args, loneCgroup(paths, pid), schedule, monitor, devices);
    this.disks = startedDisks(this.drives);
  }

  get label(): string {
    return this.name;
  }

  /** The start time keeps a VM without UUID from being mistaken for another one with its pid. */
  get uuid(): string {
    return this.args.uuid ?? `qemu-${this.key.replace(':', '-')}`;
  }

  get name(): string {
    return this.args.name ?? `qemu-${this.process.pid}`;
  }

  get memory(): number | undefined {
    return this.memorySize ?? this.args.memory;
  }

  /** @param time monotonic seconds */
  lookAtTaps(time: number): void {
    if (time - this.tapsAt < TAP_BEAT) return;
    const open = openTaps(this.paths, this.process.pid);
    if (open === undefined) return;
    this.tapsAt = time;
    this.nics = (open.length > 0 ? open : this.args.taps).map((device) => ({ device, end: 'host' }));
  }

  /**
   * Whether it serves another client: then we do not join the queue. A connection is listed in the network namespace of the
   * client, which may be that of the host or of the VM.
   * @param ofHost the connections in the namespace of the host
   */
  heldByOther(ofHost: UnixConnections): boolean {
    const { monitor } = this.args;
    if (monitor === undefined) return false;
    const theirs =
      this.sources.network.kind === 'host'
        ? undefined
        : readConnections(this.paths.pid(this.process.pid, 'net/unix'));
    const ends = [...(ofHost.get(monitor) ?? []), ...(theirs?.get(monitor) ?? [])];
    const held = ends.length > 0 && this.hasAny(ends);
    if (held) this.silent('held', performance.now() / 1000);
    return held;
  }

  /** Whether one of the sockets is its own, as far as can be seen: others may have bound the same path elsewhere. */
  private hasAny(sockets: readonly string[]): boolean {
    const own = openSockets(this.paths, this.process.pid);
    return own === undefined || sockets.some((inode) => own.has(inode));
  }

  protected isConfigured(): undefined {
    return undefined;
  }

  protected override silent(reason: 'timeout' | 'error' | 'held', time: number): void {
    this.disks = this.detail?.disks ?? this.disks;
    super.silent(reason, time);
  }
}

/** The QEMU processes of this host, whoever started them. */
export class QemuInventory implements Inventory {
  readonly name = 'qemu';
  private readonly finder: QemuFinder;
  private readonly poller: QemuPoller;
  private readonly sockets: MonitorSockets;
  private readonly devices: HostDevices;
  private readonly vms = new Map<number, PlainVm>();
  private list: readonly Guest[] = [];
  private scannedAt = -Infinity;
  private readonly twinWarnings = new MinuteLimit();

  constructor(
    private readonly paths: Paths,
    private readonly beat: Beat,
    private readonly log: Logger,
  ) {
    this.finder = new QemuFinder(paths);
    this.poller = new QemuPoller(log, beat.attention);
    this.sockets = new MonitorSockets(paths);
    this.devices = new HostDevices(paths);
  }

  get failures(): number {
    return this.poller.failures;
  }

  guests(attend?: () => void): readonly Guest[] {
    const time = performance.now() / 1000;
    let changed = false;
    for (const [pid, vm] of this.vms) {
      attend?.();
      if (vm.refresh()) continue;
      vm.close();
      this.vms.delete(pid);
      changed = true;
    }
    if (changed || time - this.scannedAt >= SCAN_BEAT) this.scan(time, attend);
    return this.list;
  }

  private scan(time: number, attend?: () => void): void {
    this.scannedAt = time;
    for (const found of this.finder.find(time)) {
      attend?.();
      if (!this.vms.has(found.pid)) this.adopt(found);
    }
    for (const vm of this.vms.values()) vm.lookAtTaps(time);
    this.list = [...this.vms.values()];
  }

  private adopt({ pid, args }: QemuProcess): void {
    const refused = refusedOpens();
    const process = Process.open(this.paths, pid);
    if (process === undefined) return;
    const schedule = PollSchedule.of(this.beat);
    const vm = new PlainVm(this.paths, process, args, schedule, this.sockets, this.devices);
    if (this.beat.latencyHistogram === true)
      vm.countLatencies(this.paths, (why) => {
        this.log.warn(`VM ${vm.label}: ${why}`);
      });
    vm.refresh();
    // Files that are opened only once, such as its cgroup, would be missing for ever.
    if (refusedOpens() !== refused) {
      vm.close();
      return;
    }
    this.reportTwin(vm);
    this.vms.set(pid, vm);
  }

  /** Logs a VM with the UUID of another, at most once a minute: any user can start as many as they like. */
  private reportTwin({ label, uuid, process: { pid } }: PlainVm): void {
    const twin = [...this.vms.values()].find((other) => other.uuid === uuid);
    if (twin === undefined || !this.twinWarnings.due()) return;
    this.log.warn(
      `VM ${label}: process ${pid} has the same UUID ${uuid} as process ${twin.process.pid}; outputs distinguish them by pid`,
    );
  }

  async poll(everyone = false): Promise<void> {
    const time = performance.now() / 1000;
    const due = this.poller.due([...this.vms.values()], time, everyone);
    if (due.length === 0) return;
    const connections = readConnections(this.paths.hostNet('unix'));
    const free = due.filter((vm) => !vm.heldByOther(connections));
    await this.poller.poll(free);
  }

  close(): void {
    for (const vm of this.vms.values()) vm.close();
    this.vms.clear();
    this.list = [];
  }
}
