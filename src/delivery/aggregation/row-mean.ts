import { columns } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import { perScope } from '../../catalogue/define.ts';
import { peaksOf } from '../../catalogue/peaks.ts';
import { Row } from '../../catalogue/row.ts';

/** A mean over operations: where it stands, and its rates of operations. */
interface Weighted {
  readonly slot: number;
  readonly operations: readonly number[];
}

interface Plan {
  /** Slots of what is a mean over time. */
  readonly timed: readonly number[];
  readonly weighted: readonly Weighted[];
  readonly peaks: readonly { readonly slot: number; readonly of: number }[];
}

const plans = perScope((scope): Plan => {
  const metrics = columns(scope);
  const means = metrics.filter(({ kind }) => kind === 'rate' || kind === 'percent' || kind === 'mean');
  const slotOf = (id: string): number => metrics.find((metric) => metric.id === id)?.slot ?? NaN;
  const isOverTime = ({ operations }: Metric): boolean => operations.length === 0;
  return {
    timed: means.filter(isOverTime).map(({ slot }) => slot),
    weighted: means
      .filter((metric) => !isOverTime(metric))
      .map(({ slot, operations }) => ({ slot, operations: operations.map(slotOf) })),
    peaks: peaksOf(scope).map(({ slot, of }) => ({ slot, of: of.slot })),
  };
});

/**
 * Combines the samples of one row: rates, percentages and means over the time for which they are known, means over
 * operations weighted by the number of operations, all else from the last sample, and the largest sample of each peak.
 * Samples that are means themselves may have peaks of their own.
 *
 * A sample's rates are the growth of counters in it, so their mean over time is the growth in the whole interval.
 */
export class RowMean {
  /** The result; valid from {@link finish} to the next {@link add}. Has slots for peaks. */
  readonly row: Row;
  private readonly plan: Plan;
  /** By slot: value by weight, summed; the weights; the largest value. */
  private readonly sums: Float64Array;
  private readonly weights: Float64Array;
  private samples = 0;

  constructor(original: Row) {
    const { scope } = original;
    this.row = new Row(scope, peaksOf(scope).length);
    this.plan = plans[scope];
    const { length } = this.row.values;
    this.sums = new Float64Array(length);
    this.weights = new Float64Array(length);
  }

  /** Whether no sample had the row since it was cleared. */
  get isEmpty(): boolean {
    return this.samples === 0;
  }

  /** @param seconds that the sample is about; 0 where not known: then only levels count */
  add({ values, texts, counters, histograms }: Row, seconds: number): void {
    const { row, plan } = this;
    this.samples++;
    for (const slot of plan.timed) this.count(slot, values[slot] as number, seconds);
    for (const { slot, operations } of plan.weighted) {
      let rate = 0;
      for (const operation of operations) {
        const each = values[operation] as number;
        if (each > 0) rate += each;
      }
      this.count(slot, values[slot] as number, seconds * rate);
    }
    for (const { slot, of } of plan.peaks) {
      const mean = values[of] as number;
      const peak = values[slot] ?? NaN;
      const value = peak > mean || Number.isNaN(mean) ? peak : mean;
      const largest = row.values[slot] as number;
      if (value > largest || Number.isNaN(largest)) row.values[slot] = value;
    }
    // A sample that is a mean itself may have peaks, which are larger.
    row.values.set(values.length > texts.length ? values.subarray(0, texts.length) : values);
    row.counters.set(counters);
    row.histograms = histograms;
    for (let slot = 0; slot < texts.length; slot++) row.texts[slot] = texts[slot];
  }

  /** Puts the means where the last sample's values are. */
  finish(): void {
    const { row, plan } = this;
    for (const slot of plan.timed) row.values[slot] = this.mean(slot);
    for (const { slot } of plan.weighted) row.values[slot] = this.mean(slot);
  }

  /** Forgets everything. */
  clear(): void {
    this.samples = 0;
    this.row.clear();
    this.sums.fill(0);
    this.weights.fill(0);
  }

  private count(slot: number, value: number, weight: number): void {
    if (!(weight > 0) || Number.isNaN(value)) return;
    this.sums[slot] = (this.sums[slot] as number) + value * weight;
    this.weights[slot] = (this.weights[slot] as number) + weight;
  }

  private mean(slot: number): number {
    const weight = this.weights[slot] as number;
    return weight > 0 ? (this.sums[slot] as number) / weight : NaN;
  }
}
