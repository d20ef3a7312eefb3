import { levelOf } from './levels.ts';
import type { Profile, ProfileMatrix } from '../profile.ts';
import { historyKeys, longestKnown } from './transitions.ts';

/** The mean of the last inputs, sliding. */
class SlidingMean {
  private readonly ring: Float64Array;
  private at = 0;
  private seen = 0;
  private sum = 0;
  private known = 0;

  constructor(length: number) {
    this.ring = new Float64Array(length);
  }

  /** Takes an input (NaN if not known) and gives the mean; NaN until the ring is full, and where nothing in it is known. */
  next(value: number): number {
    const ring = this.ring;
    if (this.seen === ring.length) this.add(ring[this.at] ?? NaN, -1);
    else this.seen++;
    ring[this.at] = value;
    this.add(value, 1);
    this.at = (this.at + 1) % ring.length;
    // Adding and taking away leaves rounding errors: once round, summed anew.
    if (this.at === 0) this.sumUp();
    return this.seen < ring.length || this.known === 0 ? NaN : this.sum / this.known;
  }

  private add(value: number, sign: 1 | -1): void {
    if (Number.isNaN(value)) return;
    this.sum += sign * value;
    this.known += sign;
  }

  private sumUp(): void {
    this.sum = 0;
    this.known = 0;
    for (const value of this.ring) this.add(value, 1);
  }
}

/** Follows one metric against its matrix. */
class MetricFollower {
  private readonly mean: SlidingMean;
  /** Levels of the last history * buffersize inputs and this one; -1 where not known. */
  private readonly levels: Int16Array;
  private at = 0;

  constructor(
    readonly matrix: ProfileMatrix,
    private readonly settings: Profile['settings'],
  ) {
    const { buffersize, history } = settings;
    this.mean = new SlidingMean(buffersize);
    this.levels = new Int16Array(history * buffersize + 1).fill(-1);
  }

  /** How likely the step to the present state is; undefined while it or the state before it is not known. */
  next(value: number): number | undefined {
    const { buffersize, history, states } = this.settings;
    const levels = this.levels;
    const mean = this.mean.next(value);
    const level = Number.isNaN(mean) ? -1 : levelOf(mean, this.matrix.stats, states);
    const now = this.at;
    levels[now] = level;
    this.at = (now + 1) % levels.length;
    const before: number[] = [];
    for (let back = 1; back <= history; back++) {
      const past = levels[(now - back * buffersize + levels.length * history) % levels.length] ?? -1;
      if (past < 0) break;
      before.unshift(past);
    }
    if (level < 0 || before.length === 0) return undefined;
    const row = longestKnown(this.matrix.transitions, historyKeys(before));
    return (row?.nextProbs[level] ?? 0) / 100;
  }
}

/**
 * Follows one VM against a profile. The present state is the level of the mean of the last `buffersize` inputs, those
 * before it are what that was one, two, ... periods ago: so there is a fresh answer with every input, and each rests on
 * whole periods as the profile does.
 */
export class Follower {
  private readonly metrics: readonly MetricFollower[];

  constructor(readonly profile: Profile) {
    this.metrics = profile.roottx.map((matrix) => new MetricFollower(matrix, profile.settings));
  }

  /**
   * Takes an input. @param valueOf gives the value of a metric; NaN for one that is not known
   * @returns how likely the present transition is, 0 to 1, the mean over the metrics; NaN while it is not known
   */
  next(valueOf: (metric: string) => number): number {
    let total = 0;
    let known = 0;
    for (const metric of this.metrics) {
      const likeliness = metric.next(valueOf(metric.matrix.metric));
      if (likeliness === undefined) continue;
      total += likeliness;
      known++;
    }
    return known === 0 ? NaN : total / known;
  }
}
