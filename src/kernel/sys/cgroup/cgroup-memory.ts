import { ascii } from '../../base/content.ts';
import { Counters } from '../../base/counters.ts';
import type { Cursor } from '../../base/cursor.ts';
import { parseKeyedLines } from '../../base/keyed-lines.ts';

/** Bytes of the page cache, tmpfs and shared memory included, and page faults that waited for a disk. */
export const cgroupMemoryStatCounters = { file: 0, pgmajfault: 1 } as const;
const STAT_KEYS = ['file', 'pgmajfault'].map((name) => ascii(`${name} `));

/** What memory.stat of a cgroup tells, as far as it is used. */
export class CgroupMemoryStat {
  /** See {@link cgroupMemoryStatCounters}. */
  readonly counters = new Counters(STAT_KEYS.length);
}

/**
 * Parses memory.stat of a cgroup v2 (Documentation/admin-guide/cgroup-v2.rst), lines such as `file 1658880`. Which lines
 * there are depends on the kernel.
 * @throws KernelFormatError
 */
export function parseCgroupMemoryStat(cursor: Cursor, into: CgroupMemoryStat, path: string): void {
  parseKeyedLines(cursor, STAT_KEYS, into.counters, path, 'lines like "file 1658880"');
}

/** Processes that the kernel killed because the cgroup had reached its limit, or the host had no memory left. */
export const cgroupMemoryEventsCounters = { oomKill: 0 } as const;
const EVENT_KEYS = [ascii('oom_kill ')];

/** What memory.events of a cgroup tells of it and of all below, as far as it is used. */
export class CgroupMemoryEvents {
  /** See {@link cgroupMemoryEventsCounters}. */
  readonly counters = new Counters(EVENT_KEYS.length);
}

/**
 * Parses memory.events of a cgroup v2, lines such as `oom_kill 1`. memory.events.local would leave out the cgroups below.
 * @throws KernelFormatError
 */
export function parseCgroupMemoryEvents(cursor: Cursor, into: CgroupMemoryEvents, path: string): void {
  parseKeyedLines(cursor, EVENT_KEYS, into.counters, path, 'lines like "oom_kill 0"');
}
