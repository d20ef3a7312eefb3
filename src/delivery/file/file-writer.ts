import type { Logger } from 'pino';
import type { OutputState } from '../../sampling/output-status.ts';
import type { Destination } from '../destination.ts';
import { handed, type Entry } from '../ledger/entry.ts';
import type { Tap } from '../ledger/tap.ts';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import { Outage, reasonOf } from '../shared/outage.ts';
import { within } from '../shared/within.ts';
import type { AppendFile } from './append-file.ts';

const batchRecords = 256;
const batchBytes = 1 << 20;
const retryDelay = 1000;
/** ms between two checks of which file has the path. */
const lookDelay = 1000;
/** ms that opening the file may take at the start: a disk that hangs is waited for in the background. */
const openDeadline = 2000;
/** ms that another output has to end its write before that counts as an outage. */
const turnDeadline = 3000;
/** ms that closing the files may take at the end. */
const closeDeadline = 1000;

/** A file to continue with. */
interface Following {
  readonly file: AppendFile;
  /** The ordinal of the first record to go there. */
  readonly from: number;
  /** Message for the log then. */
  readonly why?: string;
}

/**
 * Appends records to a file in the background, one write at a time, so a slow disk delays nothing else. A write that fails
 * (disk full) is retried every second while records wait; a partial write continues where it ended.
 *
 * A record has arrived when it is written to a file that still has a name. If the file was deleted, its path is opened
 * again and the records are written there; if it was moved or replaced, later records go to a new file.
 */
export class FileWriter implements Destination {
  private readonly outage: Outage;
  private readonly complaint = new MinuteLimit();
  private next: Following[] = [];
  /** Being written; the file has the first `offset` bytes of the first one already. */
  private batch: Entry[] = [];
  private offset = 0;
  /** Whether a file is being opened, waited for or written to. */
  private working = false;
  /** Whether the batch was handed to the kernel. */
  private handedOver = false;
  private retry: NodeJS.Timeout | undefined;
  private looked = -Infinity;
  private closed = false;
  /** Set by close: called when nothing is left to write, or a write failed. */
  private finish: (() => void) | undefined;

  /** @param anew the file at the path, to be opened; missing for a file without a path */
  constructor(
    private file: AppendFile,
    private readonly tap: Tap,
    readonly log: Logger,
    private readonly anew?: () => AppendFile,
  ) {
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

  /** Opens the file. @throws Error that names the path and the reason when it cannot be opened for writing */
  ready(): Promise<void> {
    return within(openDeadline, this.file.open());
  }

  /** Bytes that wait to be written. */
  protected get waiting(): number {
    return this.tap.status.queuedBytes + this.batch.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The file for records that come from now on. */
  protected get newest(): AppendFile {
    return this.next.at(-1)?.file ?? this.file;
  }

  wake(): void {
    this.write();
  }

  /**
   * Writes new records to another file and closes the current one after its last record. If writing fails at the moment,
   * waiting records go to the new file too, because closing the old one may be what frees space. If the new file cannot be
   * opened, the old one stays in use and the log says why.
   */
  protected switchTo(file: AppendFile): void {
    const following = { file, from: this.tap.ledger.end };
    this.next.push(following);
    if (this.retry === undefined) {
      this.write();
      return;
    }
    clearTimeout(this.retry);
    this.retry = undefined;
    this.start(this.moveOn(following));
  }

  reopen(): void {
    // A file that another program opened cannot be opened again.
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
    // A write that hangs may still succeed.
    this.giveBack(this.handedOver);
    const files = this.next.map(({ file }) => file);
    if (!this.working) files.push(this.file);
    await within(closeDeadline, Promise.all(files.map((file) => this.release(file))));
  }

  private write(): void {
    if (this.closed || this.working || this.retry !== undefined) return;
    this.fill();
    const [following] = this.next;
    if (this.batch.length > 0) this.start(this.append());
    else if (following !== undefined) this.start(this.moveOn(following));
    else if (this.finish !== undefined && this.tap.empty) this.finish();
    else if (!this.file.opened) this.start(this.file.open());
  }

  /** One task at a time; when it is done the next one starts. */
  private start(work: Promise<void>): void {
    this.working = true;
    const done = (error?: Error): void => {
      this.working = this.handedOver = false;
      if (this.closed) void this.release(this.file);
      else if (error !== undefined) this.failed(error);
      else this.write();
    };
    work.then(() => {
      done();
    }, done);
  }

  /** Takes the next records from the store, only such as belong to the present file. */
  private fill(): void {
    if (this.batch.length > 0) return;
    const end = this.next[0]?.from ?? Infinity;
    for (let bytes = 0; bytes < batchBytes && this.batch.length < batchRecords;) {
      const entry = this.tap.next(false, end);
      if (entry === undefined) break;
      this.batch.push(entry);
      bytes += entry.bytes.length;
    }
  }

  private async append(): Promise<void> {
    const { file } = this;
    await file.open();
    if (!(await file.take(turnDeadline))) {
      if (await file.hasPath()) throw new Error(`${file.path}: a write of the previous output hangs`);
      await this.replaceFile('was moved or replaced: writing to the file at that path from now on');
      return;
    }
    const [first, ...others] = this.batch.map(({ bytes }) => bytes);
    // Given back, as the output was closed meanwhile.
    if (first === undefined) return;
    const buffers = [first.subarray(this.offset), ...others];
    this.handedOver = true;
    const bytes = await file.write(buffers);
    // Written records count if the file still has a name; later ones go to the file at the path.
    const there = await file.isThere();
    const moved = there && (await this.isMoved(file));
    if (this.closed) await endRecord(file, buffers, bytes);
    // The file of the last records has no name any more: they are written again.
    else if (!there) await this.replaceFile('was deleted: creating it again');
    else {
      this.advance(bytes);
      if (moved) this.follow();
    }
  }

  /** Checks now and then whether the path leads to another file. */
  private async isMoved(file: AppendFile): Promise<boolean> {
    const now = performance.now();
    if (this.anew === undefined || this.next.length > 0 || now - this.looked < lookDelay) return false;
    this.looked = now;
    return !(await file.hasPath());
  }

  /** The file has `bytes` more bytes of the batch. */
  private advance(bytes: number): void {
    this.file.grow(bytes);
    this.offset += bytes;
    let whole = 0;
    for (const { bytes: record } of this.batch) {
      if (this.offset < record.length) break;
      this.offset -= record.length;
      whole++;
    }
    for (const entry of this.batch.splice(0, whole)) this.tap.arrived(handed(entry));
    if (this.offset === 0) this.file.pass(true);
    // Not after a partial write: on a disk that is nearly full the rest may fail at once.
    if (this.batch.length === 0) this.outage.end(`${this.file.path}: writing again`);
  }

  /** The path leads to another file: new records go there. */
  private follow(): void {
    const file = this.anew?.();
    if (file === undefined) return;
    const why = `${file.path} was moved or replaced: writing to the file at that path from now on`;
    this.next.push({ file, from: this.tap.ledger.end, why });
  }

  /** Waiting and last written records go to the file at the path. @param why for the log */
  private async replaceFile(why: string): Promise<void> {
    this.giveBack(false);
    const file = this.next.at(-1)?.file ?? this.anew?.();
    if (file === undefined) return;
    await file.open();
    if (this.closed) {
      void this.release(file);
      return;
    }
    this.log.warn(`${file.path} ${why}`);
    this.switch(file);
  }

  private failed(error: Error): void {
    this.outage.begin(reasonOf(error));
    // A partly written record is kept: its rest still has to go to this file.
    const torn = this.offset > 0 ? this.batch.splice(0, 1) : [];
    this.tap.giveBack(this.batch.map(handed), false);
    this.batch = torn;
    const newest = this.next.at(-1);
    if (newest !== undefined) this.start(this.moveOn(newest));
    else if (this.finish !== undefined) this.finish();
    else {
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

  /** Continues with one of the next files, if it can be opened. */
  private async moveOn({ file, why }: Following): Promise<void> {
    try {
      await file.open();
    } catch (error) {
      this.next = this.next.filter((next) => next.file !== file);
      if (this.complaint.due())
        this.log.error(`${reasonOf(error as Error)}; still writing to the file opened before`);
      return;
    }
    if (this.closed) return;
    if (why !== undefined) this.log.info(why);
    this.switch(file);
  }

  /** Continues with another file, starting with a whole record. */
  private switch(file: AppendFile): void {
    this.giveBack(false);
    void this.release(this.file);
    const index = this.next.findIndex((next) => next.file === file);
    for (const skipped of this.next.splice(0, index + 1).slice(0, -1)) void this.release(skipped.file);
    this.file = file;
  }

  /** Closes a file. On a network file system data may be sent only now, and errors reported only now. */
  private release(file: AppendFile): Promise<void> {
    return file.close().catch((error: unknown) => {
      this.log.error(`${file.path}: the last records may be missing: ${(error as Error).message}`);
    });
  }
}

/** A write returned whose records were given back meanwhile: a partly written record is completed, so that it is not torn. */
async function endRecord(file: AppendFile, buffers: readonly Buffer[], bytes: number): Promise<void> {
  let left = bytes;
  for (const buffer of buffers) {
    if (left < buffer.length) {
      if (left > 0) await file.write([buffer.subarray(left)]).catch(() => 0);
      return;
    }
    left -= buffer.length;
  }
}
