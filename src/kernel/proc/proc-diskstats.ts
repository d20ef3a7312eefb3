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

/** A block device of the host. */
export class DiskDevice extends NamedRow {
  major = NaN;
  minor = NaN;
  /** See {@link diskStatsCounters}. */
  readonly counters = new Counters(COLUMNS);
  /** Operations that the device works on now. */
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

  const { counters } = device;
  device.major = major;
  device.minor = minor;
  for (let i = 0; i < COLUMNS; i++) {
    if (i === diskStatsCounters.ioMs) device.inFlight = cursor.int();
    counters.read(i, cursor);
  }
  if (Number.isNaN(counters.value(diskStatsCounters.weightedMs))) {
    counters.clear();
    device.inFlight = NaN;
  }
}
