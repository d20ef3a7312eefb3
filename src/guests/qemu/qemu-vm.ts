import type { Cgroup } from '../../kernel/sys/cgroup/cgroup.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { Process } from '../../kernel/process/process.ts';
import { QmpError } from '../../qmp/errors.ts';
import type { Monitor } from '../../qmp/monitor.ts';
import type { Balloon } from '../../qmp/replies.ts';
import { DisksBelow } from '../below/disks-below.ts';
import type { HostDevices } from '../below/host-device.ts';
import { BlockDevices } from './block-devices.ts';
import type { Detail, Guest, GuestDisk } from '../guest.ts';
import { GuestDisks } from './guest-disks.ts';
import { balloonReading } from './guest-report.ts';
import { LatencyHistograms } from './latency-histograms.ts';
import { isTrusted } from './monitor-sockets.ts';
import { fullPath, inNamespaceOf, networkOf } from './own-namespace.ts';
import type { PollSchedule } from '../poll-schedule.ts';
import type { GuestNic, Sources } from '../sources.ts';
import { processSources } from '../sources.ts';
import type { QemuArguments } from './qemu-arguments.ts';
import type { QemuDrive } from './qemu-drives.ts';
import type { QemuAnswers } from './qemu-detail.ts';
import { VisitPlan } from './qemu-detail.ts';
import type { SlowFiles } from '../slow-files.ts';
import { markVcpus } from './vcpu-threads.ts';

/** A running QEMU process whose monitor, if it has one for us, is asked over QMP. */
export abstract class QemuVm implements Guest {
  readonly type = 'qemu';
  readonly key: string;
  readonly since: number | undefined;
  nics: readonly GuestNic[] = [];
  detail: Detail | undefined;
  silence: Guest['silence'];
  /** How the log names it. */
  abstract readonly label: string;
  abstract readonly uuid: string;
  abstract readonly name: string;
  abstract readonly memory: number | undefined;
  abstract readonly disks: readonly GuestDisk[];
  readonly sources: Sources;
  private generation = -1;
  /** Threads that are known to run a vCPU. */
  private named = 0;
  private threads: ReadonlyMap<number, number> | undefined;
  private readonly plan = new VisitPlan();
  /** Those that it was started with. */
  protected readonly drives: readonly QemuDrive[];
  protected readonly blocks: BlockDevices;
  protected readonly guestDisks: GuestDisks;
  private readonly below: DisksBelow;
  private histograms: LatencyHistograms | undefined;
  private answeredAt: number | undefined;
  /** Bytes of memory as QEMU told. */
  protected memorySize: number | undefined;

  /**
   * @param cgroup its own
   * @param monitor undefined where there is none that takes any client
   * @param devices those that disks of VMs lie on
   */
  constructor(
    paths: Paths,
    readonly process: Process,
    protected readonly args: QemuArguments,
    private readonly cgroup: Cgroup | undefined,
    readonly schedule: PollSchedule,
    readonly monitor: Monitor | undefined,
    devices: HostDevices,
  ) {
    this.key = process.key;
    this.since = process.started();
    const network = networkOf(paths, process.pid);
    this.sources = processSources(process, cgroup, args.memoryPlaces, network);
    const complete = (path: string): string => fullPath(paths, process.pid, path);
    this.drives = args.drives.map((drive) =>
      drive.path === undefined ? drive : { ...drive, path: complete(drive.path) },
    );
    const images = this.drives.flatMap(({ path }) => path ?? []);
    // A user may name a file whose storage hangs for ever, and with it the looks at the files of all VMs.
    this.blocks = new BlockDevices(
      images,
      (path) => (isTrusted(paths, process.pid) ? inNamespaceOf(paths, process.pid, path) : undefined),
      complete,
    );
    this.below = new DisksBelow(paths, process.pid, devices);
    this.guestDisks = new GuestDisks(this.drives, this.blocks, (device) => this.isConfigured(device));
  }

  /** What a configuration says of a drive; see {@link Configured}. */
  protected abstract isConfigured(device: string): boolean | undefined;

  /** Whether only the monitor knows of memory that was plugged in later. */
  protected abstract readonly asksMemory: boolean;

  get pid(): number {
    return this.process.pid;
  }

  get state(): string | undefined {
    return this.detail?.state;
  }

  /** Follows the process; false when it is gone. */
  refresh(): boolean {
    if (!this.process.refresh()) return false;
    if (this.generation !== this.process.generation) {
      this.named = markVcpus(this.process, this.threads);
      this.generation = this.process.generation;
    }
    return true;
  }

  /** As its threads tell; while they do not, as many as it was started with. */
  get vcpus(): number {
    return this.named > 0 ? this.named : (this.args.cpus ?? 0);
  }

  /**
   * Asks the monitor; never rejects.
   * @param monitor its own
   * @param storage looks whether the storage of the images answers
   * @returns why there was no answer; undefined when there was one
   */
  async ask(monitor: Monitor, storage: SlowFiles): Promise<QmpError | undefined> {
    const asked = performance.now() / 1000;
    const threads = this.unnamed ? this.process.generation : undefined;
    const questions = this.plan.choose(asked, this.asksMemory, threads);
    const outcome = await monitor.ask(questions.prepared);
    const time = performance.now() / 1000;
    this.schedule.visited(asked, time - asked);
    if (outcome instanceof QmpError) {
      this.silent(outcome.reason, asked);
      return outcome;
    }
    this.below.read();
    const answers = questions.sort(outcome);
    this.plan.learn(answers, asked, threads);
    this.answeredAt = time;
    this.silence = undefined;
    const unknown = await this.blocks.update(
      monitor,
      answers.blocks.value ?? [],
      time,
      time - asked,
      storage,
    );
    this.take(answers, time);
    const disks = this.guestDisks.counted(answers.blocks.value ?? []);
    const failure = unknown ?? (await this.histograms?.update(monitor, disks));
    // While QEMU owes that answer it cannot be asked anything else.
    if (failure === undefined || !monitor.connected) return undefined;
    this.silent(failure.reason, time);
    return failure;
  }

  /**
   * Has QEMU count how long the operations of its disks take, where nobody has it do so.
   * @param tell is told once why QEMU refuses to
   */
  countLatencies(paths: Paths, tell: (why: string) => void): void {
    // The QEMU of another user is his to change.
    this.histograms = new LatencyHistograms(() => isTrusted(paths, this.process.pid), tell);
  }

  /** Notes that the monitor gives no answer. @param time monotonic seconds */
  protected silent(reason: 'timeout' | 'error' | 'held', time: number): void {
    this.detail = undefined;
    this.silence = { reason, since: this.answeredAt ?? this.silence?.since ?? time };
  }

  private take({ status, blocks, balloon, guest, cpus, base, plugged }: QemuAnswers, time: number): void {
    // What a stock QEMU knows only from the guest's statistics is taken from there.
    const { lastUpdate, ...told }: Balloon = { ...guest?.value, ...balloon?.value };
    if (base !== undefined) this.takeMemory((base.value ?? NaN) + (plugged?.value ?? 0));
    // Memory was plugged in since QEMU was asked.
    else if (Math.max(told.actual ?? 0, told.total ?? 0) > (this.memory ?? Infinity))
      this.plan.memoryChanged();
    if (this.unnamed && cpus?.value !== undefined) {
      this.threads = new Map(cpus.value.map(({ index, thread }) => [thread, index]));
      this.generation = -1;
    }
    const disks = this.guestDisks.readings(blocks.value ?? []);
    this.below.under(disks, time);
    const reading = balloon?.value && balloonReading(told, lastUpdate, this.memory, Date.now() / 1000);
    this.detail = { time, state: status.value?.status, balloon: reading, disks };
  }

  private takeMemory(size: number): void {
    if (size > 0) this.memorySize = size;
  }

  /** Whether its threads have no names and only the monitor knows which of them run vCPUs. */
  private get unnamed(): boolean {
    return this.named === 0 || this.threads !== undefined;
  }

  close(): void {
    this.monitor?.close();
    this.below.close();
    this.process.close();
    this.cgroup?.close();
    const { network } = this.sources;
    if (network.kind === 'namespace') network.netDev.close();
  }
}
