import type { Cursor } from './cursor.ts';

const NEWLINE = 0x0a;

/** A row of a kernel table that is known by its name. The object lives as long as the kernel lists the name. */
export class NamedRow {
  readonly name: string;

  /** @param bytes the name as the kernel writes it; need not be valid UTF-8 */
  constructor(readonly bytes: Uint8Array) {
    this.name = Buffer.from(bytes).toString('utf8');
  }
}

/**
 * The rows of a table whose lines are named, such as net/dev and diskstats. As long as the kernel lists the same
 * names in the same order, a row is found by comparing the bytes of its name with the line: no string is made.
 *
 * One read is {@link begin}, {@link row} for every line, {@link end}.
 */
export class NamedRows<Row extends NamedRow> {
  /** The rows of the last read, in the order of their lines. */
  readonly rows: Row[] = [];
  private byName = new Map<string, Row>();
  private next = 0;
  private changed = false;

  /** @param create makes the row of a name that was not there at the last read */
  constructor(private readonly create: (bytes: Uint8Array) => Row) {}

  get(name: string): Row | undefined {
    return this.byName.get(name);
  }

  begin(): void {
    this.next = 0;
  }

  /**
   * The row whose name stands at the cursor, followed by the byte `delimiter`; moves behind both. Undefined where the
   * line has no name or no delimiter.
   */
  row(cursor: Cursor, delimiter: number): Row | undefined {
    const expected = this.rows[this.next];
    if (expected !== undefined && takeName(cursor, expected, delimiter)) {
      this.next++;
      return expected;
    }
    return this.moved(cursor, delimiter) ?? this.added(cursor, delimiter);
  }

  /** Drops the rows that had no line since {@link begin}. */
  end(): void {
    if (this.next < this.rows.length) {
      this.rows.length = this.next;
      this.changed = true;
    }
    if (!this.changed) return;
    this.byName = new Map(this.rows.map((row) => [row.name, row]));
    this.changed = false;
  }

  /** A row that is listed at another place than last time, because one before it came or went. */
  private moved(cursor: Cursor, delimiter: number): Row | undefined {
    const { rows, next } = this;
    for (let i = 1; i <= rows.length; i++) {
      const at = (next + i) % rows.length;
      const row = rows[at] as Row;
      if (!takeName(cursor, row, delimiter)) continue;
      // A row before `next` was listed twice, which happens when the list changes while it is read.
      if (at > next) {
        rows[at] = rows[next] as Row;
        rows[next] = row;
        this.next++;
      }
      return row;
    }
    return undefined;
  }

  private added(cursor: Cursor, delimiter: number): Row | undefined {
    const { bytes, end, pos: start } = cursor;
    let stop = start;
    while (stop < end && bytes[stop] !== delimiter && bytes[stop] !== NEWLINE) stop++;
    if (stop === start || bytes[stop] !== delimiter) return undefined;
    const row = this.create(new Uint8Array(bytes.subarray(start, stop)));
    cursor.pos = stop + 1;
    this.rows.splice(this.next++, 0, row);
    this.changed = true;
    return row;
  }
}

/** Moves behind the name of `row` and the delimiter where both stand at the cursor. */
function takeName(cursor: Cursor, row: NamedRow, delimiter: number): boolean {
  const start = cursor.pos;
  if (!cursor.take(row.bytes)) return false;
  if (cursor.pos < cursor.end && cursor.bytes[cursor.pos] === delimiter) {
    cursor.pos++;
    return true;
  }
  cursor.pos = start;
  return false;
}
