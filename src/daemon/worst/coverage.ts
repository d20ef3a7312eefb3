import { Breaks } from '../../recording/breaks.ts';
import { onlyWatches, PerHost } from '../../recording/hosts.ts';
import type { Sample } from '../../sampling/sample.ts';

/** Breaks that are kept: a history of weeks may have thousands. */
const MOST = 100;

/** A place at which something is missing. */
export interface Gap {
  /** Of the sample behind it, ms since 1970. */
  readonly before: number;
  /** What lies there, in words. */
  readonly text: string;
}

/** What of a span was measured on one host. */
export class HostCoverage {
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

/** What of a span was measured, on one host or on several ones, whose samples lie between each other. */
export class Coverage {
  private readonly perHost = new PerHost(() => new HostCoverage());
  /** Of all hosts. */
  samples = 0;

  add(sample: Sample): void {
    if (onlyWatches(sample)) return;
    this.samples++;
    this.perHost.of(sample).add(sample);
  }

  /** Of each host, by its name. */
  get hosts(): readonly (readonly [host: string, of: HostCoverage])[] {
    return this.perHost.all;
  }

  /** Seconds of the host that was measured longest. */
  get seconds(): number {
    return Math.max(0, ...this.hosts.map(([, { seconds }]) => seconds));
  }

  /** Begin of the earliest sample and end of the latest one, ms since 1970. */
  get first(): number {
    return Math.min(...this.hosts.map(([, { first }]) => first));
  }

  get last(): number {
    return Math.max(...this.hosts.map(([, { last }]) => last));
  }
}
