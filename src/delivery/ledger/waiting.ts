import type { QueueSettings } from '../settings.ts';
import type { Entry } from './entry.ts';
import { Fifo } from './fifo.ts';
import type { Ledger } from './ledger.ts';
import { RecordQueue } from './queue.ts';

/** Bytes that were handed over and wait again in memory, at most; or as many as the queue holds. */
export const returnedBytes = 16 << 20;
/** A record that waits longer than this (ms) is spooled even while the peer accepts records. */
const patience = 5000;

/** What waits in memory: a queue of new records, and before it those that were handed over and came back. */
export class WaitingRecords {
  readonly queue: RecordQueue;
  /** The oldest first. */
  private readonly returned = new Fifo<Entry>();
  private returnedSize = 0;

  constructor(
    settings: QueueSettings,
    private readonly ledger: Ledger,
  ) {
    this.queue = new RecordQueue(settings, ledger);
  }

  get length(): number {
    return this.queue.length + this.returned.length;
  }

  get bytes(): number {
    return this.queue.bytes + this.returnedSize;
  }

  /** Whether more waits, or longer, than where the peer takes what comes. */
  get presses(): boolean {
    return this.queue.isHalfFull || performance.now() - this.oldest > patience;
  }

  /** When the oldest one was taken, ms of the monotonic clock; Infinity when none waits. */
  get oldest(): number {
    return Math.min(this.queue.front?.since ?? Infinity, this.returned.at(0)?.since ?? Infinity);
  }

  /** The oldest one. */
  get front(): Entry | undefined {
    return this.returned.at(0) ?? this.queue.front;
  }

  /** Takes the oldest one. */
  shift(): Entry | undefined {
    return this.takeReturned() ?? this.queue.shift();
  }

  /** The oldest one that was handed over before, where its ordinal is below `end`. */
  takeReturned(end = Infinity): Entry | undefined {
    if ((this.returned.at(0)?.ordinal ?? Infinity) >= end) return undefined;
    const entry = this.returned.shift();
    if (entry !== undefined) this.returnedSize -= entry.bytes.length;
    return entry;
  }

  /** Takes the oldest ones, until they have so many bytes. */
  takeBatch(most: number): Entry[] {
    const batch: Entry[] = [];
    for (let bytes = 0; bytes < most;) {
      const entry = this.shift();
      if (entry === undefined) break;
      batch.push(entry);
      bytes += entry.bytes.length;
    }
    return batch;
  }

  /** Puts records back that were taken out to be handed over or spooled. */
  putBack(entries: readonly Entry[]): void {
    this.putReturned(entries.filter(({ ordinal }) => this.ledger.tried(ordinal)));
    this.queue.unshift(entries.filter(({ ordinal }) => !this.ledger.tried(ordinal)));
  }

  /** Adds to what waits to be handed over again, in order; what exceeds the limit is dropped. */
  private putReturned(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const all = [...entries];
    for (let entry = this.returned.shift(); entry !== undefined; entry = this.returned.shift())
      all.push(entry);
    all.sort((a, b) => a.ordinal - b.ordinal);
    for (const entry of all) this.returned.push(entry);
    this.returnedSize += sizeOf(entries);
    while (this.returnedSize > Math.max(returnedBytes, this.queue.settings.maxBytes)) {
      const oldest = this.takeReturned();
      if (oldest === undefined) return;
      this.ledger.drop(oldest.ordinal, 'unconfirmed');
    }
  }
}

export function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
