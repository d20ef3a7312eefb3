import type { Writable } from 'node:stream';
import type { Destination } from './destination.ts';
import type { OutputStatus } from './output.ts';
import { RecordQueue } from './queue.ts';
import type { QueueSettings } from './settings.ts';

/** Bytes handed to the stream beyond what the kernel took; the rest stays in our queue, where it is bounded. */
const inFlightBytes = 64 << 10;

/** Writes records to a stream that belongs to someone else and is never ended here. */
export class StreamDestination implements Destination {
  readonly #queue: RecordQueue;
  #inFlight = 0;
  #sent = 0;
  #dropped = 0;
  #broken = false;
  /** Set by close: called when nothing is left to write. */
  #finish: (() => void) | undefined;

  /** @param onClosed called once when the stream failed, which for a pipe means that its reader is gone */
  constructor(
    readonly stream: Writable,
    queue: QueueSettings,
    onClosed: () => void,
  ) {
    this.#queue = new RecordQueue(queue);
    stream.on('error', () => {
      if (this.#broken) return;
      this.#broken = true;
      this.#giveUp();
      this.#finish?.();
      onClosed();
    });
  }

  get status(): OutputStatus {
    return {
      queued: this.#queue.length + this.#inFlight,
      queuedBytes: this.#queue.bytes + (this.#inFlight > 0 ? this.stream.writableLength : 0),
      sent: this.#sent,
      dropped: this.#queue.dropped + this.#dropped,
      reconnects: 0,
    };
  }

  send(records: readonly Buffer[]): void {
    for (const record of records) this.#queue.push(record);
    if (this.#broken) this.#queue.clear();
    else this.#pump();
  }

  reopen(): void {
    // Nothing to open anew.
  }

  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.#finish = resolve));
    const timer = setTimeout(() => this.#finish?.(), deadline);
    if (this.#queue.length + this.#inFlight === 0) this.#finish?.();
    await finished;
    clearTimeout(timer);
    this.#broken = true;
    this.#giveUp();
  }

  #pump(): void {
    while (this.stream.writableLength < inFlightBytes) {
      const record = this.#queue.shift();
      if (record === undefined) break;
      this.#inFlight++;
      this.stream.write(record, this.#written);
    }
    if (this.#inFlight === 0) this.#finish?.();
  }

  readonly #written = (error?: Error | null): void => {
    if (error || this.#broken) return;
    this.#inFlight--;
    this.#sent++;
    this.#pump();
  };

  #giveUp(): void {
    this.#queue.clear();
    this.#dropped += this.#inFlight;
    this.#inFlight = 0;
  }
}
