import type { Logger } from 'pino';
import { Aggregator } from '../delivery/aggregation/aggregator.ts';
import { SpoolInUseError } from '../delivery/ledger/spool/lock.ts';
import { within } from '../delivery/shared/within.ts';
import { createPrinter } from '../formats/index.ts';
import { wholeSample } from '../formats/printer.ts';
import type { Sample } from '../sampling/sample.ts';
import { Archive } from './archive.ts';
import type { Minute } from './archive.ts';
import { packMember } from './member.ts';
import { shortenSample } from './shorten.ts';
import type { HistorySettings } from './settings.ts';

const MINUTE = 60_000;
/** Bytes that wait for a disk at most: an hour of 200 guests. */
const mostWaiting = 16 << 20;
/** ms that a write may take before the disk is reported as hung. */
const patience = 30_000;

/** What is kept of the samples on this host. */
export interface HistoryReport {
  readonly directory: string;
  /** Times of its earliest and its latest sample, ms since 1970; missing while there is none. */
  readonly begin?: number;
  readonly end?: number;
  /** Bytes on disk. */
  readonly bytes: number;
  /** Minutes that were given up since the start. */
  readonly lost: number;
  /** Why it is not written now; missing where it is. */
  readonly trouble?: string;
}

/**
 * Keeps the samples of this host: means of an interval with peaks and devices, a minute in memory, then all of it with one
 * write and one sync. Sampling never waits for it. Data that a disk does not accept waits within bounds and is retried each
 * minute; beginning and end of that are logged.
 */
export class HistoryWriter {
  private readonly aggregator: Aggregator;
  private readonly printer = createPrinter('json', { ...wholeSample, peaks: true });
  private readonly archive: Archive;
  /** Of the present minute. */
  private lines: Buffer[] = [];
  private first = Infinity;
  private last = -Infinity;
  private minute = NaN;
  private readonly waiting: Minute[] = [];
  private packing = Promise.resolve();
  /** Settles when nothing more can be written at present. */
  private work: Promise<void>;
  /** Since when a write lasts, ms on the monotonic clock. */
  private since = Infinity;
  private end: number | undefined;
  private lost = 0;
  private trouble: string | undefined;

  /** @param before settles when the directory is free: nothing is written until then */
  constructor(
    private readonly settings: HistorySettings,
    private readonly log: Logger,
    before: Promise<void> = Promise.resolve(),
  ) {
    this.work = before;
    this.aggregator = new Aggregator(settings.interval);
    this.archive = new Archive(settings);
  }

  get status(): HistoryReport {
    const { archive, end, lost, trouble } = this;
    const { begin, bytes } = archive;
    return {
      directory: this.settings.directory,
      ...(begin !== undefined && { begin }),
      ...(end !== undefined && { end }),
      bytes,
      lost,
      ...(trouble !== undefined && { trouble }),
    };
  }

  /** Takes a sample, and has read it when this returns. */
  write(sample: Sample): void {
    this.aggregator.add(sample, this.take);
  }

  /** Writes what there is, for at most `deadline` ms. */
  async close(deadline: number): Promise<void> {
    this.aggregator.end(this.take);
    const ended = this.flush().then(() => this.archive.close());
    await within(
      deadline,
      ended.catch(() => undefined),
    );
  }

  private readonly take = (sample: Sample): void => {
    const { time } = sample;
    const minute = Math.floor(time / MINUTE);
    // Also when the clock was set: the samples of a member are of one minute.
    if (minute !== this.minute) void this.flush();
    this.minute = minute;
    this.first = Math.min(this.first, time);
    this.last = Math.max(this.last, time);
    shortenSample(sample);
    this.lines.push(...this.printer.print(sample));
  };

  /** Hands over the minute, and tries again what waits. Never rejects. */
  private flush(): Promise<void> {
    const { lines, first, last } = this;
    this.lines = [];
    this.first = Infinity;
    this.last = -Infinity;
    if (performance.now() - this.since > patience) this.complain('the disk hangs');
    const packed = (this.packing = this.packing.then(() => this.pack(lines, first, last)));
    return (this.work = Promise.all([packed, this.work]).then(() => this.drain()));
  }

  private async pack(lines: readonly Buffer[], first: number, last: number): Promise<void> {
    if (lines.length === 0) return;
    try {
      this.waiting.push({ bytes: await packMember(lines, first, last), first, last });
      this.giveUpWhatIsTooMuch();
    } catch (error) {
      // No memory for it, or a clock before 1970: the minutes after it may be better.
      this.lost++;
      this.fail(error as Error);
    }
  }

  /** Of what waits the oldest goes, but for what is being written. */
  private giveUpWhatIsTooMuch(): void {
    let bytes = this.waiting.reduce((sum, minute) => sum + minute.bytes.length, 0);
    while (bytes > mostWaiting && this.waiting.length > 1) {
      bytes -= this.waiting.splice(1, 1)[0]?.bytes.length ?? 0;
      this.lost++;
    }
  }

  private async drain(): Promise<void> {
    try {
      for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
        this.since = performance.now();
        await this.archive.write(next);
        this.since = Infinity;
        this.waiting.shift();
        this.end = next.last;
        this.recover();
      }
    } catch (error) {
      this.since = Infinity;
      this.fail(error as Error);
    }
  }

  private fail(error: Error): void {
    if (error instanceof SpoolInUseError) {
      // Our samples are in the history of the other process.
      this.waiting.length = 0;
      this.complain(`${this.settings.directory} is written by ${error.who}`);
    } else {
      this.complain(error.message);
    }
  }

  private complain(why: string): void {
    if (this.trouble === undefined)
      this.log.warn(`the history cannot be written: ${why}; retrying every minute`);
    this.trouble = why;
  }

  private recover(): void {
    if (this.trouble === undefined) return;
    const { lost } = this;
    this.log.info(`the history is written again; ${lost} minute${lost === 1 ? ' is' : 's are'} lost`);
    this.trouble = undefined;
  }
}
