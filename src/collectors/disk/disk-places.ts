import { readOnce } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { hostProcess } from '../../kernel/base/paths.ts';
import type { Mount } from '../../kernel/pid/proc-pid-mountinfo.ts';
import { parseMountinfo } from '../../kernel/pid/proc-pid-mountinfo.ts';
import { now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

/** File systems that have no device of their own in the list of mounts, and lie on disks of the host all the same. */
const onDisks = new Set(['btrfs', 'zfs', 'bcachefs', 'overlay', 'aufs', 'ecryptfs']);
/** Block devices whose data is elsewhere: /dev/rbd0, /dev/rbd-pve/..., /dev/nbd0. */
const remoteDevice = /^\/dev\/[rn]bd/;

/**
 * Knows which disks of VMs are on disks of this host: not those on NFS, Ceph and the like, nor those in memory. Only the
 * list of mounts is read, never the file system itself, which may hang.
 */
export class DiskPlaces {
  private mounts: readonly Mount[] = [];
  /** By path. */
  private readonly known = new Map<string, boolean>();
  /** Whether paths are known at all: then a disk without one is neither a file nor a device of the host. */
  private told = false;
  private readonly beat = new SlowBeat(60);

  constructor(private readonly paths: Paths) {}

  /** @param path what is behind the disk; undefined if that is not known */
  onHost(path: string | undefined): boolean {
    if (path === undefined) return !this.told;
    this.told = true;
    if (this.beat.due(now())) this.look();
    let isHere = this.known.get(path);
    if (isHere === undefined) {
      isHere = this.find(path);
      this.known.set(path, isHere);
    }
    return isHere;
  }

  private look(): void {
    this.known.clear();
    // The longest mount point that a path begins with is its own; of equal ones the later.
    this.mounts = parseMountinfo(readOnce(this.paths.pid(hostProcess, 'mountinfo')) ?? '')
      .reverse()
      .sort((a, b) => b.point.length - a.point.length);
  }

  private find(path: string): boolean {
    if (remoteDevice.test(path)) return false;
    const mount = this.mounts.find(({ point }) => point === '/' || path.startsWith(`${point}/`));
    if (mount === undefined || mount.point === '/dev') return true;
    if (mount.major === 0) return onDisks.has(mount.type);
    return !remoteDevice.test(mount.source);
  }
}
