import { perScope } from '../../catalogue/define.ts';
import type { Scope } from '../../catalogue/define.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';
import type { ByteWriter } from '../shared/byte-writer.ts';
import type { Column, Read } from '../shared/names.ts';
import { unprintable, wellFormed } from '../../base/strings/printable.ts';
import type { TextCache } from '../shared/text-cache.ts';

/**
 * A text as a JSON string (RFC 8259), whatever it holds: control and invisible characters that JSON allows are escaped, and
 * half of a surrogate pair, which strict readers refuse even escaped, becomes U+FFFD.
 */
export function quote(text: string): string {
  return visible(JSON.stringify(wellFormed(text)));
}

/** JSON without indentation; control and invisible characters in its strings are escaped. */
export function visible(json: string): string {
  return json.replace(unprintable, escaped);
}

/** The escape of a character, or the two of a surrogate pair. */
function escaped(character: string): string {
  return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Of a column what writing takes, with its key rendered once: `,"id":`. Of one shape, which V8 makes short code for. */
class Member {
  readonly key: Buffer;
  readonly text: boolean;
  readonly slot: number;
  readonly read: Read | undefined;

  constructor({ id, text, slot, read }: Column) {
    this.key = Buffer.from(`,${quote(id)}:`);
    this.text = text;
    this.slot = slot;
    this.read = read;
  }
}

/** Writes rows of one scope as members of a JSON object. */
export class JsonRow {
  private readonly members: readonly Member[];
  private readonly quoted: TextCache;

  /** @param quoted of {@link quote}, shared by the rows of one printer */
  constructor(columns: readonly Column[], quoted: TextCache) {
    this.members = columns.map((column) => new Member(column));
    this.quoted = quoted;
  }

  /** Whether it has nothing to write, ever. */
  get empty(): boolean {
    return this.members.length === 0;
  }

  /** Writes `,"id":value` for each value that is known; NaN and infinities are not. */
  write(out: ByteWriter, { values, texts }: Row, interval: number): void {
    for (const { key, text, slot, read } of this.members) {
      if (text) {
        const value = texts[slot];
        if (value === undefined) continue;
        out.append(key);
        out.append(this.quoted.bytes(value));
      } else {
        const value = read === undefined ? (values[slot] ?? NaN) : read(values, interval);
        if (!Number.isFinite(value)) continue;
        out.append(key);
        out.number(value);
      }
    }
  }
}

export type JsonRows = Readonly<Record<Scope, JsonRow>>;

/** What writes the rows of each scope, given its columns. */
export function jsonRows(columns: (scope: Scope) => readonly Column[], quoted: TextCache): JsonRows {
  return perScope((scope) => new JsonRow(columns(scope), quoted));
}

const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Makes an object of the members written since `begin`. Each of them starts with a comma; the first comma becomes the
 * brace that opens the object.
 */
export function closeObject(out: ByteWriter, begin: number): void {
  if (out.length === begin) out.byte(OPEN);
  else out.replace(begin, OPEN);
  out.byte(CLOSE);
}

/** Writes the members every line has, which tell when the sample was taken and by which run. */
export function writeSampleMembers(
  out: ByteWriter,
  { time, run, seq, interval }: Sample,
  quoted: TextCache,
): void {
  out.text(`,"@timestamp":"${new Date(time).toISOString()}","schema":1,"run":`);
  out.append(quoted.bytes(run));
  out.text(`,"seq":${seq}`);
  if (!Number.isNaN(interval)) out.text(`,"interval":${Math.round(interval * 1000) / 1000}`);
}
