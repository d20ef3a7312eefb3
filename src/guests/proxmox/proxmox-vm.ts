import type { Paths } from '../../kernel/base/paths.ts';
import { sameRunFile } from '../../kernel/base/paths.ts';
import type { Process } from '../../kernel/process/process.ts';
import type { HostDevices } from '../below/host-device.ts';
import type { GuestDisk } from '../guest.ts';
import { startedDisks } from '../qemu/guest-disks.ts';
import type { MonitorSockets } from '../qemu/monitor-sockets.ts';
import { scopeCgroup } from '../../kernel/sys/cgroup/own-cgroup.ts';
import type { PollSchedule } from '../poll-schedule.ts';
import { nameOf } from '../identity.ts';
import type { PveNic } from './pve-taps.ts';
import type { QemuArguments } from '../qemu/qemu-arguments.ts';
import { QemuVm } from '../qemu/qemu-vm.ts';
import type { VmConfig } from './vm-config.ts';
import { isDriveKey } from './vm-config.ts';

/** A running VM of Proxmox VE: its process, its monitor, and what its configuration says. */
export class ProxmoxVm extends QemuVm {
  /** From its QEMU with a balloon, else from the configuration. */
  protected readonly asksMemory = false;
  /** Those of its configuration, and what QEMU was given beside them (`args:`). */
  disks: readonly GuestDisk[];
  private config: VmConfig | undefined;
  private taps: readonly PveNic[] = [];
  private readonly started: readonly GuestDisk[];

  constructor(
    paths: Paths,
    readonly vmid: string,
    process: Process,
    args: QemuArguments,
    schedule: PollSchedule,
    sockets: MonitorSockets,
    devices: HostDevices,
  ) {
    const cgroup = scopeCgroup(paths, process.pid, `${vmid}.scope`);
    const shared = paths.qmpSocket(vmid);
    const own = args.ownMonitor;
    // Never the one of Proxmox VE, wherever that lies: a connection that is kept would lock its tools out.
    const isOwn = own !== undefined && !sameRunFile(own, shared);
    const monitor = isOwn
      ? sockets.ownMonitor(process.pid, own, shared)
      : sockets.monitor(process.pid, shared);
    super(paths, process, args, cgroup, schedule, monitor, devices);
    this.started = startedDisks(this.drives);
    this.disks = this.started;
  }

  get label(): string {
    return this.vmid;
  }

  get uuid(): string {
    return this.args.uuid ?? this.config?.uuid ?? `proxmox-${this.vmid}`;
  }

  /**
   * As Proxmox VE names it: after its configuration, so that a rename shows at once; while that is not known as QEMU was
   * started. QEMU is given the name vm<vmid> where there is none.
   */
  get name(): string {
    const { config, args, vmid } = this;
    const started = args.name === `vm${vmid}` ? undefined : args.name;
    return (config === undefined ? started : nameOf(config.name)) ?? `VM ${vmid}`;
  }

  get memory(): number | undefined {
    return this.config?.memory ?? this.args.memory;
  }

  get cpuLimit(): number | undefined {
    return this.config?.cpuLimit;
  }

  get cpuWeight(): number | undefined {
    return this.config?.cpuUnits;
  }

  get tags(): string | undefined {
    return this.config?.tags;
  }

  get lock(): string | undefined {
    return this.config?.lock;
  }

  /** Takes over which taps it has now. */
  attach(taps: readonly PveNic[]): void {
    this.taps = taps;
    const rates = this.config?.rates;
    this.nics = taps.map((tap) => ({ ...tap, limit: rates?.get(tap.number) }));
  }

  configure(config: VmConfig | undefined): void {
    if (config === this.config) return;
    // A resized disk is written there.
    if (this.config !== undefined) this.blocks.expire();
    this.guestDisks.forget();
    this.config = config;
    const others = this.started.filter(({ device }) => !isDriveKey(device));
    this.disks = config === undefined ? this.started : [...config.disks, ...others];
    this.attach(this.taps);
  }

  protected isConfigured(device: string): boolean | undefined {
    if (this.config?.cdroms.includes(device) === true) return false;
    return this.config?.disks.some((disk) => disk.device === device) === true ? true : undefined;
  }
}
