import { Counters } from '../../kernel/base/counters.ts';
import type { BlockDevice } from '../../qmp/block.ts';
import type { BlockStats } from '../../qmp/blockstats.ts';
import { MOST_BACKENDS } from '../../qmp/blockstats.ts';
import { shortText } from '../../base/untyped/values.ts';
import type { BlockDevices } from './block-devices.ts';
import { isSame } from './block-devices.ts';
import type { DiskReading, GuestDisk } from '../guest.ts';
import { diskCounters } from '../guest.ts';
import type { QemuDrive } from './qemu-drives.ts';
import { driveName } from './qemu-drives.ts';

/** Drives that are not disks: removable ones and firmware. */
const NO_DISK = /^(?:.+-cd(?:rom)?|floppy|cfi\.pflash\d+|spapr-nvram)$/;
/** Devices with a removable medium that still are disks: USB sticks, memory cards. */
const REMOVABLE_DISK = /^(?:scsi-hd|sd-card.*|emmc)$/;
/** Devices whose operations QEMU does not count. */
const UNCOUNTED = /^(?:scsi-generic|sd-card.*|emmc)$/;
/** The names of backends that are no disks; the firmware's variables of Proxmox VE among them. */
const NO_DISK_NAME = /^(?:(?:pflash|floppy|efidisk)\d+|.*-cd\d+)$/;
/** The id of a device, by itself or in its path; QEMU's path of one that has none holds a number it uses only once. */
const ID = /^(?:\/machine\/peripheral\/)?([^/]+)/;

/** What the configuration says of a drive by its name: that it is a disk, that it is none; undefined for nothing. */
export type Configured = (device: string) => boolean | undefined;

/** What a backend is, as long as it is the same and QEMU was not asked about it again. */
interface Backend {
  readonly stats: BlockStats;
  /** Undefined for what is no disk. */
  readonly disk: Omit<DiskReading, 'counters'> | undefined;
  /** Whether QEMU counts its operations. */
  readonly counted: boolean;
}

/** Which block backends of a QEMU are disks of its guest, and what they are called. */
export class GuestDisks {
  private backends: readonly Backend[] = [];
  private generation = -1;
  private readonly drivers: ReadonlyMap<string, string | undefined>;
  /** Names of devices without an id: those of their first nodes, which a snapshot or a move puts others in the place of. */
  private names = new Map<string, string>();

  /** @param drives as the command line describes them, for what QEMU does not tell */
  constructor(
    drives: readonly QemuDrive[],
    private readonly blocks: Pick<BlockDevices, 'of' | 'typeOf' | 'generation'>,
    private readonly configured: Configured,
  ) {
    this.drivers = new Map(drives.map(({ device, driver }) => [device, driver]));
  }

  /** The disks among the backends, as readings; each has a name of its own. */
  readings(stats: readonly BlockStats[]): DiskReading[] {
    if (!this.isKnown(stats)) this.look(stats);
    const readings: DiskReading[] = [];
    for (let index = 0; index < this.backends.length; index++) {
      const { disk, counted } = this.backends[index] as Backend;
      const each = stats[index];
      if (disk === undefined || each === undefined) continue;
      const { device, path, capacity, allocation, limits } = disk;
      const counters = countersOf(counted ? each : undefined);
      const { histograms } = each;
      readings.push({ device, counters, path, capacity, allocation, limits, below: undefined, histograms });
    }
    return readings;
  }

  /** Those of the backends that the last {@link readings} took for disks, as far as QEMU counts their operations. */
  counted(stats: readonly BlockStats[]): readonly BlockStats[] {
    return stats.filter((_, index) => {
      const backend = this.backends[index];
      return backend?.disk !== undefined && backend.counted;
    });
  }

  /** Classifies all again: the configuration changed. */
  forget(): void {
    this.generation = -1;
  }

  private isKnown(stats: readonly BlockStats[]): boolean {
    const { backends } = this;
    if (this.generation !== this.blocks.generation || stats.length !== backends.length) return false;
    return stats.every((each, index) => isSame(each, backends[index]?.stats));
  }

  private look(stats: readonly BlockStats[]): void {
    const names = new Map<string, string>();
    const taken = new Set<string>();
    this.backends = stats.map((each) => {
      const name = this.nameOf(each, names);
      if (name === undefined || !this.isDisk(name, each))
        return { stats: each, disk: undefined, counted: false };
      const device = ownName(name, taken);
      const counted = !UNCOUNTED.test(this.typeOf(device, each) ?? '');
      return { stats: each, disk: { device, ...sizesOf(this.blocks.of(each)) }, counted };
    });
    this.names = names;
    this.generation = this.blocks.generation;
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
    // Neither an empty drive, nor one that a backup or a user attached outside the guest.
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
}

/** @param stats undefined where QEMU does not count */
function countersOf(stats: BlockStats | undefined): Counters {
  const counters = new Counters(diskCounters.length);
  if (stats !== undefined)
    for (let index = 0; index < diskCounters.length; index++)
      counters.set(index, stats[diskCounters[index] as (typeof diskCounters)[number]]);
  return counters;
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
  limits,
}: Partial<BlockDevice>): Omit<DiskReading, 'device' | 'counters'> {
  return {
    ...(capacity !== undefined && { capacity }),
    ...(occupied !== undefined && { allocation: occupied }),
    ...(path !== undefined && { path }),
    ...(limits !== undefined && { limits }),
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
      shortText(device) !== undefined && !NO_DISK.test(driver) && !NO_DISK_NAME.test(device),
  );
  if (disks.length > MOST_BACKENDS) return [];
  return disks.map(({ device, path }) => ({
    device: ownName(device, taken),
    ...(path !== undefined && { path }),
  }));
}
