import type { Planes } from './shared/codes.ts';
import type { PlannedMetric } from './plan.ts';

/** Buckets whose values stand together: memory is taken for a metric only where a guest has it, and for the time that it ran. */
const run = 48;

/** Values of one metric in the buckets of a run. What no sample of a bucket tells is NaN, or has the weight 0. */
interface Part {
  readonly sums: Float64Array;
  readonly weights: Float64Array;
  readonly mins: Float64Array;
  readonly maxima: Float64Array;
}

/**
 * The values of one guest, or of the host, by bucket: means over time, or over operations by their number, the smallest and the
 * largest. What no sample of a bucket tells stays NaN.
 */
export class Series {
  /** By metric, then by run of buckets; left out where nothing is known. */
  private readonly parts: (Part | undefined)[];
  private readonly runs: number;
  /** Seconds for which each metric was at its first level or above. */
  readonly above: Float64Array;

  constructor(
    private readonly plan: readonly PlannedMetric[],
    private readonly buckets: number,
  ) {
    this.runs = Math.ceil(buckets / run);
    this.parts = new Array<Part | undefined>(plan.length * this.runs).fill(undefined);
    this.above = new Float64Array(plan.length);
  }

  /** Adds a row of a sample. @param seconds that the sample is about */
  add(bucket: number, values: Float64Array, seconds: number): void {
    const { plan, runs, parts } = this;
    const which = Math.floor(bucket / run);
    const at = bucket % run;
    for (let index = 0; index < plan.length; index++) {
      const { slot, peak, operations, warn, bad } = plan[index] as PlannedMetric;
      const value = values[slot] as number;
      if (Number.isNaN(value)) continue;
      const { sums, weights, mins, maxima } = (parts[index * runs + which] ??= newPart());
      const weight = operations.length === 0 ? seconds : seconds * total(values, operations);
      // A latency without a rate still is one.
      const counts = weight > 0 ? weight : 1e-9;
      sums[at] = (sums[at] as number) + value * counts;
      weights[at] = (weights[at] as number) + counts;
      const largest = peak >= 0 && (values[peak] as number) > value ? (values[peak] as number) : value;
      if (!(value >= (mins[at] as number))) mins[at] = value;
      if (!(largest <= (maxima[at] as number))) maxima[at] = largest;
      const level = warn ?? bad;
      if (level !== undefined && value >= level) this.above[index] = (this.above[index] as number) + seconds;
    }
  }

  /** Whether any sample had a metric. */
  has(metric: number): boolean {
    return this.partsOf(metric).some((part) => part !== undefined);
  }

  /** The values of a metric. */
  planes(metric: number): Planes {
    const plane = (): Float64Array => new Float64Array(this.buckets).fill(NaN);
    const [mean, min, max] = [plane(), plane(), plane()];
    for (const [which, part] of this.partsOf(metric).entries()) {
      if (part === undefined) continue;
      const length = Math.min(run, this.buckets - which * run);
      min.set(part.mins.subarray(0, length), which * run);
      max.set(part.maxima.subarray(0, length), which * run);
      for (let at = 0; at < length; at++) {
        const weight = part.weights[at] as number;
        if (weight > 0) mean[which * run + at] = (part.sums[at] as number) / weight;
      }
    }
    return { mean, min, max };
  }

  /** Mean and largest value of a metric in the whole span, and the bucket of the largest one; NaN where it is not known. */
  summary(metric: number): Summary {
    let [sum, weight, max, at] = [0, 0, NaN, -1];
    for (const [which, part] of this.partsOf(metric).entries()) {
      if (part === undefined) continue;
      for (let index = 0; index < run; index++) {
        sum += part.sums[index] as number;
        weight += part.weights[index] as number;
        const largest = part.maxima[index] as number;
        if (Number.isNaN(largest) || largest <= max) continue;
        max = largest;
        at = which * run + index;
      }
    }
    return { mean: weight > 0 ? sum / weight : NaN, max, at, above: this.above[metric] as number };
  }

  private partsOf(metric: number): readonly (Part | undefined)[] {
    return this.parts.slice(metric * this.runs, (metric + 1) * this.runs);
  }
}

/** What a metric comes to in the whole span. */
export interface Summary {
  readonly mean: number;
  readonly max: number;
  /** Bucket of the maximum; -1 for none. */
  readonly at: number;
  /** Seconds at the first level or above. */
  readonly above: number;
}

function newPart(): Part {
  return {
    sums: new Float64Array(run),
    weights: new Float64Array(run),
    mins: new Float64Array(run).fill(NaN),
    maxima: new Float64Array(run).fill(NaN),
  };
}

function total(values: Float64Array, slots: readonly number[]): number {
  let sum = 0;
  for (const slot of slots) {
    const value = values[slot] as number;
    if (value > 0) sum += value;
  }
  return sum;
}
