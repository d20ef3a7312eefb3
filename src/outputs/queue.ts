import { Fifo } from './fifo.ts';
import type { QueueSettings } from './settings.ts';

/** Records that wait for a destination, bounded in bytes. What does not fit is given up and counted. */
export class RecordQueue {
  readonly #records = new Fifo<Buffer>();
  #bytes = 0;
  #dropped = 0;
  #passed = 0;

  constructor(readonly settings: QueueSettings) {}

  get length(): number {
    return this.#records.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Records given up: there was no room, or `clear` was called. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Records that ever left the front. The record pushed last leaves as number `passed + length`. */
  get passed(): number {
    return this.#passed;
  }

  /** Takes a record; one that is larger than the whole queue is dropped and drives out no other. */
  push(record: Buffer): void {
    const { maxBytes, whenFull } = this.settings;
    const refused =
      record.length > maxBytes || (whenFull === 'drop_newest' && this.#bytes + record.length > maxBytes);
    if (refused) {
      this.#dropped++;
      return;
    }
    while (this.#bytes + record.length > maxBytes) {
      this.shift();
      this.#dropped++;
    }
    this.#records.push(record);
    this.#bytes += record.length;
  }

  /** Gives out the oldest record. */
  shift(): Buffer | undefined {
    const record = this.#records.shift();
    if (record === undefined) return undefined;
    this.#bytes -= record.length;
    this.#passed++;
    return record;
  }

  /** Gives up all that waits. */
  clear(): void {
    this.#dropped += this.#records.length;
    this.#passed += this.#records.length;
    this.#bytes = 0;
    this.#records.clear();
  }
}
