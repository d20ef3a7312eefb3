import { readdirSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
import { troubleOf } from '../../kernel/base/errors.ts';
import { KernelFile } from '../../kernel/base/kernel-file.ts';
import { isShortage, refusedOpens } from '../../kernel/base/open-files.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { sameRunFile } from '../../kernel/base/paths.ts';
import { Process } from '../../kernel/process/process.ts';
import type { FileTrouble } from '../../kernel/base/read.ts';
import { fileTroubles } from '../../kernel/base/read.ts';
import { HostDevices } from '../below/host-device.ts';
import type { Guest } from '../guest.ts';
import type { Beat, Inventory } from '../inventory.ts';
import { MonitorSockets } from '../qemu/monitor-sockets.ts';
import { PollSchedule } from '../poll-schedule.ts';
import { sameList } from './same-list.ts';
import { ProxmoxVm } from './proxmox-vm.ts';
import { PveConfigs } from './pve-configs.ts';
import { PveFiles } from './pve-files.ts';
import { interfaceNames, tapsAmong } from './pve-taps.ts';
import type { VmConfig } from './vm-config.ts';
import { vmConfigs } from './vm-config.ts';
import { isQemu, parseQemuArguments } from '../qemu/qemu-arguments.ts';
import { qemuCommandLine } from '../qemu/qemu-finder.ts';
import { QemuPoller } from '../qemu/qemu-poller.ts';

/** pid files of VMs; `-1.pid` belongs to a throw-away QEMU that lists CPU flags. */
const PID_FILE = /^([1-9]\d{2,8})\.pid$/;
/** Seconds after which the run directory, the taps and the configurations are looked at even if nothing says they changed. */
const SCAN_BEAT = 2;

/** The VMs that run on this Proxmox VE node. */
export class ProxmoxInventory implements Inventory {
  readonly name = 'proxmox';
  private readonly vms = new Map<string, ProxmoxVm>();
  private list: readonly Guest[] = [];
  private readonly configs: PveConfigs<VmConfig>;
  private readonly poller: QemuPoller;
  private readonly sockets: MonitorSockets;
  private readonly devices: HostDevices;
  private scannedAt = -Infinity;
  private configuredAt = -Infinity;
  /** Modification time of the run directory when it was scanned: it changes with every pid file that comes or goes. */
  private stamp = NaN;
  /** What was found by the last scan: names in the run directory, and of interfaces. */
  private files: readonly string[] = [];
  private interfaces: readonly string[] = [];
  /** Whether each pid file that it found is that of a VM, and has its taps. */
  private settled = false;
  /** VMs whose pid file we may not read. */
  private readonly denied = new Set<string>();
  private directoryIsDenied = false;

  /** @param files those of the cluster file system, which readers of other guests' configurations share */
  constructor(
    private readonly paths: Paths,
    private readonly beat: Beat,
    private readonly log: Logger,
    files = new PveFiles(paths),
  ) {
    this.configs = new PveConfigs(files, vmConfigs, log);
    this.poller = new QemuPoller(log, beat.attention);
    this.sockets = new MonitorSockets(paths);
    this.devices = new HostDevices(paths);
  }

  get unseen(): string | undefined {
    const { size } = this.denied;
    if (this.directoryIsDenied)
      return `VMs cannot be seen: ${this.paths.qemuServer}: permission denied; run as root`;
    if (size === 0) return undefined;
    return `${size} ${size === 1 ? 'VM' : 'VMs'} cannot be read: permission denied; run as root`;
  }

  guests(attend?: () => void): readonly Guest[] {
    const time = performance.now() / 1000;
    let changed = false;
    for (const vm of this.vms.values()) {
      attend?.();
      if (vm.refresh()) continue;
      this.drop(vm);
      changed = true;
    }
    if (changed || time - this.scannedAt >= SCAN_BEAT || this.directoryStamp() !== this.stamp)
      this.scan(time, attend);
    return this.list;
  }

  /** Modification time of the run directory; NaN, which equals nothing, while there is none. */
  private directoryStamp(): number {
    return statSync(this.paths.qemuServer, { throwIfNoEntry: false })?.mtimeMs ?? NaN;
  }

  private scan(time: number, attend?: () => void): void {
    this.scannedAt = time;
    this.stamp = this.directoryStamp();
    const files = this.filesInRunDirectory();
    if (files === undefined) return;
    const interfaces = interfaceNames(this.paths);
    // Nearly always.
    if (this.settled && sameList(files, this.files) && interfaces && sameList(interfaces, this.interfaces))
      return;
    this.settled = this.adoptAll(files, attend) && interfaces !== undefined;
    this.files = files;
    if (interfaces !== undefined) {
      this.interfaces = interfaces;
      const taps = tapsAmong(interfaces);
      for (const vm of this.vms.values()) vm.attach(taps.get(vm.vmid) ?? []);
    }
    for (const vm of this.vms.values()) {
      attend?.();
      vm.configure(this.configs.get(vm.vmid));
    }
    this.list = [...this.vms.values()].sort((a, b) => Number(a.vmid) - Number(b.vmid));
  }

  /** Makes the VMs those that have a pid file among these. @returns whether each of these files is that of a VM now */
  private adoptAll(files: readonly string[], attend?: () => void): boolean {
    const present = new Set<string>();
    this.denied.clear();
    for (const file of files) {
      const vmid = PID_FILE.exec(file)?.[1];
      if (vmid === undefined) continue;
      present.add(vmid);
      attend?.();
      if (!this.vms.has(vmid)) this.adopt(vmid);
    }
    for (const vm of this.vms.values()) if (!present.has(vm.vmid)) this.drop(vm);
    return this.vms.size === present.size;
  }

  /** Undefined when no descriptor was left to look. */
  private filesInRunDirectory(): string[] | undefined {
    this.directoryIsDenied = false;
    try {
      return readdirSync(this.paths.qemuServer);
    } catch (error) {
      if (isShortage(error)) return undefined;
      this.directoryIsDenied = troubleOf(error) === 'denied';
      if (this.directoryIsDenied) reportDenied(this.paths.qemuServer);
      return [];
    }
  }

  /** Takes a VM in if it runs by Proxmox VE's own rule: pid file, argv with this pid file, and a process, no zombie. */
  private adopt(vmid: string): void {
    const refused = refusedOpens();
    const pidFile = this.paths.pidFile(vmid);
    const pid = this.readPid(pidFile, vmid);
    if (!Number.isSafeInteger(pid) || pid <= 0) return;
    const process = Process.open(this.paths, pid);
    if (process === undefined) return;
    const argv = qemuCommandLine(this.paths, pid);
    const args = parseQemuArguments(argv);
    if (!isQemu(argv) || args.pidFile === undefined || !sameRunFile(args.pidFile, pidFile)) {
      process.close();
      return;
    }
    const schedule = PollSchedule.of(this.beat);
    const vm = new ProxmoxVm(this.paths, vmid, process, args, schedule, this.sockets, this.devices);
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
    this.vms.set(vmid, vm);
    this.configuredAt = -Infinity;
    this.log.debug(`VM ${vmid} runs as process ${pid}`);
  }

  /** The number in a pid file; NaN where there is none. QEMU lets only root read it. */
  private readPid(path: string, vmid: string): number {
    const file = new KernelFile(path);
    const text = file.text();
    if (file.trouble === 'denied') {
      this.denied.add(vmid);
      reportDenied(path);
    }
    file.close();
    return Number(text ?? NaN);
  }

  private drop(vm: ProxmoxVm): void {
    vm.close();
    this.vms.delete(vm.vmid);
    this.settled = false;
    this.log.debug(`VM ${vm.vmid} stopped`);
  }

  async poll(everyone = false): Promise<void> {
    const due = this.poller.due([...this.vms.values()], performance.now() / 1000, everyone);
    await Promise.all([this.configure(), this.poller.poll(due)]);
  }

  get failures(): number {
    return this.poller.failures;
  }

  private async configure(): Promise<void> {
    const time = performance.now() / 1000;
    // Also without VMs: the first one has its name in its first sample.
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

/** Without root no VM can be found: this is reported like kernel files that cannot be read. */
function reportDenied(path: string): void {
  fileTroubles.publish({ path, trouble: 'denied', message: 'permission denied' } satisfies FileTrouble);
}
