import { readdirSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
import { troubleOf } from '../kernel/errors.ts';
import { KernelFile } from '../kernel/kernel-file.ts';
import type { Paths } from '../kernel/paths.ts';
import { sameRunFile } from '../kernel/paths.ts';
import { readCmdline } from '../kernel/proc-pid-cmdline.ts';
import { Process } from '../kernel/process.ts';
import type { FileTrouble } from '../kernel/read.ts';
import { fileTroubles } from '../kernel/read.ts';
import { Limiter } from '../qmp/limiter.ts';
import type { Connector, Vm } from './connector.ts';
import { PollSchedule } from './poll-schedule.ts';
import { ProxmoxVm } from './proxmox-vm.ts';
import { PveConfigs } from './pve-configs.ts';
import { listTaps } from './pve-taps.ts';
import { isQemu, parseQemuArguments } from './qemu-arguments.ts';
import { SlowFiles } from './slow-files.ts';

/** pid files of VMs; `-1.pid` belongs to a throw-away QEMU that lists CPU flags. */
const PID_FILE = /^([1-9]\d{2,8})\.pid$/;
/** Seconds after which the run directory, the taps and the configurations are looked at even if nothing says they changed. */
const SCAN_BEAT = 2;
/** ms that one look at an image file may take. */
const IMAGE_DEADLINE = 1000;

/** How often the monitors are asked. */
export interface Beat {
  /** Seconds between two visits to the same monitor. */
  readonly detailInterval: number;
  /** Seconds between two calls of poll. */
  readonly frequency: number;
}

/** The VMs that run on this Proxmox VE node. */
export class ProxmoxConnector implements Connector {
  readonly name = 'proxmox';
  failures = 0;
  private readonly vms = new Map<string, ProxmoxVm>();
  private list: readonly Vm[] = [];
  private readonly configs: PveConfigs;
  private readonly limiter = new Limiter();
  private readonly images = new SlowFiles(IMAGE_DEADLINE);
  /** VMs that are being asked or wait for their turn. */
  private readonly asked = new Set<ProxmoxVm>();
  /** VMs whose silence was logged, and its reason. */
  private readonly reported = new WeakMap<ProxmoxVm, string>();
  private scannedAt = -Infinity;
  private configuredAt = -Infinity;
  /** Modification time of the run directory when it was scanned: it changes with every pid file that comes or goes. */
  private stamp = NaN;

  constructor(
    private readonly paths: Paths,
    private readonly beat: Beat,
    private readonly log: Logger,
  ) {
    this.configs = new PveConfigs(paths, log);
  }

  inventory(): readonly Vm[] {
    const time = performance.now() / 1000;
    let changed = false;
    for (const vm of this.vms.values()) {
      if (vm.refresh()) continue;
      this.drop(vm);
      changed = true;
    }
    if (changed || time - this.scannedAt >= SCAN_BEAT || this.directoryStamp() !== this.stamp)
      this.scan(time);
    return this.list;
  }

  /** Modification time of the run directory; NaN, which equals nothing, while there is none. */
  private directoryStamp(): number {
    return statSync(this.paths.qemuServer, { throwIfNoEntry: false })?.mtimeMs ?? NaN;
  }

  private scan(time: number): void {
    this.scannedAt = time;
    this.stamp = this.directoryStamp();
    const present = new Set<string>();
    for (const file of this.filesInRunDirectory()) {
      const vmid = PID_FILE.exec(file)?.[1];
      if (vmid === undefined) continue;
      present.add(vmid);
      if (!this.vms.has(vmid)) this.adopt(vmid);
    }
    for (const vm of this.vms.values()) if (!present.has(vm.vmid)) this.drop(vm);
    const taps = listTaps(this.paths);
    for (const vm of this.vms.values()) {
      vm.nics = taps.get(vm.vmid) ?? [];
      vm.configure(this.configs.get(vm.vmid));
    }
    this.list = [...this.vms.values()].sort((a, b) => Number(a.vmid) - Number(b.vmid));
  }

  private filesInRunDirectory(): string[] {
    try {
      return readdirSync(this.paths.qemuServer);
    } catch (error) {
      if (troubleOf(error) === 'denied') reportDenied(this.paths.qemuServer);
      return [];
    }
  }

  /** Takes a VM in if it runs by Proxmox VE's own rule: pid file, argv with this pid file, and a process, no zombie. */
  private adopt(vmid: string): void {
    const pidFile = this.paths.pidFile(vmid);
    const pid = readPid(pidFile);
    if (!Number.isSafeInteger(pid) || pid <= 0) return;
    const process = Process.open(this.paths, pid);
    if (process === undefined) return;
    const argv = readCmdline(this.paths, pid);
    const args = parseQemuArguments(argv);
    if (!isQemu(argv) || args.pidFile === undefined || !sameRunFile(args.pidFile, pidFile)) {
      process.close();
      return;
    }
    const schedule = new PollSchedule(this.beat.detailInterval, this.beat.frequency);
    const vm = new ProxmoxVm(this.paths, vmid, process, args, schedule);
    vm.refresh();
    this.vms.set(vmid, vm);
    this.configuredAt = -Infinity;
    this.log.debug(`VM ${vmid} runs as process ${pid}`);
  }

  private drop(vm: ProxmoxVm): void {
    vm.close();
    this.vms.delete(vm.vmid);
    this.log.debug(`VM ${vm.vmid} stopped`);
  }

  async poll(everyone = false): Promise<void> {
    const time = performance.now() / 1000;
    const configured = this.configure(time);
    const due = [...this.vms.values()].filter(
      (vm) => !this.asked.has(vm) && vm.monitor.due(time) && (everyone || vm.schedule.due(time)),
    );
    for (const vm of due) this.asked.add(vm);
    await Promise.all([configured, ...due.map((vm) => this.limiter.run(() => this.ask(vm)))]);
  }

  private async ask(vm: ProxmoxVm): Promise<void> {
    const before = vm.silence?.reason;
    const failure = await vm.ask(this.images);
    this.asked.delete(vm);
    if (this.vms.get(vm.vmid) !== vm) return;
    if (failure === undefined) {
      if (this.reported.delete(vm)) this.log.info(`VM ${vm.vmid}: the monitor answers again`);
      return;
    }
    this.failures++;
    const { reason } = failure;
    // A QEMU that is just starting or ending refuses us once: an error counts when it comes twice.
    if (reason === this.reported.get(vm) || (reason === 'error' && before !== 'error')) return;
    this.reported.set(vm, reason);
    this.log.warn(`VM ${vm.vmid}: QMP values are omitted (${reason}): ${failure.message}`);
  }

  private async configure(time: number): Promise<void> {
    if (time - this.configuredAt < SCAN_BEAT) return;
    this.configuredAt = time;
    await this.configs.refresh();
    for (const vm of this.vms.values()) vm.configure(this.configs.get(vm.vmid));
  }

  close(): void {
    for (const vm of this.vms.values()) vm.close();
    this.vms.clear();
    this.list = [];
  }
}

/** The number in a pid file; NaN where there is none. QEMU lets only root read it. */
function readPid(path: string): number {
  const file = new KernelFile(path);
  const text = file.text();
  if (file.trouble === 'denied') reportDenied(path);
  file.close();
  return Number(text ?? NaN);
}

/** Without root no VM can be found: this is told like kernel files that cannot be read. */
function reportDenied(path: string): void {
  fileTroubles.publish({ path, trouble: 'denied', message: 'permission denied' } satisfies FileTrouble);
}
