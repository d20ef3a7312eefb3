import { ascii, badLine, requireWholeLines } from '../base/content.ts';
import type { Cursor } from '../base/cursor.ts';
import { NamedRow, NamedRows } from '../base/named-rows.ts';

const COLON = 0x3a;
const KILOBYTE = ascii('kB');

/** A line of meminfo; slot is the place of its value, -1 for a line that nobody asked for. */
class MemInfoLine extends NamedRow {
  constructor(
    bytes: Uint8Array,
    readonly slot: number,
  ) {
    super(bytes);
  }
}

/** The wanted lines of /proc/meminfo. */
export class MemInfo {
  /** Bytes, or a count for lines without unit; parallel to the names, NaN for a line that this kernel lacks. */
  readonly values: Float64Array;
  readonly lines: NamedRows<MemInfoLine>;

  /** @param names as the kernel writes them: MemTotal, Active(anon), HugePages_Total, ... */
  constructor(names: readonly string[]) {
    this.values = new Float64Array(names.length).fill(NaN);
    this.lines = new NamedRows(
      (bytes) => new MemInfoLine(bytes, names.indexOf(Buffer.from(bytes).toString())),
    );
  }

  /** Takes the value of the line that the cursor stands at, if it is wanted, and moves to the next line. */
  take(cursor: Cursor): void {
    const slot = this.lines.row(cursor, COLON)?.slot ?? -1;
    if (slot >= 0) {
      const value = cursor.int();
      cursor.skipBlanks();
      this.values[slot] = cursor.take(KILOBYTE) ? value * 1024 : value;
    }
    cursor.skipLine();
  }
}

const EXPECTED = 'lines like "MemTotal:       32858820 kB"';
const MEM_TOTAL = ascii('MemTotal:');

/**
 * Parses /proc/meminfo (Documentation/filesystems/proc.rst), such as
 *
 *     MemTotal:       32858820 kB
 *     HugePages_Total:       0
 *
 * @throws KernelFormatError
 */
export function parseMemInfo(cursor: Cursor, into: MemInfo, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  if (!cursor.take(MEM_TOTAL)) throw badLine(cursor, path, EXPECTED, 0);
  cursor.pos = 0;

  into.values.fill(NaN);
  into.lines.begin();
  while (!cursor.atEnd) into.take(cursor);
  into.lines.end();
}
