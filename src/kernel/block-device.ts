import { existsSync } from 'node:fs';
import { readOnce } from './kernel-file.ts';
import type { Paths } from './paths.ts';

/** What kind of block device a name of /proc/diskstats stands for. */
export type BlockDeviceType = 'physical' | 'partition' | 'lvm' | 'mpath' | 'crypt' | 'md' | 'zvol';

/** Owners of device-mapper devices, by the start of the UUID that they give them. */
const mappers: readonly (readonly [prefix: RegExp, type: BlockDeviceType])[] = [
  [/^LVM-/, 'lvm'],
  [/^mpath-/, 'mpath'],
  [/^CRYPT-/, 'crypt'],
  [/^part\d+-/, 'partition'],
];

/** Devices with hardware or a driver's device behind them that are no disks of the host: CD-ROM, floppy, Ceph images. */
const noDisk = /^(sr|fd|rbd)\d/;

/**
 * The type of a block device, from its directory in /sys/class/block; undefined for loop, ram, zram, nbd and all else
 * that is none of these types, and for the hidden paths of a multipath NVMe disk, whose traffic the disk itself counts.
 */
export function blockDeviceType(paths: Paths, device: string): BlockDeviceType | undefined {
  if (existsSync(paths.block(device, 'partition'))) return 'partition';
  const uuid = readOnce(paths.block(device, 'dm/uuid'));
  if (uuid !== undefined) return mappers.find(([prefix]) => prefix.test(uuid))?.[1];
  if (/^md/.test(device)) return 'md';
  if (/^zd\d/.test(device)) return 'zvol';
  if (noDisk.test(device) || readOnce(paths.block(device, 'hidden')) === '1') return undefined;
  return existsSync(paths.block(device, 'device')) ? 'physical' : undefined;
}

/** The name that its owner gave a device-mapper device, such as `pve-vm--100--disk--0`; undefined for other devices. */
export function deviceMapperName(paths: Paths, device: string): string | undefined {
  return readOnce(paths.block(device, 'dm/name'));
}
