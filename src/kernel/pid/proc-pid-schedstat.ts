import { badLine, requireWholeLines } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';

/** Time on a CPU and time runnable but waiting for one, both in ns, and the number of times it got one. */
export const schedstatCounters = { run: 0, wait: 1, timeslices: 2 } as const;
const COLUMNS = Object.keys(schedstatCounters).length;

/** Room that the file takes at most: three numbers of 64 bits. */
export const SCHEDSTAT_ROOM = 64;

/** What schedstat of a process or thread tells. */
export class Schedstat {
  /** See {@link schedstatCounters}. */
  readonly counters = new Counters(COLUMNS);
}

const EXPECTED = 'a line of three numbers like "137420894 7653920 1247"';

/**
 * Parses /proc/<pid>/schedstat or /proc/<pid>/task/<tid>/schedstat (Documentation/scheduler/sched-stats.rst), such as
 * `137420894 7653920 1247`. A kernel that keeps no statistics writes `0 0 0`.
 * @throws KernelFormatError
 */
export function parsePidSchedstat(cursor: Cursor, into: Schedstat, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  const { pos: start } = cursor;
  for (let i = 0; i < COLUMNS; i++) into.counters.read(i, cursor);
  if (Number.isNaN(into.counters.value(schedstatCounters.timeslices)))
    throw badLine(cursor, path, EXPECTED, start);
}
