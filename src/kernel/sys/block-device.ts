import { existsSync } from 'node:fs';
import { readOnce } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';

/** What kind of block device a name of /proc/diskstats stands for; dm is a device-mapper device of none of its other kinds. */
type BlockDeviceType =
  | 'physical'
  | 'partition'
  | 'lvm'
  | 'mpath'
  | 'crypt'
  | 'dmraid'
  | 'dm'
  | 'md'
  | 'bcache'
  | 'zvol'
  | 'rbd'
  | 'drbd';

/** What a block device is. */
export interface BlockDeviceIdentity {
  /**
   * Undefined for loop, ram, zram, nbd, CD-ROM, floppy and any other kind; for the hidden paths of a multipath NVMe disk,
   * whose traffic the disk itself counts; and for partitions that a guest made on its volume.
   */
  readonly type: BlockDeviceType | undefined;
  /** Its name at a higher level: a logical volume, a data set, a pool and image, a resource; undefined where it has no other name. */
  readonly name: string | undefined;
  /** Changes when another device gets its kernel name; empty where the kernel has none (before 5.15). */
  readonly identity: string;
}

/** Owners of device-mapper devices, by the start of the UUID that they give them. */
const mappers: readonly (readonly [prefix: RegExp, type: BlockDeviceType | undefined])[] = [
  [/^LVM-/, 'lvm'],
  [/^mpath-/, 'mpath'],
  [/^CRYPT-/, 'crypt'],
  [/^DMRAID-/, 'dmraid'],
  [/^part\d+-LVM-/, undefined],
  [/^part\d+-/, 'partition'],
];

/** Devices backed by hardware or a driver that are not disks of the host. */
const noDisk = /^(sr|fd)\d/;
/** Partitions of volumes and image files: a partition of a device whose name ends in a digit has a p before its number. */
const guestPartition = /^(zd|rbd|drbd|nbd|loop)\d+p\d+$/;

/** What a block device is, from its directory in /sys/class/block; the names of some come from udev. */
export function identifyBlockDevice(paths: Paths, device: string): BlockDeviceIdentity {
  const attribute = (file: string): string | undefined => readOnce(paths.block(device, file));
  const uuid = attribute('dm/uuid');
  if (uuid !== undefined) {
    const mapper = mappers.find(([prefix]) => prefix.test(uuid));
    return { type: mapper === undefined ? 'dm' : mapper[1], name: attribute('dm/name'), identity: uuid };
  }
  const type = typeOf(paths, device);
  const name = nameOf(paths, device, type);
  return { type, name, identity: attribute('diskseq') ?? name ?? '' };
}

function typeOf(paths: Paths, device: string): BlockDeviceType | undefined {
  if (guestPartition.test(device)) return undefined;
  if (existsSync(paths.block(device, 'partition'))) return 'partition';
  if (/^md/.test(device)) return 'md';
  const [, driver] = /^(zd|rbd|drbd|bcache)\d/.exec(device) ?? [];
  if (driver !== undefined) return driver === 'zd' ? 'zvol' : (driver as BlockDeviceType);
  if (noDisk.test(device) || readOnce(paths.block(device, 'hidden')) === '1') return undefined;
  return existsSync(paths.block(device, 'device')) ? 'physical' : undefined;
}

function nameOf(paths: Paths, device: string, type: BlockDeviceType | undefined): string | undefined {
  switch (type) {
    case 'zvol':
      return linkOf(paths, device, 'zvol/');
    case 'drbd':
      return linkOf(paths, device, 'drbd/by-res/');
    case 'rbd':
      return imageOf(paths, device.slice('rbd'.length));
    case 'bcache':
      return named(readOnce(paths.block(device, 'bcache/label')));
    default:
      return undefined;
  }
}

/**
 * The rest of a link below /dev to a device, as udev keeps it for it: lines `S:zvol/rpool/data/vm-100-disk-0` (the rules
 * are 60-zvol.rules of OpenZFS and 65-drbd.rules). /dev itself is not seen from within the service.
 */
function linkOf(paths: Paths, device: string, directory: string): string | undefined {
  const numbers = readOnce(paths.block(device, 'dev'));
  if (numbers === undefined) return undefined;
  const start = `S:${directory}`;
  const line = readOnce(paths.udevBlock(numbers))
    ?.split('\n')
    .find((each) => each.startsWith(start));
  return line?.slice(start.length);
}

/** Pool, namespace, image and snapshot of a Ceph image. Source: Documentation/ABI/testing/sysfs-bus-rbd. */
function imageOf(paths: Paths, id: string): string | undefined {
  const attribute = (name: string): string | undefined => named(readOnce(paths.rbd(id, name)));
  const [pool, image] = [attribute('pool'), attribute('name')];
  if (pool === undefined || image === undefined) return undefined;
  const [namespace, snapshot] = [attribute('pool_ns'), attribute('current_snap')];
  const path = [pool, namespace, image].filter((part) => part !== undefined).join('/');
  return snapshot === undefined || snapshot === '-' ? path : `${path}@${snapshot}`;
}

function named(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
