import type { Sample } from '../../sampling/sample.ts';
import type { Verdict } from '../../verdicts/verdict.ts';
import type { RecentValues } from '../analysis/recent-values.ts';

/** All that the view shows of one point in time: a sample, and what was found from it and those before it. */
export interface Moment extends Pick<Sample, 'time' | 'interval'> {
  readonly sample: Sample;
  /** The gravest first. */
  readonly verdicts: readonly Verdict[];
  /** Whether enough was seen for verdicts of every kind. */
  readonly isWarm: boolean;
  /** Values of the time before it, and perhaps of later. */
  readonly recent: RecentValues;
}

/** A moment of a sample, from what was found of it. */
export function momentOf(sample: Sample, found: Pick<Moment, 'verdicts' | 'isWarm' | 'recent'>): Moment {
  const { verdicts, isWarm, recent } = found;
  return { sample, time: sample.time, interval: sample.interval, verdicts, isWarm, recent };
}
