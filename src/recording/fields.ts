import { columns } from '../catalogue/catalogue.ts';
import type { CollectorName, Metric } from '../catalogue/catalogue.ts';
import { perScope } from '../catalogue/define.ts';
import type { PerScope, Scope } from '../catalogue/define.ts';
import { peaksOf } from '../catalogue/peaks.ts';
import { originalColumn } from '../formats/shared/names.ts';
import type { Column } from '../formats/shared/names.ts';
import { MS_PER_TICK } from '../kernel/base/ticks.ts';

/** Where a field of a recorded object belongs in a row. */
export interface Field {
  readonly text: boolean;
  readonly slot: number;
  /** Whose metric it is; undefined for what is there whichever collectors ran. */
  readonly collector: CollectorName | undefined;
  /** Turns a printed number into the unit of the metric. @param interval of the sample in seconds */
  readonly restore: ((value: number, interval: number) => number) | undefined;
}

/** The fields of each scope. */
export const recordedFields: PerScope<ReadonlyMap<string, Field>> = perScope(fieldsOf);

/** The same with the largest values; their slots are behind those of the metrics. */
export const recordedFieldsWithPeaks: PerScope<ReadonlyMap<string, Field>> = perScope(
  (scope) =>
    new Map([...recordedFields[scope], ...peaksOf(scope).map((peak) => [peak.id, fieldOf(peak)] as const)]),
);

/** The fields of a scope by the names that printers give them: our own, and those of the original program. */
function fieldsOf(scope: Scope): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const metric of columns(scope)) {
    const column = originalColumn(metric);
    if (column !== undefined)
      fields.set(column.id, { ...fieldOf(metric), slot: column.slot, restore: inverseOf(column, metric) });
  }
  for (const metric of columns(scope)) fields.set(metric.id, fieldOf(metric));
  return fields;
}

function fieldOf({ collector, id, kind, slot }: Metric): Field {
  const always = collector === '-' || id === 'host_name';
  return { text: kind === 'text', slot, collector: always ? undefined : collector, restore: undefined };
}

/** The inverse of what {@link originalColumn} does to a number, as far as there is one: cumulative totals have none. */
function inverseOf({ unit }: Column, metric: Metric): Field['restore'] {
  if (unit === 'KiB') return (value) => value * 1024;
  if (unit === 'count' && metric.unit === 'per second') return (value, interval) => value / interval;
  if (unit === 'count' && metric.unit === 'ms per second')
    return (value, interval) => (value * MS_PER_TICK) / interval;
  // The original wrote 0 where there was no operation whose latency could be known.
  if (metric.id.startsWith('disk_lat_')) return (value) => value || NaN;
  return undefined;
}
