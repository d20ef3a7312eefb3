import { Breaks } from '../recording/breaks.ts';
import type { Sample } from '../sampling/sample.ts';

/** Breaks that are kept: a history of weeks may have thousands. */
const MOST = 100;

/** A place at which something is missing. */
export interface Gap {
  /** Of the sample behind it, ms since 1970. */
  readonly before: number;
  /** What lies there, in words. */
  readonly text: string;
}

/** What of a span was measured. */
export class Coverage {
  samples = 0;
  /** Seconds that its samples stand for. */
  seconds = 0;
  /** Begin of the earliest one and end of the latest one, ms since 1970. */
  first = Infinity;
  last = -Infinity;
  /** The first ones, and how many there are. */
  readonly gaps: Gap[] = [];
  gapCount = 0;
  private readonly breaks = new Breaks();

  add(sample: Sample): void {
    const { time } = sample;
    const seconds = sample.interval > 0 ? sample.interval : 0;
    this.samples++;
    this.seconds += seconds;
    this.first = Math.min(this.first, time - seconds * 1000);
    this.last = Math.max(this.last, time);
    const text = this.breaks.next(sample);
    if (text === undefined) return;
    this.gapCount++;
    if (this.gaps.length < MOST) this.gaps.push({ before: time, text });
  }
}
