import type { Writable } from 'node:stream';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { Destination, Heir } from '../destination.ts';
import { queuedStatus } from '../shared/queued-status.ts';
import { RecordQueue } from '../ledger/queue.ts';
import type { QueueSettings } from '../settings.ts';

/** Bytes handed to the stream beyond what the kernel took; the rest stays in our queue, where it is bounded. */
const inFlightBytes = 64 << 10;

/** Writes records to a stream that belongs to someone else and is never ended here. */
export class StreamDestination implements Destination {
  private readonly queue: RecordQueue;
  private inFlight = 0;
  private sent = 0;
  private broken = false;
  /** Set by close: called when nothing is left to write. */
  private finish: (() => void) | undefined;

  /** @param onClosed called once when the stream failed, which for a pipe means that its reader is gone */
  constructor(
    private readonly stream: Writable,
    queue: QueueSettings,
    onClosed: () => void,
  ) {
    this.queue = new RecordQueue(queue);
    stream.on('error', () => {
      if (this.broken) return;
      this.broken = true;
      this.giveUp();
      this.finish?.();
      onClosed();
    });
  }

  get status(): OutputStatus {
    const bytes = this.inFlight > 0 ? this.stream.writableLength : 0;
    return queuedStatus(this.queue, { records: this.inFlight, bytes }, this.sent);
  }

  send(records: readonly Buffer[]): void {
    const now = Date.now();
    for (const record of records) this.queue.push(record, now);
    if (this.broken) this.queue.clear('unreachable');
    else this.pump();
  }

  reopen(): void {
    // Nothing to open anew.
  }

  async close(deadline: number, heir?: Heir): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    if (this.queue.length + this.inFlight === 0) this.finish?.();
    await finished;
    clearTimeout(timer);
    this.broken = true;
    this.giveUp(heir);
  }

  private pump(): void {
    while (this.stream.writableLength < inFlightBytes) {
      const record = this.queue.shift()?.bytes;
      if (record === undefined) break;
      this.inFlight++;
      this.stream.write(record, this.written);
    }
    if (this.inFlight === 0) this.finish?.();
  }

  private readonly written = (error?: Error | null): void => {
    if (error || this.broken) return;
    this.inFlight--;
    this.sent++;
    this.pump();
  };

  private giveUp(heir?: Heir): void {
    this.queue.end(heir);
    this.queue.drops.add('stopped', this.inFlight);
    this.inFlight = 0;
  }
}
