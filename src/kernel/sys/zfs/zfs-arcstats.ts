import { ascii, badLine, findLine, requireWholeLines } from '../../base/content.ts';
import type { Cursor } from '../../base/cursor.ts';

const EXPECTED = 'a line like "size                            4    1073741824"';
const SIZE = ascii('size ');
const MINIMUM = ascii('c_min ');

/** Bytes that the ZFS cache (ARC) takes, and those that it keeps however short memory is; NaN where not told. */
export class ArcStats {
  size = NaN;
  minimum = NaN;
}

/**
 * Parses /proc/spl/kstat/zfs/arcstats (OpenZFS, kstat of named values: name, type, data), of which only
 * `size                            4    1073741824` and `c_min` are read.
 * @throws KernelFormatError
 */
export function parseArcstats(cursor: Cursor, into: ArcStats, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  into.size = valueOf(SIZE, cursor);
  if (Number.isNaN(into.size)) throw badLine(cursor, path, EXPECTED, 0);
  into.minimum = valueOf(MINIMUM, cursor);
}

function valueOf(name: Uint8Array, cursor: Cursor): number {
  cursor.pos = 0;
  if (!findLine(cursor, name)) return NaN;
  cursor.skipWord();
  return cursor.int();
}
