import type { JsonCursor } from './json-cursor.ts';

/** Names that are remembered at most: a line may hold anything. */
const mostNames = 1000;

interface Key {
  readonly bytes: Buffer;
  readonly slot: number;
  /** The name that followed it last time. */
  next: Key | undefined;
}

/**
 * Finds the slots of names. Objects of one kind have nearly the same names in the same order: so the one that followed last
 * time is tried first, which takes neither a string nor a look into a map.
 */
export class KeyTable {
  private readonly known = new Map<string, Key>();
  private readonly first: Key = { bytes: Buffer.alloc(0), slot: -1, next: undefined };
  private last = this.first;

  /** @param slots of the names that are wanted */
  constructor(private readonly slots: ReadonlyMap<string, number>) {}

  /** Another object begins. */
  rewind(): void {
    this.last = this.first;
  }

  /** The slot of the name at which the cursor stands, -1 where it is not wanted; goes to the value. */
  slotAt(cursor: JsonCursor): number {
    const { next } = this.last;
    if (next !== undefined) {
      const { bytes, at } = cursor;
      const wanted = next.bytes;
      const { length } = wanted;
      let same = 0;
      while (same < length && bytes[at + same] === wanted[same]) same++;
      if (same === length) {
        cursor.at = at + length;
        this.last = next;
        return next.slot;
      }
    }
    return this.look(cursor);
  }

  private look(cursor: JsonCursor): number {
    const name = cursor.name();
    let key = this.known.get(name);
    if (key === undefined) {
      key = { bytes: Buffer.from(`${name}":`, 'latin1'), slot: this.slots.get(name) ?? -1, next: undefined };
      if (this.known.size < mostNames) this.known.set(name, key);
    }
    this.last.next = key;
    this.last = key;
    return key.slot;
  }
}
