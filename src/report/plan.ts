import { columns } from '../catalogue/catalogue.ts';
import { peaksOf } from '../catalogue/peaks.ts';
import { units } from '../catalogue/units.ts';
import { relations } from '../config/thresholds.ts';
import type { Thresholds } from '../config/thresholds.ts';
import { guestLines, hostLines, labels } from './html/panels.ts';
import type { ReportMetric } from './shared/model.ts';

/** How one metric is taken from rows. */
export interface PlannedMetric extends ReportMetric {
  readonly id: string;
  readonly slot: number;
  /** Of its largest value in the time of a sample, in rows that have it; -1 for none. */
  readonly peak: number;
  /** Slots of the rates of operations that it is a mean over; none for a mean over time. */
  readonly operations: readonly number[];
}

/** The metrics that a report shows of a scope, in the order of its plots. @param thresholds whose levels are told */
export function planOf(scope: 'host' | 'vm', thresholds: Thresholds): readonly PlannedMetric[] {
  const known = new Map(columns(scope).map((metric) => [metric.id, metric]));
  const peaks = new Map(peaksOf(scope).map(({ of, slot }) => [of.id, slot]));
  return (scope === 'host' ? hostLines : guestLines)
    .flatMap(({ ids }) => ids)
    .flatMap((id) => {
      const metric = known.get(id);
      if (metric === undefined) return [];
      const { slot, unit, meaning, operations } = metric;
      const key = `${scope}.${id}`;
      // Levels that are relative to another metric are no line in a plot; nor do the levels of a guest fit the host.
      const levels = relations.has(id) ? undefined : thresholds.get(id);
      return [
        {
          id,
          key,
          title: labels[key] ?? id,
          unit: unit === 'bytes' ? unit : units[unit].symbol.trim(),
          meaning,
          ...(levels !== undefined && !Number.isNaN(levels.warn) && { warn: levels.warn }),
          ...(levels !== undefined && { bad: levels.bad }),
          slot,
          peak: peaks.get(id) ?? -1,
          operations: operations.map((other) => known.get(other)?.slot ?? -1),
        },
      ];
    });
}

/** Ids of all that is read of rows: the metrics, their peaks and their operations. */
export function idsOf(scope: 'host' | 'vm', plan: readonly PlannedMetric[]): ReadonlySet<string> {
  const metrics = columns(scope);
  return new Set(
    plan.flatMap(({ id, operations }) => [
      id,
      `${id}_peak`,
      ...operations.map((slot) => metrics[slot]?.id ?? ''),
    ]),
  );
}
