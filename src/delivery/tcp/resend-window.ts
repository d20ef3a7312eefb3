import type { Entry } from '../ledger/entry.ts';
import { Fifo } from '../ledger/fifo.ts';

/** How long, and at most how much, of what was handed over is kept to be sent again. */
export interface ResendLimits {
  readonly ms: number;
  readonly bytes: number;
}

/**
 * The records of a connection: those handed over to the socket and, older than these, the last ones that the kernel
 * took. TCP does not say what the peer's application read, so when a connection breaks all of them are sent again on
 * the next one: they arrive at least once.
 */
export class ResendWindow {
  private readonly entries = new Fifo<Entry>();
  /** Records that the kernel took, and their bytes. */
  private taken = 0;
  private takenBytes = 0;
  /** Bytes of this connection that left the window. */
  private releasedBytes = 0;
  private unsentCount = 0;
  private unsentSize = 0;

  constructor(private readonly limits: ResendLimits) {}

  /** Records that the kernel never took whole, on this connection or one before. */
  get unsent(): number {
    return this.unsentCount;
  }

  get unsentBytes(): number {
    return this.unsentSize;
  }

  /** Whether the kernel took all records. */
  get done(): boolean {
    return this.taken === this.entries.length;
  }

  /** Notes a record that is handed over, behind all others. */
  add(entry: Entry): void {
    this.entries.push(entry);
    if (entry.sent) return;
    this.unsentCount++;
    this.unsentSize += entry.bytes.length;
  }

  /** The kernel took the oldest record that it had not. Returns whether it took this one for the first time. */
  take(): boolean {
    const entry = this.entries.at(this.taken);
    if (entry === undefined) return false;
    this.taken++;
    this.takenBytes += entry.bytes.length;
    if (entry.sent) return false;
    entry.sent = true;
    this.unsentCount--;
    this.unsentSize -= entry.bytes.length;
    return true;
  }

  /**
   * Gives out the oldest records: those taken longer than `limits.ms` ago that the peer's kernel has acknowledged, and
   * what the kernel took beyond `limits.bytes`.
   *
   * @param acknowledged bytes of this connection's records that the peer's kernel is known to have
   */
  release(now: number, acknowledged: number, delivered: (entry: Entry) => void): void {
    while (this.taken > 0) {
      const entry = this.entries.at(0) as Entry;
      const { length } = entry.bytes;
      const old = now - entry.handed >= this.limits.ms;
      const arrived = this.releasedBytes + length <= acknowledged;
      if (!(old && arrived) && this.takenBytes <= this.limits.bytes) return;
      this.entries.shift();
      this.taken--;
      this.takenBytes -= length;
      this.releasedBytes += length;
      delivered(entry);
    }
  }

  /** The connection ended: gives out all records, the oldest first, and is as new. */
  drain(): Entry[] {
    const entries: Entry[] = [];
    for (let entry = this.entries.shift(); entry !== undefined; entry = this.entries.shift())
      entries.push(entry);
    this.taken = this.takenBytes = this.releasedBytes = this.unsentCount = this.unsentSize = 0;
    return entries;
  }
}
