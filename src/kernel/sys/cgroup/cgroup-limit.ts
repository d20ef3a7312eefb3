import { ascii, badLine, requireWholeLines } from '../../base/content.ts';
import type { Cursor } from '../../base/cursor.ts';

const NEWLINE = 0x0a;
const MAX = ascii('max');
const LIMIT = 'one whole number or "max"';
const CPU_LIMIT = 'a line like "20000 100000" or "max 100000"';

/**
 * Parses a file that holds a limit of a cgroup v2, such as memory.max (Documentation/admin-guide/cgroup-v2.rst).
 * @returns the limit; Infinity for `max`, where there is none
 * @throws KernelFormatError
 */
export function parseCgroupLimit(cursor: Cursor, path: string): number {
  requireWholeLines(cursor, path, LIMIT);
  const limit = cursor.take(MAX) ? Infinity : cursor.int();
  if (!(limit >= 0) || cursor.bytes[cursor.pos] !== NEWLINE) throw badLine(cursor, path, LIMIT, 0);
  return limit;
}

/**
 * Parses cpu.max of a cgroup v2: microseconds that it may run in each period, and the length of a period.
 * @returns the CPUs that it may use at most, such as 0.2; Infinity for `max`
 * @throws KernelFormatError
 */
export function parseCpuMax(cursor: Cursor, path: string): number {
  requireWholeLines(cursor, path, CPU_LIMIT);
  const quota = cursor.take(MAX) ? Infinity : cursor.int();
  const period = cursor.int();
  if (!(quota >= 0 && period > 0) || cursor.bytes[cursor.pos] !== NEWLINE)
    throw badLine(cursor, path, CPU_LIMIT, 0);
  return quota / period;
}
