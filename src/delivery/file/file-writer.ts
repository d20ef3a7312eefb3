import { closeSync, writev } from 'node:fs';
import type { Logger } from 'pino';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { Destination, Heir } from '../destination.ts';
import { lastWord } from '../shared/last-word.ts';
import { Outage } from '../shared/outage.ts';
import { queuedStatus } from '../shared/queued-status.ts';
import { RecordQueue } from '../ledger/queue.ts';
import type { QueueSettings } from '../settings.ts';

/** An open file to append to. */
export interface AppendFile {
  readonly fd: number;
  /** For messages. */
  readonly path: string;
  /** Whether it ends in the middle of a line, which is then ended before anything else is written. */
  readonly torn: boolean;
  /** Called when nothing more will be written to it. */
  onClosed?: () => void;
}

const batchRecords = 256;
const batchBytes = 1 << 20;
const retryDelay = 1000;
const lineEnd = Buffer.from('\n');

/**
 * Appends records to a file in the background, one write at a time: a slow disk makes nobody wait. A write that fails
 * (disk full) is tried again every second while the queue fills; one that was done in part goes on where it ended.
 */
export class FileWriter implements Destination {
  private readonly queue: RecordQueue;
  private readonly outage: Outage;
  private file: AppendFile;
  private torn: boolean;
  /** The files that follow, each with the record of the queue, by number, that is the first one to go there. */
  private next: { readonly file: AppendFile; readonly from: number }[] = [];
  /** Taken from the queue to be written; the file has the first `#offset` bytes of the first one already. */
  private batch: Buffer[] = [];
  private offset = 0;
  private writing = false;
  private retry: NodeJS.Timeout | undefined;
  private sent = 0;
  private closed = false;
  /** Set by close: called when nothing is left to write, or a write failed. */
  private finish: (() => void) | undefined;

  constructor(
    file: AppendFile,
    queue: QueueSettings,
    readonly log: Logger,
  ) {
    this.file = file;
    this.torn = file.torn;
    this.queue = new RecordQueue(queue);
    this.outage = new Outage(log, this);
  }

  get status(): OutputStatus {
    const bytes = this.batch.reduce((sum, { length }) => sum + length, 0);
    return queuedStatus(this.queue, { records: this.batch.length, bytes }, this.sent, this.outage);
  }

  send(records: readonly Buffer[]): void {
    const now = Date.now();
    for (const record of records) this.queue.push(record, now);
    this.write();
  }

  /**
   * Writes what comes from now on to another file and closes the present one after its last record. When writing fails
   * at the moment, what waits goes to the new file too: space may only be freed by closing the old one.
   */
  protected switchTo(file: AppendFile): void {
    this.next.push({ file, from: this.queue.passed + this.queue.length });
    if (this.retry !== undefined) {
      clearTimeout(this.retry);
      this.retry = undefined;
      this.switch(file);
    }
    this.write();
  }

  reopen(): void {
    // A file that was opened by someone else cannot be opened anew.
  }

  async close(deadline: number, heir?: Heir): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    clearTimeout(this.retry);
    this.retry = undefined;
    this.write();
    await finished;
    clearTimeout(timer);
    this.closed = true;
    if (heir === undefined) this.queue.drops.add('stopped', this.batch.length);
    else
      this.batch.forEach((record) => {
        heir(record);
      });
    this.batch = [];
    this.queue.end(heir);
    lastWord(this.log, this.status);
    for (const { file } of this.next) release(file);
    if (!this.writing) release(this.file);
  }

  private write(): void {
    if (this.closed || this.writing || this.retry !== undefined) return;
    this.fill();
    const [first, ...others] = this.batch;
    if (first === undefined) {
      this.finish?.();
      return;
    }
    const buffers = [this.offset === 0 ? first : first.subarray(this.offset), ...others];
    if (this.torn) buffers.unshift(lineEnd);
    this.writing = true;
    writev(this.file.fd, buffers, (error, bytes) => {
      this.writing = false;
      if (this.closed) release(this.file);
      else if (error) this.failed(error);
      else this.advance(bytes);
    });
  }

  /** Takes the next records out of the queue, only such as belong to one file. */
  private fill(): void {
    if (this.batch.length > 0) return;
    for (let [next] = this.next; next !== undefined && this.queue.passed >= next.from; [next] = this.next) {
      this.switch(next.file);
    }
    const end = this.next[0]?.from ?? Infinity;
    for (let bytes = 0; bytes < batchBytes && this.batch.length < batchRecords;) {
      const record = this.queue.passed < end ? this.queue.shift()?.bytes : undefined;
      if (record === undefined) return;
      this.batch.push(record);
      bytes += record.length;
    }
  }

  /** The file has `bytes` more bytes of the batch. */
  private advance(bytes: number): void {
    this.offset += this.torn ? bytes - lineEnd.length : bytes;
    this.torn = false;
    let whole = 0;
    for (const { length } of this.batch) {
      if (this.offset < length) break;
      this.offset -= length;
      whole++;
    }
    this.batch.splice(0, whole);
    this.sent += whole;
    // Not after a part of the batch: on a disk that is nearly full the rest may fail at once.
    if (this.batch.length === 0) this.outage.end(`${this.file.path}: writing again`);
    this.write();
  }

  private failed(error: Error): void {
    this.outage.begin(`${this.file.path}: ${error.message}`);
    const newest = this.next.at(-1);
    if (newest !== undefined) {
      this.switch(newest.file);
      this.write();
    } else if (this.finish !== undefined) {
      this.finish();
    } else {
      this.retry = setTimeout(() => {
        this.retry = undefined;
        this.write();
      }, retryDelay).unref();
    }
  }

  /** Goes on in one of the files that follow, with a whole record. */
  private switch(file: AppendFile): void {
    release(this.file);
    const index = this.next.findIndex((next) => next.file === file);
    for (const skipped of this.next.splice(0, index + 1).slice(0, -1)) release(skipped.file);
    this.file = file;
    this.torn = file.torn;
    this.offset = 0;
  }
}

/** Closes a file; the standard descriptors belong to the process. */
function release({ fd, onClosed }: AppendFile): void {
  if (fd > 2) closeSync(fd);
  onClosed?.();
}
