import type { Planes } from './shared/codes.ts';
import type { PlannedMetric } from './plan.ts';

/** Buckets whose values stand together: memory is taken for a guest only for the time that it ran. */
const run = 48;

/**
 * Values of all metrics in the buckets of a run, by bucket, then by metric: what a sample adds to is beside each other. What no
 * sample of a bucket tells is NaN, or has the weight 0.
 */
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
  /** By run of buckets; left out where nothing is known. */
  private readonly parts: (Part | undefined)[];
  /** Seconds for which each metric was at its first level or above. */
  readonly above: Float64Array;

  constructor(
    private readonly plan: readonly PlannedMetric[],
    private readonly buckets: number,
  ) {
    this.parts = new Array<Part | undefined>(Math.ceil(buckets / run)).fill(undefined);
    this.above = new Float64Array(plan.length);
  }

  /** Adds a row of a sample. @param seconds that the sample is about */
  add(bucket: number, values: Float64Array, seconds: number): void {
    const { plan, parts, above } = this;
    const { sums, weights, mins, maxima } = (parts[Math.floor(bucket / run)] ??= newPart(plan.length));
    const first = (bucket % run) * plan.length;
    for (let index = 0; index < plan.length; index++) {
      const { slot, peak, operations, warn, bad } = plan[index] as PlannedMetric;
      const value = values[slot] as number;
      if (Number.isNaN(value)) continue;
      const at = first + index;
      const weight = operations.length === 0 ? seconds : seconds * total(values, operations);
      // A latency without a rate still is one.
      const counts = weight > 0 ? weight : 1e-9;
      sums[at] = (sums[at] as number) + value * counts;
      weights[at] = (weights[at] as number) + counts;
      const largest = peak >= 0 && (values[peak] as number) > value ? (values[peak] as number) : value;
      if (!(value >= (mins[at] as number))) mins[at] = value;
      if (!(largest <= (maxima[at] as number))) maxima[at] = largest;
      const level = warn ?? bad;
      if (level !== undefined && value >= level) above[index] = (above[index] as number) + seconds;
    }
  }

  /** Whether any sample had a metric. */
  has(metric: number): boolean {
    const { length } = this.plan;
    return this.parts.some((part) => {
      for (let at = metric; part !== undefined && at < part.weights.length; at += length)
        if ((part.weights[at] as number) > 0) return true;
      return false;
    });
  }

  /** The values of a metric. */
  planes(metric: number): Planes {
    const plane = (): Float64Array => new Float64Array(this.buckets).fill(NaN);
    const [mean, min, max] = [plane(), plane(), plane()];
    this.visit(metric, (bucket, at, part) => {
      min[bucket] = part.mins[at] as number;
      max[bucket] = part.maxima[at] as number;
      mean[bucket] = (part.sums[at] as number) / (part.weights[at] as number);
    });
    return { mean, min, max };
  }

  /** Mean and largest value of a metric in the whole span, and the bucket of the largest one; NaN where it is not known. */
  summary(metric: number): Summary {
    let [sum, weight, max, at] = [0, 0, NaN, -1];
    this.visit(metric, (bucket, place, part) => {
      sum += part.sums[place] as number;
      weight += part.weights[place] as number;
      const largest = part.maxima[place] as number;
      if (largest <= max) return;
      max = largest;
      at = bucket;
    });
    return { mean: weight > 0 ? sum / weight : NaN, max, at, above: this.above[metric] as number };
  }

  /** Calls a function for each bucket in which a metric is known, with its place in a part. */
  private visit(metric: number, each: (bucket: number, at: number, part: Part) => void): void {
    const { length } = this.plan;
    for (const [which, part] of this.parts.entries()) {
      if (part === undefined) continue;
      for (let index = 0, at = metric; index < run; index++, at += length)
        if ((part.weights[at] as number) > 0) each(which * run + index, at, part);
    }
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

function newPart(metrics: number): Part {
  const size = metrics * run;
  return {
    sums: new Float64Array(size),
    weights: new Float64Array(size),
    mins: new Float64Array(size).fill(NaN),
    maxima: new Float64Array(size).fill(NaN),
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
