import { badLine, requireWholeLines } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';

/** Page faults, and ticks (1/100 s); cminflt and cmajflt are those of children that were waited for. */
export const pidStatCounters = {
  minflt: 0,
  cminflt: 1,
  majflt: 2,
  cmajflt: 3,
  utime: 4,
  stime: 5,
  blkioTicks: 6,
} as const;

/** What /proc/<pid>/stat tells. */
export class PidStat {
  /** R running, S sleeping, D waiting for the disk, Z zombie, T stopped, ... */
  state = '';
  threads = NaN;
  /** Ticks from boot to the start of the process: with the pid it identifies the process. */
  startTime = NaN;
  /** Virtual size in bytes. */
  vsize = NaN;
  /** Resident pages. */
  rss = NaN;
  /** See {@link pidStatCounters}. */
  readonly counters = new Counters(Object.keys(pidStatCounters).length);
}

const PARENTHESIS = 0x29;
const EXPECTED = 'a line like "2248 (kvm) S 1 2248 ..." with 24 columns at least';

/**
 * Parses /proc/<pid>/stat (Documentation/filesystems/proc.rst, table 1-4), such as
 *
 *     2248 (kvm) S 1 2248 2248 0 -1 138412416 71012 0 5 0 6911 2302 0 0 20 0 7 0 4521 5123874816 261903 ...
 *
 * The name in parentheses is the process's own choice and may hold blanks and parentheses; no column behind it can.
 * @throws KernelFormatError
 */
export function parsePidStat(cursor: Cursor, into: PidStat, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  const { bytes, end } = cursor;
  const { counters } = into;
  const nameEnd = bytes.lastIndexOf(PARENTHESIS, end - 1);
  if (nameEnd < 0) throw badLine(cursor, path, EXPECTED, 0);
  cursor.pos = nameEnd + 1;

  cursor.skipBlanks();
  into.state = String.fromCharCode(bytes[cursor.pos] as number);
  cursor.skipWord();
  skipColumns(cursor, 6); // ppid pgrp session tty_nr tpgid flags
  counters.read(pidStatCounters.minflt, cursor);
  counters.read(pidStatCounters.cminflt, cursor);
  counters.read(pidStatCounters.majflt, cursor);
  counters.read(pidStatCounters.cmajflt, cursor);
  counters.read(pidStatCounters.utime, cursor);
  counters.read(pidStatCounters.stime, cursor);
  skipColumns(cursor, 4); // cutime cstime priority nice
  into.threads = cursor.int();
  skipColumns(cursor, 1); // itrealvalue
  into.startTime = cursor.int();
  into.vsize = cursor.int();
  into.rss = cursor.int();
  if (Number.isNaN(into.rss)) throw badLine(cursor, path, EXPECTED, 0);
  skipColumns(cursor, 17); // rsslim to policy
  counters.read(pidStatCounters.blkioTicks, cursor);
}

function skipColumns(cursor: Cursor, count: number): void {
  for (let i = 0; i < count; i++) cursor.skipWord();
}
