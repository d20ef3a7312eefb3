import type { Counters } from '../kernel/base/counters.ts';
import type { DiskHistograms } from '../qmp/latency-histogram.ts';
import type { GuestNic, Sources } from './sources.ts';
import type { DiskLimits } from '../qmp/throttle.ts';

/** A virtual disk of a guest, as far as its configuration or command line tells. */
export interface GuestDisk {
  /** scsi0, virtio1, ... with Proxmox; vda with libvirt. */
  readonly device: string;
  /** Virtual size in bytes, if known. */
  readonly capacity?: number | undefined;
  /** Name of the storage it lies on, if the configuration tells. */
  readonly storage?: string | undefined;
  /** File or device behind it when the VM was started, if that is how it is described. */
  readonly path?: string | undefined;
  /** What it is limited to by its configuration. */
  readonly limits?: DiskLimits | undefined;
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

/** What lies below a virtual disk and what it counted, at the time of the disk's own reading. */
export interface BelowReading {
  /** Its name as in /proc/diskstats; of a file system of ZFS, which lies on no one device, that of its data set. */
  readonly device: string;
  /** Whether it serves this disk alone: a volume or LUN of its own. Otherwise a file system lies on it, or another disk. */
  readonly isPrivate: boolean;
  /** Whether QEMU passes by the page cache, so that each request of the guest gets to it. */
  readonly isDirect: boolean;
  /** What the kernel counted of a block device, in the order of diskStatsCounters. */
  readonly counters?: Counters | undefined;
  /** What ZFS counted of a volume or file system of its own, in the order of zfsObjsetCounters. */
  readonly objset?: Counters | undefined;
}

/** What QEMU counted on one virtual disk since it was attached. */
export interface DiskReading {
  readonly device: string;
  readonly counters: Counters;
  /** File or device behind it, if known. */
  readonly path?: string | undefined;
  /** Virtual size in bytes, if QEMU told. */
  readonly capacity?: number | undefined;
  /** Bytes the image really occupies, if known. */
  readonly allocation?: number | undefined;
  /** libvirt's physical size in bytes, if known. */
  readonly physical?: number | undefined;
  /** What the block device or data set of the host below it counted at the same time, where it has one that we may read. */
  below?: BelowReading | undefined;
  /** The limits of its requests, if QEMU reported them. */
  readonly limits?: DiskLimits | undefined;
  /** Latency histograms, if QEMU was told to keep them. */
  readonly histograms?: DiskHistograms | undefined;
}

/** The balloon's state; sizes in bytes. Values that the guest does not report, or that are impossible, are left out. */
export interface BalloonReading {
  readonly actual?: number;
  readonly max?: number;
  /** Seconds since the guest reported, at the time of the answer; an old report is left out. */
  readonly age?: number;
  readonly total?: number;
  readonly free?: number;
  /** Bytes swapped in and out by the guest since it booted. */
  readonly swapIn?: number;
  readonly swapOut?: number;
}

/** CPU time of one vCPU, where only libvirt tells it: ns it ran and ns it waited for a CPU; NaN if not known. */
export interface VcpuReading {
  readonly number: number;
  readonly run: number;
  readonly wait: number;
}

/** What QEMU (or libvirt) said about one VM at one instant: the readings of the slower interval. */
export interface Detail {
  /** Monotonic time of the answer, in seconds. */
  readonly time: number;
  readonly state?: string | undefined;
  /** Only of a VM whose process cannot be seen. */
  readonly vcpus?: readonly VcpuReading[];
  /** ns that the whole process ran; likewise. */
  readonly cpuTime?: number;
  /** Resident bytes of the process; likewise. */
  readonly rss?: number;
  readonly balloon?: BalloonReading | undefined;
  readonly disks: readonly DiskReading[];
}

/** How a guest is run: as a VM, or as a container of LXC (of Proxmox VE and Incus too) or systemd-nspawn. */
export const guestTypes = ['qemu', 'lxc', 'nspawn'] as const;
export type GuestType = (typeof guestTypes)[number];

/** Who a guest is. Samples contain only this and its values. */
export interface GuestIdentity {
  readonly type: GuestType;
  /** Of this run of the guest: pid and start time. */
  readonly key: string;
  /** Lower case. */
  readonly uuid: string;
  readonly name: string;
  readonly vmid?: string | undefined;
  readonly tags?: string | undefined;
  readonly lock?: string | undefined;
  /** running, paused, ... */
  readonly state?: string | undefined;
}

/**
 * A running guest: who it is, what it was given, and where its values come from. The object lives as long as this run of
 * the guest; one that is started again is a new one.
 */
export interface Guest extends GuestIdentity {
  /** Of the process that it runs in, of a container its first one; undefined where that cannot be seen. */
  readonly pid?: number | undefined;
  /** When the process that it runs in started, in monotonic seconds; undefined where that is not known. */
  readonly since?: number | undefined;
  /** vCPUs that are plugged in now; 0 while that is not known. */
  readonly vcpus: number;
  /** CPUs of the host that it may use in all, and its weight against others, as it is configured; its cgroup may tell. */
  readonly cpuLimit?: number | undefined;
  readonly cpuWeight?: number | undefined;
  /** CPUs of the host that each of its vCPUs may use, where they are limited one by one. */
  readonly vcpuLimit?: number | undefined;
  /** Memory it was given, in bytes. */
  readonly memory?: number | undefined;
  readonly disks: readonly GuestDisk[];
  readonly nics: readonly GuestNic[];
  readonly sources: Sources;
  /** The last answer of its monitor; missing before the first one and while the monitor gives none. */
  readonly detail?: Detail | undefined;
  /** Why there is no fresh detail, and since when (monotonic seconds of the last answer, or of the first question). */
  readonly silence?: { readonly reason: 'timeout' | 'error' | 'held'; readonly since: number } | undefined;
}
