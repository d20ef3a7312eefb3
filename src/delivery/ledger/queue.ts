import type { DropReason } from '../../sampling/output-status.ts';
import type { Heir } from '../destination.ts';
import { Drops } from './drops.ts';
import { newEntry, type Entry } from './entry.ts';
import { Fifo } from './fifo.ts';
import type { QueueSettings } from '../settings.ts';

/** Records that wait for a destination, bounded in bytes. What does not fit is given up and counted. */
export class RecordQueue {
  private readonly records = new Fifo<Entry>();
  private heldBytes = 0;
  private left = 0;

  /** @param drops counts what is given up; a destination counts what it gives up itself there too */
  constructor(
    readonly settings: QueueSettings,
    readonly drops: Drops = new Drops(),
  ) {}

  get length(): number {
    return this.records.length;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** When the record at the front came, ms since 1970; undefined when the queue is empty. */
  get oldest(): number | undefined {
    return this.records.at(0)?.time;
  }

  /** Records that ever left the front. The record pushed last leaves as number `passed + length`. */
  get passed(): number {
    return this.left;
  }

  /**
   * Takes a record; one that is larger than the whole queue is dropped and drives out no other.
   *
   * @param time ms since 1970
   */
  push(record: Buffer, time: number): void {
    const { maxBytes, whenFull } = this.settings;
    if (record.length > maxBytes) {
      this.drops.add('too_large');
      return;
    }
    if (whenFull === 'drop_newest' && this.heldBytes + record.length > maxBytes) {
      this.drops.add('queue_full');
      return;
    }
    while (this.heldBytes + record.length > maxBytes) {
      this.shift();
      this.drops.add('queue_full');
    }
    this.records.push(newEntry(record, time));
    this.heldBytes += record.length;
  }

  /** Gives out the oldest record. */
  shift(): Entry | undefined {
    const entry = this.records.shift();
    if (entry === undefined) return undefined;
    this.heldBytes -= entry.bytes.length;
    this.left++;
    return entry;
  }

  /** Gives up all that waits. */
  clear(reason: DropReason): void {
    this.drops.add(reason, this.records.length);
    this.left += this.records.length;
    this.heldBytes = 0;
    this.records.clear();
  }

  /** Hands all that waits to the heir; gives it up as `stopped` where there is none. */
  end(heir: Heir | undefined): void {
    if (heir === undefined) this.clear('stopped');
    else for (let entry = this.shift(); entry !== undefined; entry = this.shift()) heir(entry.bytes);
  }
}
