import { badLine, requireWholeLines } from '../base/content.ts';
import type { Cursor } from '../base/cursor.ts';

const EXPECTED = 'a line like "350735.47 234388.90"';

/**
 * Parses /proc/uptime (Documentation/filesystems/proc.rst), such as `350735.47 234388.90`.
 * @returns seconds since the host booted, time asleep included
 * @throws KernelFormatError
 */
export function parseUptime(cursor: Cursor, path: string): number {
  requireWholeLines(cursor, path, EXPECTED);
  const uptime = cursor.decimal();
  if (Number.isNaN(uptime)) throw badLine(cursor, path, EXPECTED, 0);
  return uptime;
}
