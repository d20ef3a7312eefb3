import { Fifo } from './fifo.ts';

/** How long, and at most how much, of what was handed over is kept to be sent again. */
export interface ResendLimits {
  readonly ms: number;
  readonly bytes: number;
}

/**
 * The records of a connection: those on their way to the kernel and, older than these, the last ones that the
 * kernel took. TCP does not say what the peer's application read, so when a connection breaks all of them are sent
 * again on the next one: they arrive at least once.
 *
 * From the oldest on, the records stand in this order: taken by the kernel, handed over to the socket, and (after
 * `rewind`) not yet handed over again.
 */
export class ResendWindow {
  readonly #records = new Fifo<Buffer>();
  /** When each record was handed over on this connection; there are as many as records handed over. */
  readonly #times = new Fifo<number>();
  /** Records that the kernel took on this connection, and their bytes. */
  #taken = 0;
  #takenBytes = 0;
  /** Records that the kernel took on this or an earlier connection. */
  #sent = 0;
  #unsentBytes = 0;
  /** Bytes of this connection that left the window. */
  #releasedBytes = 0;

  constructor(readonly limits: ResendLimits) {}

  /** Records that the kernel never took whole. */
  get unsent(): number {
    return this.#records.length - this.#sent;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Whether the kernel took all records on this connection. */
  get done(): boolean {
    return this.#taken === this.#records.length;
  }

  /** Adds a new record behind all others; `next` gives it out in its turn. */
  add(record: Buffer): void {
    this.#records.push(record);
    this.#unsentBytes += record.length;
  }

  /** The next record to hand over, which counts as handed over from now on. */
  next(now: number): Buffer | undefined {
    const record = this.#records.at(this.#times.length);
    if (record !== undefined) this.#times.push(now);
    return record;
  }

  /** The kernel took the oldest record that it had not. Returns whether it took this one for the first time. */
  take(): boolean {
    const record = this.#records.at(this.#taken);
    if (record === undefined) return false;
    this.#taken++;
    this.#takenBytes += record.length;
    if (this.#taken <= this.#sent) return false;
    this.#sent++;
    this.#unsentBytes -= record.length;
    return true;
  }

  /**
   * Forgets the oldest records: those taken longer than `limits.ms` ago that the peer's kernel has acknowledged, and
   * what the kernel took beyond `limits.bytes`.
   *
   * @param acknowledged bytes of this connection that the peer's kernel is known to have
   */
  release(now: number, acknowledged: number): void {
    while (this.#taken > 0) {
      const length = this.#records.at(0)?.length ?? 0;
      const old = now - (this.#times.at(0) ?? now) >= this.limits.ms;
      const arrived = this.#releasedBytes + length <= acknowledged;
      if (!(old && arrived) && this.#takenBytes <= this.limits.bytes) return;
      this.#records.shift();
      this.#times.shift();
      this.#taken--;
      this.#sent--;
      this.#takenBytes -= length;
      this.#releasedBytes += length;
    }
  }

  /** The connection broke: all records are to be handed over again. */
  rewind(): void {
    this.#times.clear();
    this.#taken = 0;
    this.#takenBytes = 0;
    this.#releasedBytes = 0;
  }

  /** Forgets all records. */
  clear(): void {
    this.rewind();
    this.#records.clear();
    this.#sent = 0;
    this.#unsentBytes = 0;
  }
}
