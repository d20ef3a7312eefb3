import { Counters } from '../../kernel/base/counters.ts';
import type { BlockDevice } from '../../qmp/block.ts';
import type { BlockStats } from '../../qmp/blockstats.ts';
import { MOST_BACKENDS } from '../../qmp/blockstats.ts';
import { text } from '../../untyped/values.ts';
import type { BlockDevices } from './block-devices.ts';
import type { DiskReading, GuestDisk } from '../guest.ts';
import { diskCounters } from '../guest.ts';
import type { QemuDrive } from './qemu-drives.ts';
import { driveName } from './qemu-drives.ts';

/** Drives that are no disks: what a user takes out, and firmware. */
const NO_DISK = /^(?:.+-cd(?:rom)?|floppy|cfi\.pflash\d+|spapr-nvram)$/;
/** Devices whose medium can be taken out and that are disks all the same: USB sticks, memory cards. */
const REMOVABLE_DISK = /^(?:scsi-hd|sd-card.*|emmc)$/;
/** Devices whose operations QEMU does not count. */
const UNCOUNTED = /^(?:scsi-generic|sd-card.*|emmc)$/;
/** The names of backends that are no disks; the firmware's variables of Proxmox VE among them. */
const NO_DISK_NAME = /^(?:(?:pflash|floppy|efidisk)\d+|.*-cd\d+)$/;
/** The id of a device, by itself or in its path; QEMU's path of one that has none holds a number it uses only once. */
const ID = /^(?:\/machine\/peripheral\/)?([^/]+)/;

/** What the configuration says of a drive by its name: that it is a disk, that it is none; undefined for nothing. */
export type Configured = (device: string) => boolean | undefined;

/** Which block backends of a QEMU are disks of its guest, and what they are called. */
export class GuestDisks {
  private readonly drivers: ReadonlyMap<string, string | undefined>;
  /** Names of devices without an id: those of their first nodes, which a snapshot or a move puts others in the place of. */
  private names = new Map<string, string>();

  /** @param drives as the command line describes them, for what QEMU does not tell */
  constructor(
    drives: readonly QemuDrive[],
    private readonly blocks: Pick<BlockDevices, 'of' | 'typeOf'>,
    private readonly configured: Configured,
  ) {
    this.drivers = new Map(drives.map(({ device, driver }) => [device, driver]));
  }

  /** The disks among the backends, as readings; each has a name of its own. */
  readings(stats: readonly BlockStats[]): DiskReading[] {
    const names = new Map<string, string>();
    const taken = new Set<string>();
    const readings: DiskReading[] = [];
    for (const each of stats) {
      const name = this.nameOf(each, names);
      if (name === undefined || !this.isDisk(name, each)) continue;
      readings.push(this.reading(ownName(name, taken), each));
    }
    this.names = names;
    return readings;
  }

  private nameOf(
    { device, qdev = '', nodeName }: BlockStats,
    names: Map<string, string>,
  ): string | undefined {
    const id = ID.exec(qdev)?.[1];
    if (device !== '' || id !== undefined) return driveName(device, id, undefined);
    const name = this.names.get(qdev) ?? nodeName;
    if (name !== undefined) names.set(qdev, name);
    return name;
  }

  /** The configuration decides; without it what QEMU says of the device, and before it did, the command line. */
  private isDisk(name: string, stats: BlockStats): boolean {
    // Neither an empty drive, nor what a backup or a user attached that is no part of the guest.
    if (stats.nodeName === undefined) return false;
    const configured = this.configured(name);
    if (configured !== undefined) return configured;
    if (stats.qdev === undefined) return false;
    const type = this.typeOf(name, stats);
    const { removable } = this.blocks.of(stats);
    if (type !== undefined) return !NO_DISK.test(type) && (removable !== true || REMOVABLE_DISK.test(type));
    return removable !== true && !NO_DISK_NAME.test(name) && !/\.flash\d+$/.test(stats.qdev);
  }

  private typeOf(name: string, stats: BlockStats): string | undefined {
    return this.blocks.typeOf(stats) ?? this.drivers.get(name);
  }

  private reading(device: string, stats: BlockStats): DiskReading {
    const counters = new Counters(diskCounters.length);
    const counted = !UNCOUNTED.test(this.typeOf(device, stats) ?? '');
    diskCounters.forEach((name, index) => {
      counters.set(index, counted ? stats[name] : NaN);
    });
    return { device, counters, ...sizesOf(this.blocks.of(stats)) };
  }
}

/** A name that no other disk of the VM has: two devices may use one node. */
function ownName(name: string, taken: Set<string>): string {
  let own = name;
  for (let count = 2; taken.has(own); count++) own = count === 2 ? `${name}'` : `${name}'${count}`;
  taken.add(own);
  return own;
}

function sizesOf({
  capacity,
  occupied,
  path,
}: Partial<BlockDevice>): Omit<DiskReading, 'device' | 'counters'> {
  return {
    ...(capacity !== undefined && { capacity }),
    ...(occupied !== undefined && { allocation: occupied }),
    ...(path !== undefined && { path }),
  };
}

/**
 * The disks that the command line describes, for as long as QEMU tells of none. Any user can write one: of more disks than
 * a VM can have there are none, as in the answers of a monitor, and none with a name that is too long to be one.
 */
export function startedDisks(drives: readonly QemuDrive[]): GuestDisk[] {
  const taken = new Set<string>();
  const disks = drives.filter(
    ({ device, driver = '' }) =>
      text(device) !== undefined && !NO_DISK.test(driver) && !NO_DISK_NAME.test(device),
  );
  if (disks.length > MOST_BACKENDS) return [];
  return disks.map(({ device, path }) => ({
    device: ownName(device, taken),
    ...(path !== undefined && { path }),
  }));
}
