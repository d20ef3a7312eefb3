import { badLine, requireWholeLines } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';
import { NamedRow, NamedRows } from '../base/named-rows.ts';

/**
 * Operations, sectors of 512 bytes, and ms since boot. readMs and writeMs are summed over parallel operations;
 * weightedMs is the time of all operations in flight; ioMs is the time with any. The kernel lets all ms wrap at 2^32.
 */
export const diskStatsCounters = {
  reads: 0,
  readsMerged: 1,
  sectorsRead: 2,
  readMs: 3,
  writes: 4,
  writesMerged: 5,
  sectorsWritten: 6,
  writeMs: 7,
  ioMs: 8,
  weightedMs: 9,
} as const;
const COLUMNS = Object.keys(diskStatsCounters).length;

/** What the kernel counts of a block device. */
export interface DiskCounts {
  /** See {@link diskStatsCounters}. */
  readonly counters: Counters;
  /** Operations that the device works on now. */
  inFlight: number;
}

/** A record to read {@link DiskCounts} into. */
export function diskCounts(): DiskCounts {
  return { counters: new Counters(COLUMNS), inFlight: NaN };
}

/** A block device of the host. */
export class DiskDevice extends NamedRow implements DiskCounts {
  major = NaN;
  minor = NaN;
  readonly counters = new Counters(COLUMNS);
  inFlight = NaN;
}

/** All block devices: disks, partitions, device-mapper, loop, ... */
export class DiskStats extends NamedRows<DiskDevice> {
  constructor() {
    super((bytes) => new DiskDevice(bytes));
  }

  /** In the order of the kernel. */
  get devices(): readonly DiskDevice[] {
    return this.rows;
  }
}

const SPACE = 0x20;
const EXPECTED =
  'lines like "259 0 nvme0n1 255999 814 12369153 47919 996852 81 36123024 425995 0 301795 580470"';

/**
 * Parses /proc/diskstats (Documentation/admin-guide/iostats.rst), such as
 *
 *     259       0 nvme0n1 255999 814 12369153 47919 996852 81 36123024 425995 0 301795 580470 0 0 0 0 60602 106555
 *
 * Kernels since 4.18 add four columns, since 5.5 two more, which are not read. Lines with fewer than 11 columns have
 * another meaning (partitions before 2.6.25): their counters are unknown. An empty file is a host without disks.
 * @throws KernelFormatError
 */
export function parseDiskStats(cursor: Cursor, into: DiskStats, path: string): void {
  if (!cursor.atEnd) requireWholeLines(cursor, path, EXPECTED);
  into.begin();
  while (!cursor.atEnd) {
    parseLine(cursor, into, path);
    cursor.skipLine();
  }
  into.end();
}

function parseLine(cursor: Cursor, into: DiskStats, path: string): void {
  const start = cursor.pos;
  const major = cursor.uint();
  const minor = cursor.uint();
  cursor.skipBlanks();
  const device = Number.isNaN(major + minor) ? undefined : into.row(cursor, SPACE);
  if (device === undefined) throw badLine(cursor, path, EXPECTED, start);

  device.major = major;
  device.minor = minor;
  readCounts(cursor, device);
}

/** The columns that /proc/diskstats has behind the name of a device, and its own file `stat` in sysfs by themselves. */
function readCounts(cursor: Cursor, into: DiskCounts): void {
  const { counters } = into;
  for (let i = 0; i < COLUMNS; i++) {
    if (i === diskStatsCounters.ioMs) into.inFlight = cursor.int();
    counters.read(i, cursor);
  }
  if (Number.isNaN(counters.value(diskStatsCounters.weightedMs))) {
    counters.clear();
    into.inFlight = NaN;
  }
}

const EXPECTED_STAT = 'one line like "  255999  814 12369153  47919  996852 ..." with at least 11 columns';

/**
 * Parses /sys/dev/block/<major>:<minor>/stat (Documentation/block/stat.rst), the same columns for one device. To read that
 * takes a few microseconds, however many devices there are.
 * @throws KernelFormatError
 */
export function parseBlockStat(cursor: Cursor, into: DiskCounts, path: string): void {
  requireWholeLines(cursor, path, EXPECTED_STAT);
  const start = cursor.pos;
  readCounts(cursor, into);
  if (Number.isNaN(into.inFlight)) throw badLine(cursor, path, EXPECTED_STAT, start);
}
