import type { Planes } from './shared/codes.ts';
import type { PlannedMetric } from './plan.ts';

/**
 * The values of one guest, or of the host, by bucket: means over time, or over operations by their number, the smallest and the
 * largest. What no sample of a bucket tells stays NaN.
 */
export class Series {
  /** By metric, then by bucket. */
  private readonly sums: Float64Array;
  private readonly weights: Float64Array;
  private readonly mins: Float64Array;
  private readonly maxima: Float64Array;
  /** Seconds for which each metric was at its first level or above. */
  readonly above: Float64Array;

  constructor(
    private readonly plan: readonly PlannedMetric[],
    private readonly buckets: number,
  ) {
    const size = plan.length * buckets;
    this.sums = new Float64Array(size);
    this.weights = new Float64Array(size);
    this.mins = new Float64Array(size).fill(NaN);
    this.maxima = new Float64Array(size).fill(NaN);
    this.above = new Float64Array(plan.length);
  }

  /** Adds a row of a sample. @param seconds that the sample is about */
  add(bucket: number, values: Float64Array, seconds: number): void {
    const { plan, buckets } = this;
    for (let index = 0; index < plan.length; index++) {
      const { slot, peak, operations, warn, bad } = plan[index] as PlannedMetric;
      const value = values[slot] as number;
      if (Number.isNaN(value)) continue;
      const at = index * buckets + bucket;
      const weight = operations.length === 0 ? seconds : seconds * total(values, operations);
      // A latency without a rate still is one.
      const counts = weight > 0 ? weight : 1e-9;
      this.sums[at] = (this.sums[at] as number) + value * counts;
      this.weights[at] = (this.weights[at] as number) + counts;
      const largest = peak >= 0 && (values[peak] as number) > value ? (values[peak] as number) : value;
      if (!(value >= (this.mins[at] as number))) this.mins[at] = value;
      if (!(largest <= (this.maxima[at] as number))) this.maxima[at] = largest;
      const level = warn ?? bad;
      if (level !== undefined && value >= level) this.above[index] = (this.above[index] as number) + seconds;
    }
  }

  /** Whether any sample had a metric. */
  has(metric: number): boolean {
    const from = metric * this.buckets;
    return this.weights.subarray(from, from + this.buckets).some((weight) => weight > 0);
  }

  /** The values of a metric. */
  planes(metric: number): Planes {
    const [from, to] = [metric * this.buckets, (metric + 1) * this.buckets];
    const weights = this.weights.subarray(from, to);
    return {
      mean: this.sums
        .subarray(from, to)
        .map((sum, bucket) => ((weights[bucket] as number) > 0 ? sum / (weights[bucket] as number) : NaN)),
      min: this.mins.subarray(from, to),
      max: this.maxima.subarray(from, to),
    };
  }

  /** Mean and largest value of a metric in the whole span, and the bucket of the largest one; NaN where it is not known. */
  summary(metric: number): Summary {
    const [from, to] = [metric * this.buckets, (metric + 1) * this.buckets];
    let [sum, weight, max, at] = [0, 0, NaN, -1];
    for (let index = from; index < to; index++) {
      sum += this.sums[index] as number;
      weight += this.weights[index] as number;
      if (!((this.maxima[index] as number) > max || Number.isNaN(max))) continue;
      if (Number.isNaN(this.maxima[index])) continue;
      max = this.maxima[index] as number;
      at = index - from;
    }
    return { mean: weight > 0 ? sum / weight : NaN, max, at, above: this.above[metric] as number };
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

function total(values: Float64Array, slots: readonly number[]): number {
  let sum = 0;
  for (const slot of slots) {
    const value = values[slot] as number;
    if (value > 0) sum += value;
  }
  return sum;
}
