import { badLine, requireWholeLines } from '../base/content.ts';
import type { Cursor } from '../base/cursor.ts';

/** What /proc/loadavg tells: runnable and uninterruptible tasks, averaged. */
export class LoadAvg {
  load1 = NaN;
  load5 = NaN;
  load15 = NaN;
}

const EXPECTED = 'a line like "0.20 0.18 0.12 1/80 11206"';

/**
 * Parses /proc/loadavg (Documentation/filesystems/proc.rst), such as `0.20 0.18 0.12 1/80 11206`.
 * @throws KernelFormatError
 */
export function parseLoadAvg(cursor: Cursor, into: LoadAvg, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  into.load1 = cursor.decimal();
  into.load5 = cursor.decimal();
  into.load15 = cursor.decimal();
  if (Number.isNaN(into.load1 + into.load5 + into.load15)) throw badLine(cursor, path, EXPECTED, 0);
}
