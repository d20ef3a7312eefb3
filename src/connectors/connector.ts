import type { Cgroup } from '../kernel/cgroup.ts';
import type { Counters } from '../kernel/counters.ts';
import type { Process } from '../kernel/process.ts';

/** A virtual disk of a VM, as far as its configuration tells. */
export interface VmDisk {
  /** scsi0, virtio1, ... with Proxmox; vda with libvirt. */
  readonly device: string;
  /** Virtual size in bytes, if known. */
  readonly capacity?: number;
}

/** A network interface of a VM. */
export interface VmNic {
  /** Name of the tap on the host. */
  readonly device: string;
}

/** Order of the counters in {@link DiskReading.counters}: operations, bytes, ns summed over parallel operations, failures. */
export const diskCounters = [
  'rdOps',
  'wrOps',
  'flOps',
  'rdBytes',
  'wrBytes',
  'rdTime',
  'wrTime',
  'flTime',
  'failures',
] as const;

/** What QEMU counted on one virtual disk since it was attached. */
export interface DiskReading {
  readonly device: string;
  readonly counters: Counters;
  /** Virtual size in bytes, if QEMU told. */
  readonly capacity?: number;
  /** Bytes the image really occupies, if known. */
  readonly allocation?: number;
  /** libvirt's physical size in bytes, if known. */
  readonly physical?: number;
}

/** The balloon's state; sizes in bytes. What the guest does not report is left out. */
export interface BalloonReading {
  readonly actual?: number;
  readonly max?: number;
  readonly total?: number;
  readonly free?: number;
  /** Bytes swapped in and out by the guest since it booted. */
  readonly swapIn?: number;
  readonly swapOut?: number;
}

/** What QEMU (or libvirt) said about one VM at one instant: the readings of the slower beat. */
export interface Detail {
  /** Monotonic time of the answer, in seconds. */
  readonly time: number;
  readonly state?: string;
  readonly balloon?: BalloonReading;
  readonly disks: readonly DiskReading[];
}

/** One running VM. The object lives as long as the QEMU process; a VM that is started again is a new one. */
export interface Vm {
  /** Identity of this run of the VM: pid and start time. */
  readonly key: string;
  /** Lower case. */
  readonly uuid: string;
  readonly name: string;
  readonly vmid?: string | undefined;
  readonly tags?: string | undefined;
  readonly lock?: string | undefined;
  /** Its files in /proc; missing for a VM on another host whose /proc is not mounted here. */
  readonly process?: Process | undefined;
  /** vCPUs that are plugged in now. */
  readonly vcpus: number;
  /** Memory the configuration gives it, in bytes. */
  readonly memory?: number | undefined;
  readonly disks: readonly VmDisk[];
  readonly nics: readonly VmNic[];
  /** Its own cgroup v2; missing where it shares one with other processes. */
  readonly cgroup?: Cgroup | undefined;
  /** The last answer of its monitor; missing before the first one and while the monitor gives none. */
  readonly detail?: Detail | undefined;
  /** Why there is no fresh detail, and since when (monotonic seconds of the last answer, or of the first question). */
  readonly silence?: { readonly reason: 'timeout' | 'error'; readonly since: number } | undefined;
}

/** Keeps the inventory of the VMs of one kind of host. */
export interface Connector {
  readonly name: 'proxmox' | 'libvirt' | 'qemu';
  /** The VMs that run now, with everything that changed since the last call. Called at the start of each cycle. */
  inventory(): readonly Vm[];
  /**
   * Asks the monitors that are due (the slower beat) and leaves the answers in {@link Vm.detail}. Never rejects;
   * resolves when all asked have answered or run into their deadlines. Sampling does not wait for it.
   * @param everyone asks every monitor, due or not
   */
  poll(everyone?: boolean): Promise<void>;
  /** Questions since the start that got no answer. */
  readonly failures: number;
  /** Releases descriptors and sockets. */
  close(): void;
}
