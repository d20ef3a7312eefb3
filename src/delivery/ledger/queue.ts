import type { QueueSettings } from '../settings.ts';
import type { Entry } from './entry.ts';
import { Fifo } from './fifo.ts';
import type { Ledger } from './ledger.ts';

/** Records that wait in memory and were never handed over, bounded in bytes. What does not fit is dropped. */
export class RecordQueue {
  private readonly records = new Fifo<Entry>();
  private heldBytes = 0;

  constructor(
    public settings: QueueSettings,
    private readonly ledger: Ledger,
  ) {}

  get length(): number {
    return this.records.length;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  get isHalfFull(): boolean {
    return this.heldBytes > this.settings.maxBytes / 2;
  }

  /** The record at the front; undefined when the queue is empty. */
  get front(): Entry | undefined {
    return this.records.at(0);
  }

  /**
   * Takes a record; one that is larger than the whole queue is dropped and displaces no other.
   *
   * @param since ms of the monotonic clock
   */
  push(bytes: Buffer, since: number): void {
    const { maxBytes, whenFull } = this.settings;
    if (bytes.length > maxBytes) {
      this.ledger.refuse('too_large');
      return;
    }
    if (whenFull === 'drop_newest' && this.heldBytes + bytes.length > maxBytes) {
      this.ledger.refuse('queue_full');
      return;
    }
    while (this.heldBytes + bytes.length > maxBytes) {
      const oldest = this.shift();
      if (oldest !== undefined) this.ledger.drop(oldest.ordinal, 'queue_full');
    }
    this.records.push({ ordinal: this.ledger.push(), bytes, since, stored: false });
    this.heldBytes += bytes.length;
  }

  /** Gives out the oldest record. */
  shift(): Entry | undefined {
    const entry = this.records.shift();
    if (entry !== undefined) this.heldBytes -= entry.bytes.length;
    return entry;
  }

  /** Puts records back that were taken out, the oldest first; they are older than all others. */
  unshift(entries: readonly Entry[]): void {
    for (let index = entries.length - 1; index >= 0; index--) {
      const entry = entries[index] as Entry;
      this.records.unshift(entry);
      this.heldBytes += entry.bytes.length;
    }
  }
}
