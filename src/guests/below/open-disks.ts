import { basename } from 'node:path';
import { readOnce } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { OpenFile } from '../../kernel/pid/proc-pid-fd.ts';
import { openBlockDevice, openFiles } from '../../kernel/pid/proc-pid-fd.ts';
import type { Mount } from '../../kernel/pid/proc-pid-mountinfo.ts';
import { parseMountinfo } from '../../kernel/pid/proc-pid-mountinfo.ts';
import { blockDeviceName } from '../../kernel/sys/block-stack.ts';

/** Where the data of a virtual disk goes on this host. */
export interface DiskPlace {
  /** Major and minor number of the block device, such as 253:4; undefined for a file on ZFS. */
  readonly numbers: string | undefined;
  /** The file system of ZFS that the file lies on, such as rpool/images. */
  readonly dataset?: string;
  /** Whether the disk is this device: a volume, a LUN. Otherwise it is a file of the file system on it. */
  readonly isOwn: boolean;
  /** Whether QEMU passes by the page cache. */
  readonly isDirect: boolean;
}

/** Devices of which a QEMU has many open, and which are no disks. */
const noDisk = /^\/dev\/(?:null|kvm|net\/|vhost|vfio|pts\/|ptmx)/;
/** Their device files are the kernel's own and answer at once. */
const inMemory = /^(?:devtmpfs|tmpfs)$/;

/**
 * Finds the block devices below images by the descriptors of the process, because the same path may mean another file to
 * us, or may have changed. No file system is asked, as it may hang: the kernel says on which one the file of a descriptor
 * is. Files on NFS, Ceph, btrfs and others that have no block device, or several, have none here; of ZFS, which has several
 * too, the data set is returned.
 *
 * @param images the paths that QEMU gives, whole ones
 * @returns by image; those without a block device, or whose descriptor is not found, are missing. Undefined when
 *   there was no descriptor left to look
 */
export function findPlaces(
  paths: Paths,
  pid: number,
  images: readonly string[],
): Map<string, DiskPlace> | undefined {
  const names = new Set(images.map((image) => basename(image)));
  const files = openFiles(
    paths,
    pid,
    (path) => names.has(basename(path)) || (path.startsWith('/dev/') && !noDisk.test(path)),
  );
  if (files === undefined) return undefined;
  const mounts = new Map(
    parseMountinfo(readOnce(paths.pid(pid, 'mountinfo')) ?? '').map((mount) => [mount.id, mount]),
  );
  const candidates = files.map((file) => new Candidate(paths, pid, file, mounts.get(file.mount)));
  const places = new Map<string, DiskPlace>();
  for (const image of images) {
    const place = choose(candidates, image)?.place;
    if (place !== undefined) places.set(image, place);
  }
  return places;
}

/**
 * The descriptor of an image: the one with its path, or of a device with that name; else the only one whose file has that
 * name.
 */
function choose(candidates: readonly Candidate[], image: string): Candidate | undefined {
  const same = candidates.filter((each) => each.file.path === image || each.has(image));
  const namesakes = candidates.filter(({ file }) => basename(file.path) === basename(image));
  const isOne = new Set(namesakes.map(({ file }) => file.path)).size === 1;
  const found = same.length > 0 ? same : isOne ? namesakes : [];
  // QEMU may hold a file a second time for its locks.
  return found.find(({ file }) => file.direct) ?? found[0];
}

/** A descriptor that may be that of an image. */
class Candidate {
  readonly place: DiskPlace | undefined;
  private readonly device: string | undefined;

  constructor(
    private readonly paths: Paths,
    pid: number,
    readonly file: OpenFile,
    mount: Mount | undefined,
  ) {
    if (mount === undefined) return;
    const isLocal = mount.major !== 0 && !mount.type.startsWith('fuse');
    if (isLocal || inMemory.test(mount.type)) this.device = openBlockDevice(paths, pid, file.fd);
    const numbers = this.device ?? (isLocal ? mount.device : undefined);
    if (numbers !== undefined)
      this.place = { numbers, isOwn: this.device !== undefined, isDirect: file.direct };
    else if (mount.type === 'zfs')
      this.place = { numbers, dataset: mount.source, isOwn: false, isDirect: file.direct };
  }

  /** Whether it is a device of that name: /dev/<VG>/<LV>, /dev/mapper/..., /dev/zvol/..., /dev/rbd/..., /dev/disk/by-id/... */
  has(path: string): boolean {
    const { paths, device } = this;
    if (device === undefined || !path.startsWith('/dev/')) return false;
    const kernelName = blockDeviceName(paths, device);
    if (kernelName === undefined) return false;
    const mapped = readOnce(paths.block(kernelName, 'dm/name'));
    if (mapped !== undefined && (path === `/dev/mapper/${mapped}` || path === volumePath(mapped)))
      return true;
    const links = readOnce(paths.udevBlock(device)) ?? '';
    return path === `/dev/${kernelName}` || links.split('\n').includes(`S:${path.slice('/dev/'.length)}`);
  }
}

/** The path of a logical volume: the device mapper joins group and volume by a hyphen and doubles those within (lvm(8)). */
function volumePath(mapped: string): string {
  const [group = '', ...volume] = mapped.split(/(?<!-)-(?!-)/);
  return `/dev/${group}/${volume.join('-')}`.replaceAll('--', '-');
}
