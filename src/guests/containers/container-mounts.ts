import { KernelFile } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { Mount } from '../../kernel/pid/proc-pid-mountinfo.ts';
import { parseMountinfo } from '../../kernel/pid/proc-pid-mountinfo.ts';
import type { ZfsDatasets } from '../../kernel/sys/zfs/zfs-datasets.ts';
import { DatasetCounts } from '../../kernel/sys/zfs/zfs-datasets.ts';
import type { MountedVolume } from '../sources.ts';

/** A volume of a container: its root, or what is mounted below. */
export interface Volume {
  readonly device: string;
  /** Where it is mounted, as the container sees it. */
  readonly mountPoint: string;
}

/** File systems on disks of the host, whose I/O io.stat charges to whoever does it. */
const LOCAL = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'bcachefs', 'reiserfs', 'jfs']);
/** Kept in memory, so that there is no I/O. */
const IN_MEMORY = new Set(['tmpfs', 'ramfs', 'overlay', 'squashfs']);

/**
 * What is mounted where a container has its volumes, by the list of mounts of its first process. Only the first page of the
 * list is read: it has what was mounted before its init ran. What a tenant mounts later is not needed, and may be long.
 */
export class ContainerMounts {
  /** A new list only when something changed. */
  mounted: readonly MountedVolume[] = [];
  /** Of its root; undefined where that is not known. */
  private root: Mount | undefined;

  constructor(
    private readonly paths: Paths,
    private readonly datasets: ZfsDatasets,
  ) {}

  /**
   * Looks again. Reads only files of the kernel, none of the file systems.
   * @param pid of its first process
   */
  look(pid: number, volumes: readonly Volume[]): void {
    const file = new KernelFile(this.paths.pid(pid, 'mountinfo'));
    const mounts = parseMountinfo(file.text() ?? '');
    file.close();
    const at = (point: string): Mount | undefined => mounts.findLast((mount) => mount.point === point);
    this.root = at('/');
    const before = new Map(this.mounted.map((each) => [each.volume, each]));
    const next = volumes.flatMap(({ device, mountPoint }) => {
      const mount = at(mountPoint);
      return mount === undefined ? [] : [this.volumeAt(device, mount, before.get(device))];
    });
    if (next.length === before.size && next.every((each) => before.get(each.volume) === each)) return;
    for (const old of this.mounted) if (!next.includes(old)) old.objset?.close();
    this.mounted = next;
  }

  /**
   * Whether the root is a file system of its own on a disk of this host: then its size is that of the container, and asking for
   * it reaches nothing that the tenant could have put there, such as a FUSE file system that never answers.
   */
  get hasOwnRoot(): boolean {
    const { root } = this;
    return root?.root === '/' && (LOCAL.has(root.type) || root.type === 'zfs');
  }

  private volumeAt(volume: string, mount: Mount, before: MountedVolume | undefined): MountedVolume {
    const { device, type, source } = mount;
    if (type !== 'zfs') {
      const counted = LOCAL.has(type) || IN_MEMORY.has(type);
      return before?.device === device ? before : { volume, device, counted };
    }
    const isKnown = this.datasets.path(source) !== undefined;
    if (before !== undefined && isKnown && before.objset?.dataset === source) return before;
    // One constant list, so that it compares as unchanged while there is none.
    if (!isKnown) return before?.objset === undefined && before ? before : { volume, device, counted: false };
    return { volume, device, objset: new DatasetCounts(this.datasets, source), counted: true };
  }

  /** Gives descriptors back. */
  close(): void {
    for (const { objset } of this.mounted) objset?.close();
    this.mounted = [];
  }
}
