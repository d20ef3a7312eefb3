import { ascii, badLine, findLine, requireWholeLines } from '../base/content.ts';
import type { Cursor } from '../base/cursor.ts';

const EXPECTED = 'a line like "size                            4    1073741824"';
const SIZE = ascii('size ');

/**
 * Parses /proc/spl/kstat/zfs/arcstats (OpenZFS, kstat of named values: name, type, data), of which only
 * `size                            4    1073741824` is read.
 * @returns bytes that the ZFS cache (ARC) takes
 * @throws KernelFormatError
 */
export function parseArcstats(cursor: Cursor, path: string): number {
  requireWholeLines(cursor, path, EXPECTED);
  if (!findLine(cursor, SIZE)) throw badLine(cursor, path, EXPECTED, 0);
  const start = cursor.pos;
  cursor.skipWord();
  const size = cursor.int();
  if (Number.isNaN(size)) throw badLine(cursor, path, EXPECTED, start - SIZE.length);
  return size;
}
