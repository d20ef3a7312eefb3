import type { Logger } from 'pino';
import type { Entry } from '../entry.ts';
import { Fifo } from '../fifo.ts';
import type { Ledger } from '../ledger.ts';
import { readSpoolFile } from './files.ts';
import { readFrames } from './frame.ts';
import { readHeader } from './header.ts';
import type { Segment } from './segment.ts';

/** ms from an error to the next attempt on the same file: it doubles up to the longest. */
const firstRetry = 1000;
const longestRetry = 60_000;
/** A device that answers EIO so often will not recover. */
const mostIoErrors = 5;

/** What a reader works with. */
export interface ReaderContext {
  readonly ledger: Ledger;
  readonly log: Logger;
  /** Called before a segment is read: nothing is appended to it from then on. False when that has to wait. */
  readonly seal: (segment: Segment) => boolean;
  /** Called when something became readable in the background. */
  readonly onReadable: () => void;
}

/**
 * Reads the segments of a spool, one at a time and each as a whole, and gives out the records that wait in them. To find
 * records that wait again, it starts from the beginning: the ledger knows which ones are still to be given out.
 */
export class SpoolReader {
  private readonly ledger: Ledger;
  /** Index of the first segment that may have something to be given out. */
  private cursor = 0;
  /** Whether records were passed over because they were handed over before. */
  private passedOver = false;
  private reading = false;
  /** Grows with each {@link rewind}: the segment being read then may not be the next one any more. */
  private round = 0;
  private isStrict = false;
  /** Read and not given out. */
  private readonly loaded = new Fifo<Entry>();
  /** Segments before the cursor that could not be read. */
  private readonly later = new Set<Segment>();

  /** @param segments of the spool, oldest first */
  constructor(
    private readonly segments: readonly Segment[],
    private readonly context: ReaderContext,
  ) {
    this.ledger = context.ledger;
  }

  /** Whether a file that cannot be read holds up the files after it; else they are given out before it. */
  set strict(strict: boolean) {
    if (strict !== this.isStrict) this.rewind();
    this.isStrict = strict;
  }

  /** Whether nothing waits, not even in a file that cannot be read at the moment; of strict reading. */
  get drained(): boolean {
    if (this.reading || this.loaded.length > 0) return false;
    return !this.segments.slice(this.cursor).some((segment) => this.holds(segment));
  }

  /** Whether nothing is to be given out, but from files that cannot be read at the moment. */
  get empty(): boolean {
    if (this.reading || this.loaded.length > 0) return false;
    return this.nextToRead() === undefined;
  }

  /**
   * The next record to be given out; undefined when there is none, or it has yet to be read, which this begins.
   *
   * @param fresh whether to skip records that were handed over before; they come when this is false again
   */
  peek(fresh: boolean): Entry | undefined {
    if (!fresh && this.passedOver) this.rewind();
    for (let entry = this.loaded.at(0); entry !== undefined; entry = this.loaded.at(0)) {
      const tried = fresh && this.ledger.tried(entry.ordinal);
      if (this.ledger.waitsOnDisk(entry.ordinal) && !tried) return entry;
      this.passedOver ||= tried;
      this.loaded.shift();
    }
    this.load();
    return undefined;
  }

  /** Gives out the record that `peek` returned. */
  shift(): Entry | undefined {
    return this.loaded.shift();
  }

  /** Records that were given out wait again: reading starts again at the oldest. */
  rewind(): void {
    this.round++;
    this.loaded.clear();
    this.later.clear();
    this.cursor = 0;
    this.passedOver = false;
  }

  /** Records were appended to the segment with this index. */
  appended(index: number): void {
    this.cursor = Math.min(this.cursor, index);
  }

  /** A segment, which had this index, is gone. */
  removed(segment: Segment, index: number): void {
    this.later.delete(segment);
    if (index < this.cursor) this.cursor--;
  }

  /** Reads the oldest segment that has something to be given out, in the background, where nothing is read already. */
  load(): void {
    if (this.reading || this.loaded.length > 0) return;
    const segment = this.nextToRead();
    if (segment === undefined || !this.context.seal(segment)) return;
    this.cursor = Math.max(this.cursor, this.segments.indexOf(segment) + 1);
    this.later.delete(segment);
    this.reading = true;
    const { round } = this;
    readSpoolFile(segment.path)
      .then(
        (bytes) => {
          if (round === this.round) this.taken(segment, bytes);
        },
        (error: unknown) => {
          this.failed(segment, error as NodeJS.ErrnoException);
        },
      )
      .finally(() => {
        this.reading = false;
        this.context.onReadable();
      });
  }

  private nextToRead(): Segment | undefined {
    const now = performance.now();
    for (const segment of this.later) if (segment.retryAt <= now) return segment;
    for (let index = this.cursor; index < this.segments.length; index++) {
      const segment = this.segments[index] as Segment;
      if (!this.holds(segment)) continue;
      if (segment.retryAt <= now) return segment;
      if (this.isStrict) return undefined;
    }
    return undefined;
  }

  /** Whether a record for our destination waits in it. */
  private holds(segment: Segment): boolean {
    return !segment.stranger && segment.waits(this.ledger);
  }

  private taken(segment: Segment, content: Buffer): void {
    if (!this.segments.includes(segment)) return;
    const from = readHeader(content)?.bytes ?? 0;
    const { records } = readFrames(content, from, segment.first, segment.end);
    const now = performance.now();
    const today = Date.now();
    let lost = 0;
    let index = 0;
    let number = segment.first;
    for (const ordinal of segment.ordinals()) {
      const record = records[index]?.number === number ? records[index++] : undefined;
      number++;
      if (!this.ledger.waitsOnDisk(ordinal)) continue;
      if (record === undefined) {
        this.ledger.drop(ordinal, 'damaged');
        lost++;
        continue;
      }
      const since = now - Math.max(0, today - record.time);
      if (Number.isNaN(segment.since)) segment.since = since;
      this.loaded.push({ ordinal, bytes: record.bytes, since, stored: true });
    }
    segment.failures = 0;
    if (lost > 0) this.context.log.warn(`spool: ${segment.path} is damaged: ${lost} records are lost`);
  }

  private failed(segment: Segment, error: NodeJS.ErrnoException): void {
    if (!this.segments.includes(segment)) return;
    const delay = Math.min(longestRetry, firstRetry * 2 ** segment.failures++);
    const gone = error.code === 'ENOENT' || (error.code === 'EIO' && segment.failures >= mostIoErrors);
    if (gone) {
      let lost = 0;
      for (const ordinal of segment.ordinals())
        if (this.ledger.waitsOnDisk(ordinal) && this.ledger.drop(ordinal, 'damaged')) lost++;
      this.context.log.warn(`spool: ${error.message}: ${lost} records are lost`);
      return;
    }
    segment.retryAt = performance.now() + delay;
    if (this.isStrict) this.cursor = Math.min(this.cursor, this.segments.indexOf(segment));
    else this.later.add(segment);
    if (segment.failures === 1)
      this.context.log.warn(`spool: ${error.message}; its records are kept, retrying`);
  }
}
