import { columns } from '../catalogue/catalogue.ts';
import type { CollectorName } from '../catalogue/catalogue.ts';
import { perScope } from '../catalogue/define.ts';
import type { PerScope, Scope } from '../catalogue/define.ts';
import type { RootScope } from '../catalogue/entities.ts';
import type { Row } from '../catalogue/row.ts';
import { partsOf } from '../catalogue/row-tree.ts';
import type { Part } from '../catalogue/row-tree.ts';
import { endOfValue } from '../delivery/file/msgpack-end.ts';
import { recordedFields } from './fields.ts';
import type { Field } from './fields.ts';

/** Keys of a scope that are remembered; those of a stranger's may be others each time. */
const MOST_KEYS = 512;
/** Bytes of a key that is remembered; ours are shorter. */
const LONGEST_KEY = 64;

/** A key of an object, as it stands in the bytes, and what it means. */
interface Key {
  readonly bytes: Uint8Array;
  readonly field: Field | undefined;
  /** The list of parts that it holds. */
  readonly part: Part | undefined;
  /** The key that followed it last time. */
  next: Key | undefined;
}

/** The keys of a scope, and of which of its texts a row has been told. */
interface Keys {
  readonly byName: Map<string, Key>;
  /** Stands before the first one. */
  readonly start: Key;
  readonly textSlots: readonly number[];
  /** By slot: the number of the row in which it was set last. */
  readonly setIn: Int32Array;
}

/**
 * Fills rows from whole MessagePack values in a buffer, without objects in between. Samples of one run have the same keys in
 * the same order and mostly the same texts: both are compared with those before, and made only where they differ.
 * What it reads must have been found to be whole (msgpack-ends.ts), which keeps every read within the buffer.
 */
export class PackedRows {
  /** Where the next value begins. */
  at = 0;
  /** The collectors that set something. */
  readonly ran = new Set<CollectorName>();
  private bytes: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private readonly keys: PerScope<Keys> = perScope(keysOf);
  private rowNumber = 0;

  /** Begins with another buffer. */
  open(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** How many entries the map has that begins here, and goes to the first one; -1 for another value, which is passed over. */
  mapSize(): number {
    return this.size(0x80, 0xde);
  }

  /** How many items the array has that begins here, and goes to the first one; -1 for another value, which is passed over. */
  arraySize(): number {
    return this.size(0x90, 0xdc);
  }

  /** Passes over the value that begins here. */
  skip(): void {
    this.at = endOfValue(this.bytes, this.at) ?? this.bytes.length;
  }

  /** The text that begins here, and goes behind it; undefined for another value, which is passed over. */
  text(): string | undefined {
    const length = this.textLength();
    if (length < 0) {
      this.skip();
      return undefined;
    }
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  /** The number that begins here, and goes behind it; NaN for another value, which is passed over. */
  number(): number {
    const { view, at } = this;
    const type = view.getUint8(at);
    if (type < 0x80 || type >= 0xe0) {
      this.at++;
      return type < 0x80 ? type : type - 0x100;
    }
    switch (type) {
      case 0xca:
        this.at += 5;
        return view.getFloat32(at + 1);
      case 0xcb:
        this.at += 9;
        return view.getFloat64(at + 1);
      case 0xcc:
        this.at += 2;
        return view.getUint8(at + 1);
      case 0xcd:
        this.at += 3;
        return view.getUint16(at + 1);
      case 0xce:
        this.at += 5;
        return view.getUint32(at + 1);
      case 0xcf:
        this.at += 9;
        return Number(view.getBigUint64(at + 1));
      case 0xd0:
        this.at += 2;
        return view.getInt8(at + 1);
      case 0xd1:
        this.at += 3;
        return view.getInt16(at + 1);
      case 0xd2:
        this.at += 5;
        return view.getInt32(at + 1);
      case 0xd3:
        this.at += 9;
        return Number(view.getBigInt64(at + 1));
      default:
        this.skip();
        return NaN;
    }
  }

  /**
   * Fills a row from the map that begins here, and goes behind it. What the catalogue does not know, or has as another type, is
   * passed over.
   *
   * @param fillPart is called where a list of parts begins, and has to go behind it
   * @returns false for a value that is no map
   */
  fill(row: Row, interval: number, fillPart?: (part: Part) => void): boolean {
    const size = this.mapSize();
    row.values.fill(NaN);
    const { start, textSlots, setIn } = this.keys[row.scope];
    const number = ++this.rowNumber;
    let key = start;
    for (let entry = 0; entry < size; entry++) {
      key = this.key(row.scope, key);
      const { field, part } = key;
      if (part !== undefined && fillPart !== undefined) fillPart(part);
      else if (field === undefined) this.skip();
      else if (field.text) {
        const text = this.textLike(row.texts[field.slot]);
        if (text === undefined) continue;
        row.texts[field.slot] = text;
        setIn[field.slot] = number;
        this.ranFor(field);
      } else {
        const value = this.number();
        if (!Number.isFinite(value)) continue;
        row.values[field.slot] = field.restore === undefined ? value : field.restore(value, interval);
        this.ranFor(field);
      }
    }
    for (const slot of textSlots) if (setIn[slot] !== number) row.texts[slot] = undefined;
    return size >= 0;
  }

  private ranFor({ collector }: Field): void {
    if (collector !== undefined) this.ran.add(collector);
  }

  /** The key that begins here: mostly the one that followed the one before it last time. */
  private key(scope: Scope, before: Key): Key {
    const { bytes, at } = this;
    const { next } = before;
    if (next !== undefined && startsWith(bytes, at, next.bytes)) {
      this.at += next.bytes.length;
      return next;
    }
    const name = this.text() ?? '';
    const { byName } = this.keys[scope];
    const known = byName.get(name) ?? keyOf(scope, name, bytes.subarray(at, this.at));
    if (byName.size < MOST_KEYS && this.at - at <= LONGEST_KEY) {
      byName.set(name, known);
      before.next = known;
    }
    return known;
  }

  /** {@link text}, which is `old` where it is the same. */
  textLike(old: string | undefined): string | undefined {
    const { bytes, at } = this;
    if (old === undefined) return this.text();
    const length = this.textLength();
    if (length < 0) {
      this.skip();
      return undefined;
    }
    const from = this.at;
    this.at += length;
    if (old.length === length) {
      let same = 0;
      while (same < length && old.charCodeAt(same) === bytes[from + same] && (bytes[from + same] ?? 0) < 0x80)
        same++;
      if (same === length) return old;
    }
    this.at = at;
    return this.text();
  }

  /** Bytes of the text that begins here, and goes to the first; -1 for another value, at which it stays. */
  private textLength(): number {
    const { view, at } = this;
    const type = view.getUint8(at);
    if (type >= 0xa0 && type < 0xc0) {
      this.at = at + 1;
      return type & 0x1f;
    }
    switch (type) {
      case 0xd9:
        this.at = at + 2;
        return view.getUint8(at + 1);
      case 0xda:
        this.at = at + 3;
        return view.getUint16(at + 1);
      case 0xdb:
        this.at = at + 5;
        return view.getUint32(at + 1);
      default:
        return -1;
    }
  }

  /** @param small the type of the empty one @param large the type of one whose size has 16 bits, before that of 32 */
  private size(small: number, large: number): number {
    const { view, at } = this;
    const type = view.getUint8(at);
    if (type >= small && type < small + 0x10) {
      this.at = at + 1;
      return type - small;
    }
    if (type === large) {
      this.at = at + 3;
      return view.getUint16(at + 1);
    }
    if (type === large + 1) {
      this.at = at + 5;
      return view.getUint32(at + 1);
    }
    this.skip();
    return -1;
  }
}

function keysOf(scope: Scope): Keys {
  const all = columns(scope);
  return {
    byName: new Map(),
    start: keyOf(scope, '', Buffer.alloc(0)),
    textSlots: all.filter(({ kind }) => kind === 'text').map(({ slot }) => slot),
    setIn: new Int32Array(all.length),
  };
}

function keyOf(scope: Scope, name: string, bytes: Buffer): Key {
  // What is itself a part has none.
  const part = partsOf(scope as RootScope).find(({ list }) => list === name);
  return { bytes: Uint8Array.from(bytes), field: recordedFields[scope].get(name), part, next: undefined };
}

function startsWith(bytes: Buffer, at: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++)
    if (bytes[at + index] !== expected[index]) return false;
  return true;
}
