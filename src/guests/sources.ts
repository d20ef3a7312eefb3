import type { Counters } from '../kernel/base/counters.ts';
import type { KernelFile } from '../kernel/base/kernel-file.ts';
import type { Process } from '../kernel/process/process.ts';
import type { Cgroup } from '../kernel/sys/cgroup/cgroup.ts';
import type { DatasetCounts } from '../kernel/sys/zfs/zfs-datasets.ts';

/** A network interface of a guest. */
export interface GuestNic {
  /** Name of the interface that is read. */
  readonly device: string;
  /**
   * Which end of the link it is: the host's (a tap, a veth), which transmits what the guest receives, or the guest's own
   * (a macvtap, an interface in its network namespace).
   */
  readonly end: 'host' | 'guest';
  /** What it may carry, if it is limited. */
  readonly limit?: NicLimit | undefined;
}

/** Bytes a second that a guest may receive and send; undefined for what is not limited. */
export interface NicLimit {
  readonly received: number | undefined;
  readonly sent: number | undefined;
}

/** Traffic of one NIC as reported by the hypervisor. */
export interface NicReading extends GuestNic {
  /** In the columns of /proc/net/dev. */
  readonly counters: Counters;
}

/** Such values are not read here: they are in {@link Guest.detail}. */
interface Told {
  readonly kind: 'told';
}

/** A guest whose values are those of its cgroup and the cgroups below: a container. */
interface InCgroup {
  readonly kind: 'cgroup';
  readonly cgroup: Cgroup;
}

/** The CPU time of a guest: from the threads of its QEMU, and from its own cgroup what a CPU limit cost it. */
export type CpuSource =
  { readonly kind: 'threads'; readonly qemu: Process; readonly cgroup: Cgroup | undefined } | InCgroup | Told;

/** What the memory of a guest takes up on the host. */
export type MemorySource =
  | {
      readonly kind: 'process';
      readonly qemu: Process;
      /** Whether other processes share it, so that the kernel does not count its swapped pages for QEMU. */
      readonly shared: boolean;
      /** Whether it was told to lie on several NUMA nodes. */
      readonly spread: boolean;
      readonly cgroup: Cgroup | undefined;
    }
  | InCgroup
  | Told;

/** A volume of a container and what is counted of it. */
export interface MountedVolume {
  /** rootfs, mp0, ... */
  readonly volume: string;
  /** Numbers of the device that it lies on, as io.stat has them, such as 253:3. */
  readonly device: string;
  /** What ZFS counts of its I/O, if it is a data set: the kernel charges that to no cgroup. */
  readonly objset?: DatasetCounts | undefined;
  /** Whether its I/O is counted at all: that of a file system on a server is not. */
  readonly counted: boolean;
}

/** How full a file system is; bytes. */
export interface FileSystemUse {
  readonly size: number;
  readonly used: number;
  /** What users other than root can still write. */
  readonly available: number;
}

/** The volumes of a container, looked at now and then. */
export interface ContainerStorage extends InCgroup {
  readonly mounted: readonly MountedVolume[];
  /** Undefined where its root has no file system of its own, or none that answers. */
  readonly root: FileSystemUse | undefined;
}

/** What a guest reads, writes and waits for, beside the counters of its virtual disks in {@link Guest.detail}. */
export type StorageSource = { readonly kind: 'process'; readonly qemu: Process } | ContainerStorage | Told;

/** Where the counters of a guest's NICs are. */
export type NetworkSource =
  /** Among the interfaces of the host. */
  | { readonly kind: 'host' }
  /** In the network namespace of the guest. */
  | { readonly kind: 'namespace'; readonly netDev: KernelFile }
  /** Told at this time (monotonic seconds). */
  | { readonly kind: 'told'; readonly time: number; readonly nics: readonly NicReading[] };

/** Where the values of a guest come from. The kinds stay the same as long as it runs. */
export interface Sources {
  readonly cpu: CpuSource;
  readonly memory: MemorySource;
  readonly storage: StorageSource;
  readonly network: NetworkSource;
  /** A cgroup that no other guest shares; undefined where there is none. */
  readonly pressure: Cgroup | undefined;
}

/** The sources of a VM whose QEMU runs here. @param cgroup its own, @param memory see {@link MemorySource} */
export function processSources(
  qemu: Process,
  cgroup: Cgroup | undefined,
  memory: { readonly shared: boolean; readonly spread: boolean },
  network: NetworkSource,
): Sources {
  return {
    cpu: { kind: 'threads', qemu, cgroup },
    memory: { kind: 'process', qemu, ...memory, cgroup },
    storage: { kind: 'process', qemu },
    network,
    pressure: cgroup,
  };
}

/** The sources of a VM of which only its hypervisor tells. */
export function toldSources(network: NetworkSource): Sources {
  const told = { kind: 'told' } as const;
  return { cpu: told, memory: told, storage: told, network, pressure: undefined };
}
