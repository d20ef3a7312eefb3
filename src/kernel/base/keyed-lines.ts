import { badLine, requireWholeLines } from './content.ts';
import type { Counters } from './counters.ts';
import type { Cursor } from './cursor.ts';

/**
 * Reads lines `key value` into counters. `keys[i]` is what stands before the value of counter i; lines come in any
 * order, unknown ones are skipped, counters without a line become NaN.
 * @throws KernelFormatError when there is no line with a known key
 */
export function parseKeyedLines(
  cursor: Cursor,
  keys: readonly Uint8Array[],
  into: Counters,
  path: string,
  expected: string,
): void {
  requireWholeLines(cursor, path, expected);
  const { pos: start } = cursor;
  into.clear();
  let found = 0;
  while (!cursor.atEnd) {
    // Kernels keep the order of the lines, so the first key tried is nearly always the right one.
    for (let i = 0; i < keys.length; i++) {
      const index = (found + i) % keys.length;
      if (!cursor.take(keys[index] as Uint8Array)) continue;
      into.read(index, cursor);
      found++;
      break;
    }
    cursor.skipLine();
  }
  if (found === 0) throw badLine(cursor, path, expected, start);
}
