import type { Paths } from '../kernel/paths.ts';
import type { Process } from '../kernel/process.ts';
import type { BlockStats } from '../qmp/blockstats.ts';
import type { VmDisk } from './connector.ts';
import { scopeCgroup } from './own-cgroup.ts';
import type { PollSchedule } from './poll-schedule.ts';
import { nameOf } from './identity.ts';
import type { PveConfig } from './pve-config.ts';
import type { QemuArguments } from './qemu-arguments.ts';
import { pveDiskName } from './qemu-detail.ts';
import { QemuVm } from './qemu-vm.ts';

/** A running VM of Proxmox VE: its process, its monitor, and what its configuration says. */
export class ProxmoxVm extends QemuVm {
  /** Its QEMU tells it with the balloon, the configuration without. */
  protected readonly asksMemory = false;
  private config: PveConfig | undefined;

  constructor(
    paths: Paths,
    readonly vmid: string,
    process: Process,
    args: QemuArguments,
    schedule: PollSchedule,
  ) {
    const cgroup = scopeCgroup(paths, process.pid, `${vmid}.scope`);
    super(paths, process, args, cgroup, schedule, paths.qmpSocket(vmid));
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

  protected diskName(stats: BlockStats): string | undefined {
    const device = pveDiskName(stats);
    if (device === undefined || this.args.cdroms.has(device)) return undefined;
    return this.config?.cdroms.includes(device) === true ? undefined : device;
  }
}
