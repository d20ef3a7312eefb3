import { handed, type Entry, type Handed } from '../ledger/entry.ts';
import { Fifo } from '../ledger/fifo.ts';

/** Stored records whose ordinals follow each other are noted together, up to so many bytes. */
const chunkBytes = 64 << 10;

interface Chunk {
  first: number;
  count: number;
  readonly entry?: Entry;
  /** Bytes of the connection's records up to its end. */
  end: number;
  bytes: number;
}

/**
 * The records that were handed to a connection and are not known to have arrived. TCP does not say what the peer's
 * application read, so when a connection breaks all of them are sent again on the next one: they arrive at least once. Of
 * records on disk only the ordinals are kept.
 */
export class ResendWindow {
  private readonly chunks = new Fifo<Chunk>();
  private newest: Chunk | undefined;
  /** Bytes of the connection's records so far. */
  private end = 0;
  private added = 0;
  private taken = 0;
  private held = 0;

  /** Bytes of the records that memory has the only copy of. */
  get memoryBytes(): number {
    return this.held;
  }

  /** Whether our kernel took all records. */
  get done(): boolean {
    return this.taken === this.added;
  }

  get empty(): boolean {
    return this.chunks.length === 0;
  }

  /** Notes a record that is handed over, behind all others. */
  add(entry: Entry): void {
    const { length } = entry.bytes;
    const { newest } = this;
    this.end += length;
    this.added++;
    if (!entry.stored) this.held += length;
    const follows = entry.stored && newest !== undefined && newest.entry === undefined;
    if (follows && newest.first + newest.count === entry.ordinal && newest.bytes < chunkBytes) {
      newest.count++;
      newest.bytes += length;
      newest.end = this.end;
    } else {
      this.newest = { ...handed(entry), end: this.end, bytes: length };
      this.chunks.push(this.newest);
    }
  }

  /** Our kernel took the oldest record that it had not. */
  take(): void {
    this.taken++;
  }

  /** Gives out the oldest records, as far as they end within so many bytes of the connection's records. */
  release(bytes: number): Handed[] {
    const released: Handed[] = [];
    for (
      let chunk = this.chunks.at(0);
      chunk !== undefined && chunk.end <= bytes;
      chunk = this.chunks.at(0)
    ) {
      released.push(chunk);
      this.forget();
    }
    return released;
  }

  /** The connection ended: gives out all records, the oldest first, and is empty again. */
  drain(): Handed[] {
    const drained = this.release(Infinity);
    this.newest = undefined;
    this.end = this.added = this.taken = 0;
    return drained;
  }

  private forget(): void {
    const chunk = this.chunks.shift();
    if (chunk?.entry !== undefined) this.held -= chunk.bytes;
    // Nothing is added to removed entries.
    if (chunk === this.newest) this.newest = undefined;
  }
}
