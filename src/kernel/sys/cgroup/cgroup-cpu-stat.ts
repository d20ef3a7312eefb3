import { ascii } from '../../base/content.ts';
import { Counters } from '../../base/counters.ts';
import type { Cursor } from '../../base/cursor.ts';
import { parseKeyedLines } from '../../base/keyed-lines.ts';

/**
 * CPU time used, time that a limit (cpu.max) held the cgroup back, both in microseconds, and the number of periods in
 * which there was a limit, and in which it held back. Without the cpu controller only usage is known.
 */
export const cgroupCpuStatCounters = {
  usageUsec: 0,
  nrPeriods: 1,
  nrThrottled: 2,
  throttledUsec: 3,
} as const;

const KEYS = ['usage_usec', 'nr_periods', 'nr_throttled', 'throttled_usec'].map((name) => ascii(`${name} `));

/** What cpu.stat of a cgroup tells. */
export class CgroupCpuStat {
  /** See {@link cgroupCpuStatCounters}. */
  readonly counters = new Counters(KEYS.length);
}

/**
 * Parses cpu.stat of a cgroup v2 (Documentation/admin-guide/cgroup-v2.rst), lines such as `usage_usec 260373554`.
 * @throws KernelFormatError
 */
export function parseCgroupCpuStat(cursor: Cursor, into: CgroupCpuStat, path: string): void {
  parseKeyedLines(cursor, KEYS, into.counters, path, 'lines like "usage_usec 260373554"');
}
