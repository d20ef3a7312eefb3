import { ascii } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';
import { parseKeyedLines } from '../base/keyed-lines.ts';

/** Pages that were read from swap and written to it since boot. */
export const vmstatCounters = { pswpin: 0, pswpout: 1 } as const;

const KEYS = Object.keys(vmstatCounters).map((name) => ascii(`${name} `));

/** What of /proc/vmstat is read. */
export class VmStat {
  /** See {@link vmstatCounters}. */
  readonly counters = new Counters(KEYS.length);
}

/**
 * Parses /proc/vmstat (proc(5)), lines such as `pswpin 4711`. A kernel without swap has none of them.
 * @throws KernelFormatError
 */
export function parseVmStat(cursor: Cursor, into: VmStat, path: string): void {
  parseKeyedLines(cursor, KEYS, into.counters, path, 'lines like "pswpin 4711"');
}
