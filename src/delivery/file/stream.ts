import type { Writable } from 'node:stream';
import type { OutputState } from '../../sampling/output-status.ts';
import type { Destination } from '../destination.ts';
import { handed, type Entry } from '../ledger/entry.ts';
import { Fifo } from '../ledger/fifo.ts';
import type { Tap } from '../ledger/tap.ts';

/** Bytes handed to the stream beyond what the kernel took; the rest stays in our queue, where it is bounded. */
const inFlightBytes = 64 << 10;

/** Writes records to a stream that belongs to another part of the program and is never ended here. */
export class StreamDestination implements Destination {
  private readonly inFlight = new Fifo<Entry>();
  private broken = false;
  lastError: string | undefined;
  /** Set by close: called when nothing is left to write. */
  private finish: (() => void) | undefined;

  /** @param onClosed called once when the stream failed, which for a pipe means that its reader is gone */
  constructor(
    private readonly stream: Writable,
    private readonly tap: Tap,
    onClosed: () => void,
  ) {
    tap.onReadable = () => {
      this.wake();
    };
    stream.on('error', (error) => {
      if (this.broken) return;
      this.broken = true;
      this.lastError = error.message;
      this.giveBack();
      this.finish?.();
      onClosed();
    });
  }

  get state(): OutputState {
    return this.broken ? 'down' : 'up';
  }

  wake(): void {
    while (!this.broken && this.stream.writableLength < inFlightBytes) {
      const entry = this.tap.next();
      if (entry === undefined) break;
      this.inFlight.push(entry);
      this.stream.write(entry.bytes, this.written);
    }
    if (this.inFlight.length === 0) this.finish?.();
  }

  reopen(): void {
    // Nothing to reopen.
  }

  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    if (this.broken) this.finish?.();
    else this.wake();
    await finished;
    clearTimeout(timer);
    this.broken = true;
    this.giveBack();
  }

  private readonly written = (error?: Error | null): void => {
    if (error || this.broken) return;
    const entry = this.inFlight.shift();
    if (entry !== undefined) this.tap.arrived(handed(entry));
    this.wake();
  };

  /** Data that the stream has not written yet may still be written. */
  private giveBack(): void {
    for (let entry = this.inFlight.shift(); entry !== undefined; entry = this.inFlight.shift())
      this.tap.giveBack([handed(entry)], true);
  }
}
