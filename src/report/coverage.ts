import { Breaks } from '../recording/breaks.ts';
import { onlyWatches, PerHost } from '../recording/hosts.ts';
import type { Sample } from '../sampling/sample.ts';

/** Gaps and breaks that are told one by one. */
const most = 50;

/** Which part of a span samples of one host tell of. */
export interface HostCoverage {
  readonly samples: number;
  /** Times of the first and the last sample, ms since 1970. */
  readonly from: number;
  readonly to: number;
  /** Seconds that samples are about. */
  readonly seconds: number;
  /** What lies between samples, in words, at the times of those behind: the first fifty. */
  readonly breaks: readonly { readonly time: number; readonly text: string }[];
  /** How many there were in all. */
  readonly count: number;
}

/** Which part of a span samples tell of. */
export interface Coverage extends Pick<HostCoverage, 'from' | 'to'> {
  /** By the names of the hosts, in their order: one, or several ones whose samples lie between each other. */
  readonly hosts: readonly (readonly [host: string, of: HostCoverage])[];
}

/** Follows which time samples of one host are about. */
class HostCounter {
  private readonly found = new Breaks();
  private samples = 0;
  private from = Infinity;
  private to = -Infinity;
  private seconds = 0;
  private readonly breaks: { readonly time: number; readonly text: string }[] = [];
  private count = 0;

  add(sample: Sample): void {
    const { time, interval } = sample;
    this.samples++;
    this.from = Math.min(this.from, time);
    this.to = Math.max(this.to, time);
    if (interval > 0) this.seconds += interval;
    const text = this.found.next(sample);
    if (text === undefined) return;
    this.count++;
    if (this.breaks.length < most) this.breaks.push({ time, text });
  }

  get coverage(): HostCoverage {
    const { samples, from, to, seconds, breaks, count } = this;
    return { samples, from, to, seconds, breaks, count };
  }
}

/** Follows which time samples are about. */
export class CoverageCounter {
  private readonly perHost = new PerHost(() => new HostCounter());

  add(sample: Sample): void {
    if (!onlyWatches(sample)) this.perHost.of(sample).add(sample);
  }

  get coverage(): Coverage {
    const hosts = this.perHost.all.map(([host, counter]) => [host, counter.coverage] as const);
    const from = Math.min(...hosts.map(([, of]) => of.from));
    return { hosts, from, to: Math.max(...hosts.map(([, of]) => of.to)) };
  }
}
