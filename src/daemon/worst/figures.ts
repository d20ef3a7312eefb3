import { columns } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import { peaksOf } from '../../catalogue/peaks.ts';
import type { Row } from '../../catalogue/row.ts';
import { relations } from '../../config/thresholds.ts';
import type { Thresholds } from '../../config/thresholds.ts';
import { judge } from '../../tui/analysis/grade.ts';

/** Where the values of a metric are, and how they are judged. */
export interface Measure {
  readonly metric: Metric;
  readonly thresholds: Thresholds;
  /** Whether small values are the bad ones. */
  readonly lowIsBad: boolean;
  /** Slot of its peak; of the metric itself where it has none. */
  readonly peakSlot: number;
  /** Slots of the operations that it is a mean over. */
  readonly operations: readonly number[];
}

export function measureOf(metric: Metric, thresholds: Thresholds): Measure {
  const { scope, id, slot, operations } = metric;
  const levels = thresholds.get(id);
  const slotOf = (rate: string): number => columns(scope).find((other) => other.id === rate)?.slot ?? -1;
  return {
    metric,
    thresholds,
    lowIsBad: levels !== undefined && levels.warn > levels.bad,
    peakSlot: peaksOf(scope).find(({ of }) => of.id === id)?.slot ?? slot,
    operations: operations.map(slotOf),
  };
}

/** Ids of all that a row must have for it. */
export function idsOf({ metric, operations }: Measure): readonly string[] {
  const { id, scope } = metric;
  const relation = relations.get(id);
  return [
    id,
    ...peaksOf(scope).flatMap((peak) => (peak.of.id === id ? [peak.id] : [])),
    ...operations.flatMap((slot) => columns(scope)[slot]?.id ?? []),
    ...(relation === undefined ? [] : [relation.to]),
  ];
}

/** What the samples of one row say of one metric. */
export class Figures {
  /** Seconds for which it was known; of these, those at or beyond its yellow level, and its red one. */
  seconds = 0;
  warnSeconds = 0;
  badSeconds = 0;
  /** The worst value, with the peaks that were recorded beside means; NaN while none is known. */
  worst = NaN;
  /** Time of its sample, ms since 1970. */
  worstTime = NaN;
  private sum = 0;
  private weight = 0;

  /** Over time; of means over operations, over these. NaN where no interval is known. */
  get mean(): number {
    return this.weight > 0 ? this.sum / this.weight : NaN;
  }

  /** @param seconds that the sample is about; NaN where not known: then only the worst value counts */
  add(
    { metric, thresholds, lowIsBad, peakSlot, operations }: Measure,
    row: Row,
    seconds: number,
    time: number,
  ): void {
    const { values } = row;
    const value = values[metric.slot] ?? NaN;
    if (Number.isNaN(value)) return;
    const peak = lowIsBad ? value : (values[peakSlot] ?? NaN);
    this.count(peak > value ? peak : value, lowIsBad, time);
    if (!(seconds > 0)) return;
    this.seconds += seconds;
    const grade = judge(thresholds, metric.id, value, row);
    if (grade !== 'ok') this.warnSeconds += seconds;
    if (grade === 'bad') this.badSeconds += seconds;
    let weight = operations.length === 0 ? 1 : 0;
    for (const slot of operations) weight += values[slot] || 0;
    this.sum += value * weight * seconds;
    this.weight += weight * seconds;
  }

  private count(value: number, lowIsBad: boolean, time: number): void {
    const { worst } = this;
    if (!Number.isNaN(worst) && (lowIsBad ? value >= worst : value <= worst)) return;
    this.worst = value;
    this.worstTime = time;
  }
}
