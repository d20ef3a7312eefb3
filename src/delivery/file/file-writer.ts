import { close, fstat, stat, writev } from 'node:fs';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import type { OutputState } from '../../sampling/output-status.ts';
import type { Destination } from '../destination.ts';
import { handed, type Entry } from '../ledger/entry.ts';
import type { Tap } from '../ledger/tap.ts';
import { MinuteLimit } from '../../pacing/minute-limit.ts';
import { Outage, reasonOf } from '../shared/outage.ts';
import { within } from '../shared/within.ts';

const statOf = promisify(stat);
const fstatOf = promisify(fstat);

/** An open file to append to. */
export interface AppendFile {
  readonly fd: number;
  /** For messages. */
  readonly path: string;
  /** Whether it ends in the middle of a line, which is then ended before anything else is written. */
  readonly torn: boolean;
  /** Bytes in it. */
  size: number;
  /** Resolves when it can be written to. */
  readonly prepared?: Promise<void>;
  /** Called when nothing more will be written to it. */
  onClosed?: () => void;
}

const batchRecords = 256;
const batchBytes = 1 << 20;
const retryDelay = 1000;
/** ms from one look at what has the path to the next one. */
const lookDelay = 1000;
/** ms that closing the files may take at the end. */
const closeDeadline = 1000;
const lineEnd = Buffer.from('\n');

/**
 * Appends records to a file in the background, one write at a time: a slow disk makes nobody wait. A write that fails
 * (disk full) is tried again every second while records wait; one that was done in part goes on where it ended.
 *
 * A record has arrived when it is written to a file that somebody can find. Where the file was deleted, its path is
 * opened anew and the records are written there; where it was moved or replaced, what comes next goes to a new one.
 */
export class FileWriter implements Destination {
  private readonly outage: Outage;
  private readonly complaint = new MinuteLimit();
  private torn: boolean;
  /** The files that follow, each with the ordinal of the first record to go there. */
  private next: { readonly file: AppendFile; readonly from: number }[] = [];
  /** Being written; the file has the first `offset` bytes of the first one already. */
  private batch: Entry[] = [];
  private offset = 0;
  private writing = false;
  private retry: NodeJS.Timeout | undefined;
  private looked = -Infinity;
  private closed = false;
  /** Set by close: called when nothing is left to write, or a write failed. */
  private finish: (() => void) | undefined;

  /** @param openPath opens the path anew and throws where it cannot; missing for a file that has none */
  constructor(
    private file: AppendFile,
    private readonly tap: Tap,
    readonly log: Logger,
    private readonly openPath?: () => AppendFile,
  ) {
    this.torn = file.torn;
    this.outage = new Outage(log, tap);
    tap.onReadable = () => {
      this.write();
    };
  }

  get state(): OutputState {
    return this.outage.lasts ? 'down' : 'up';
  }

  get lastError(): string | undefined {
    return this.outage.lastError;
  }

  /** Bytes that wait to be written. */
  protected get waiting(): number {
    return this.tap.status.queuedBytes + this.batch.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  wake(): void {
    this.write();
  }

  /**
   * Writes what comes from now on to another file and closes the present one after its last record. When writing fails
   * at the moment, what waits goes to the new file too: space may only be freed by closing the old one.
   */
  protected switchTo(file: AppendFile): void {
    this.next.push({ file, from: this.tap.ledger.end });
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

  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    clearTimeout(this.retry);
    this.retry = undefined;
    this.write();
    await finished;
    clearTimeout(timer);
    this.closed = true;
    // A write that hangs may be done yet.
    this.giveBack(this.writing);
    const files = this.next.map(({ file }) => file);
    if (!this.writing) files.push(this.file);
    await within(closeDeadline, Promise.all(files.map((file) => this.release(file))));
  }

  private write(): void {
    if (this.closed || this.writing || this.retry !== undefined) return;
    this.fill();
    const [first, ...others] = this.batch;
    if (first === undefined) {
      if (this.tap.empty) this.finish?.();
      return;
    }
    const buffers = [first.bytes.subarray(this.offset), ...others.map(({ bytes }) => bytes)];
    if (this.torn) buffers.unshift(lineEnd);
    this.writing = true;
    void this.append(this.file, buffers);
  }

  /** Takes the next records from the store, only such as belong to one file. */
  private fill(): void {
    if (this.batch.length > 0) return;
    for (;;) {
      const end = this.next[0]?.from ?? Infinity;
      for (let bytes = 0; bytes < batchBytes && this.batch.length < batchRecords;) {
        const entry = this.tap.next(false, end);
        if (entry === undefined) break;
        this.batch.push(entry);
        bytes += entry.bytes.length;
      }
      const [following] = this.next;
      if (this.batch.length > 0 || following === undefined) return;
      this.switch(following.file);
    }
  }

  private async append(file: AppendFile, buffers: readonly Buffer[]): Promise<void> {
    const result = await this.attempt(file, buffers).catch((error: unknown) => error as Error);
    this.writing = false;
    if (this.closed) void this.release(file);
    else if (result instanceof Error) this.failed(result);
    else if (result.there) this.advance(result.bytes, result.moved);
    else this.deleted();
  }

  private async attempt(
    file: AppendFile,
    buffers: readonly Buffer[],
  ): Promise<{ readonly bytes: number; readonly there: boolean; readonly moved: boolean }> {
    await file.prepared;
    const bytes = await written(file.fd, buffers);
    // What was written counts if somebody can find it; what comes later goes to wherever the path leads.
    // A link to an open file, such as /dev/fd/3, and some network file systems have no count of names.
    const there = this.openPath === undefined || (await fstatOf(file.fd)).nlink > 0 || (await leadsTo(file));
    return { bytes, there, moved: there && !(await this.hasPath(file)) };
  }

  /** Looks now and then whether the path still leads to the file. */
  private async hasPath(file: AppendFile): Promise<boolean> {
    const now = performance.now();
    if (this.openPath === undefined || this.next.length > 0 || now - this.looked < lookDelay) return true;
    this.looked = now;
    return leadsTo(file);
  }

  /** The file has `bytes` more bytes of the batch. @param moved whether the path leads elsewhere by now */
  private advance(bytes: number, moved: boolean): void {
    this.file.size += bytes;
    this.offset += this.torn ? bytes - lineEnd.length : bytes;
    this.torn = false;
    let whole = 0;
    for (const { bytes: record } of this.batch) {
      if (this.offset < record.length) break;
      this.offset -= record.length;
      whole++;
    }
    for (const entry of this.batch.splice(0, whole)) this.tap.arrived(handed(entry));
    // Not after a part of the batch: on a disk that is nearly full the rest may fail at once.
    if (this.batch.length === 0) this.outage.end(`${this.file.path}: writing again`);
    if (moved) this.follow();
    this.write();
  }

  /** The path leads elsewhere: what comes next goes there. */
  private follow(): void {
    const file = this.openAnew();
    if (file === undefined) return;
    this.log.info(`${file.path} was moved or replaced: writing to the file at that path from now on`);
    this.switchTo(file);
  }

  /** Nobody can find what was written last: it is written once more, to a new file. */
  private deleted(): void {
    this.giveBack(false);
    const opened = this.next.at(-1)?.file;
    const file = opened ?? this.openAnew();
    if (file === undefined) {
      this.failed(new Error('the file was deleted and cannot be created again'));
      return;
    }
    this.log.warn(`${file.path} was deleted: creating it again`);
    if (opened === undefined) this.next.push({ file, from: 0 });
    this.switch(file);
    this.write();
  }

  private openAnew(): AppendFile | undefined {
    try {
      return this.openPath?.();
    } catch (error) {
      if (this.complaint.due()) this.log.error(reasonOf(error as Error));
      return undefined;
    }
  }

  private failed(error: Error): void {
    this.outage.begin(`${this.file.path}: ${error.message}`);
    // What was written in part stays with us: the file has the rest of it yet to get.
    const torn = this.offset > 0 ? this.batch.splice(0, 1) : [];
    this.tap.giveBack(this.batch.map(handed), false);
    this.batch = torn;
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

  private giveBack(tried: boolean): void {
    this.tap.giveBack(this.batch.map(handed), tried);
    this.batch = [];
    this.offset = 0;
  }

  /** Goes on in one of the files that follow, with a whole record. */
  private switch(file: AppendFile): void {
    this.giveBack(false);
    void this.release(this.file);
    const index = this.next.findIndex((next) => next.file === file);
    for (const skipped of this.next.splice(0, index + 1).slice(0, -1)) void this.release(skipped.file);
    this.file = file;
    this.torn = file.torn;
  }

  /**
   * Closes a file; the standard descriptors belong to the process. In the background: on a network it may be now that
   * what was written goes out, and that an error is told.
   */
  private release({ fd, path, onClosed }: AppendFile): Promise<void> {
    return new Promise((resolve) => {
      const closed = (error?: Error | null): void => {
        if (error) this.log.error(`${path}: what was written last may be missing: ${error.message}`);
        onClosed?.();
        resolve();
      };
      if (fd > 2) close(fd, closed);
      else closed();
    });
  }
}

/** Whether the path of a file leads to it. */
async function leadsTo({ fd, path }: AppendFile): Promise<boolean> {
  const [ours, theirs] = await Promise.all([fstatOf(fd), statOf(path).catch(() => undefined)]);
  return theirs?.ino === ours.ino && theirs.dev === ours.dev;
}

function written(fd: number, buffers: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, buffers, (error, bytes) => {
      if (error) reject(error);
      else resolve(bytes);
    });
  });
}
