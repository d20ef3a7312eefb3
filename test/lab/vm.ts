import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What runs in a VM. paused: not started (QMP state prelaunch); idle: halts, wakes up for the timer; spin: keeps one
 * vCPU busy; disk: reads and writes its first disk; network: the boot ROM of its first NIC asks for an address by
 * DHCP again and again (it polls, and so keeps its vCPU busy).
 */
export type Guest = 'paused' | 'idle' | 'spin' | 'disk' | 'network';

export interface DiskSpec {
  readonly interface: 'scsi' | 'virtio' | 'ide' | 'sata';
  /** Bytes; the image is sparse. */
  readonly size: number;
  /**
   * How Proxmox VE hands the disk to QEMU: `drive` for machine versions below 10.0, `blockdev` (throttle, format and
   * file node) from there on.
   */
  readonly shape: 'drive' | 'blockdev';
}

export interface NicSpec {
  /** rtl8139 takes frames even when no guest drives it, virtio only with a driver. */
  readonly model: 'rtl8139' | 'virtio' | 'e1000';
}

export interface VmSpec {
  /** Random in 100000..899999 if missing, so that labs that run side by side do not meet. */
  readonly vmid?: number;
  /** Any text without NUL; vm<vmid> if missing. */
  readonly name?: string;
  /** Random if missing. */
  readonly uuid?: string;
  /** `paused` if missing. */
  readonly guest?: Guest;
  /**
   * How hard the guest works: of a spinning guest the eighths of the time it spins (8 if missing), of a disk guest
   * the reads and writes per BIOS tick of 55 ms (1 if missing).
   */
  readonly load?: number;
  /** vCPUs the VM may have; 1 if missing. */
  readonly cores?: number;
  /** vCPUs that are plugged in at the start, by the CPU hotplug form of the command line; all cores if missing. */
  readonly vcpus?: number;
  /** MiB; 32 if missing. */
  readonly memory?: number;
  readonly disks?: readonly DiskSpec[];
  readonly nics?: readonly NicSpec[];
  /** What QEMU is given beside all that, as `args:` of a configuration has it. */
  readonly args?: readonly string[];
}

export interface LabDisk extends DiskSpec {
  /** scsi0, virtio1, ... */
  readonly device: string;
  readonly image: string;
}

export interface LabNic extends NicSpec {
  /** net0, net1, ... */
  readonly device: string;
  readonly tap: string;
  readonly mac: string;
}

/** A VM of the lab, running or not. */
export class LabVm {
  readonly uuid: string;
  readonly name: string;
  readonly guest: Guest;
  readonly load: number;
  readonly cores: number;
  /** vCPUs plugged in at the start; undefined where the command line does not use CPU hotplug. */
  readonly vcpus: number | undefined;
  readonly memory: number;
  readonly disks: LabDisk[] = [];
  readonly nics: LabNic[] = [];
  readonly args: readonly string[];
  readonly pidFile: string;
  readonly qmpSocket: string;
  /** The QEMU process; undefined while the VM does not run. */
  pid: number | undefined;
  /** Path of its own cgroup v2; undefined while it does not run and where cgroups cannot be made. */
  cgroup: string | undefined;
  private readonly images: string;
  private readonly deviceCounts = new Map<string, number>();

  /** @param root of the lab: the VM's images lie in images/<vmid>/, its runtime files in run/qemu-server/ */
  constructor(
    readonly vmid: number,
    spec: VmSpec,
    root: string,
  ) {
    this.uuid = spec.uuid ?? randomUUID();
    this.name = spec.name ?? `vm${vmid}`;
    this.guest = spec.guest ?? 'paused';
    this.load = spec.load ?? (this.guest === 'spin' ? 8 : 1);
    this.cores = spec.cores ?? 1;
    this.vcpus = spec.vcpus;
    this.memory = spec.memory ?? 32;
    this.args = spec.args ?? [];
    this.pidFile = join(root, 'run/qemu-server', `${vmid}.pid`);
    this.qmpSocket = join(root, 'run/qemu-server', `${vmid}.qmp`);
    this.images = join(root, 'images', String(vmid));
    mkdirSync(this.images);
    for (const disk of spec.disks ?? []) this.addDisk(disk);
    for (const nic of spec.nics ?? []) this.addNic(nic);
  }

  /** Adds a disk to the VM's description and makes its image. */
  addDisk(spec: DiskSpec): LabDisk {
    const device = this.nextDevice(spec.interface);
    const image = join(this.images, `vm-${this.vmid}-${device}.raw`);
    const fd = openSync(image, 'w');
    ftruncateSync(fd, spec.size);
    closeSync(fd);
    const disk = { ...spec, device, image };
    this.disks.push(disk);
    return disk;
  }

  /** Adds a NIC to the VM's description. */
  addNic(spec: NicSpec): LabNic {
    const device = this.nextDevice('net');
    const number = Number(device.slice('net'.length));
    const mac = macAddress('bc2411', this.vmid * 16 + number);
    const nic = { ...spec, device, tap: `tap${this.vmid}i${number}`, mac };
    this.nics.push(nic);
    return nic;
  }

  /** Names are not used twice: a device that is unplugged may linger in QEMU. */
  private nextDevice(kind: string): string {
    const number = this.deviceCounts.get(kind) ?? 0;
    this.deviceCounts.set(kind, number + 1);
    return `${kind}${number}`;
  }

  /** The pid of the running VM; an error when it does not run. */
  get runningPid(): number {
    if (this.pid === undefined) throw new Error(`VM ${this.vmid} does not run`);
    return this.pid;
  }
}

/** A MAC address: a prefix in hex digits, then the low digits of a number. */
export function macAddress(prefix: string, number: number): string {
  const rest = 12 - prefix.length;
  const digits = prefix + number.toString(16).padStart(rest, '0').slice(-rest);
  return digits.match(/../g)?.join(':') ?? '';
}
