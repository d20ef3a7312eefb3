import { columns } from '../../catalogue/catalogue.ts';
import type { CollectorName, Metric } from '../../catalogue/catalogue.ts';
import type { Scope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import { peaksOf } from '../../catalogue/peaks.ts';
import { originalColumn, ownColumn } from './names.ts';
import type { Column } from './names.ts';
import type { PrinterSettings } from '../printer.ts';

/** Which columns are printed; independent of the values of a row. */
export type ColumnSettings = Pick<PrinterSettings, 'verbose' | 'names' | 'peaks'>;

/**
 * The columns to print for rows of a scope, in order: who the row is about first, then the metrics of the collectors
 * that ran. Verbose ones and peaks only when wanted. Empty where the original's names are wanted and it had none in this scope.
 */
export function printedColumns(
  scope: Scope,
  { verbose, names, peaks = false }: ColumnSettings,
  collectors: readonly CollectorName[],
): readonly Column[] {
  const all = peaks ? [...columns(scope), ...peaksOf(scope)] : columns(scope);
  const metrics = all.filter((metric) => verbose || metric.shown === 'default');
  const identity = metrics.filter(isIdentity);
  const measured = metrics.filter(
    (metric) => !isIdentity(metric) && collectors.some((name) => name === metric.collector),
  );
  return [...identity, ...measured].flatMap((metric) => named(metric, names) ?? []);
}

/** The columns that name a host or a VM on lines about something else, such as their devices. */
export function identityColumns(scope: 'host' | 'vm', { names }: ColumnSettings): readonly Column[] {
  const metrics = columns(scope).filter(({ id }) => entityOf(scope).identity.includes(id));
  return metrics.flatMap((metric) => named(metric, names) ?? []);
}

/** What is printed whichever collectors ran. The host's name comes from a collector but says whose row it is. */
function isIdentity({ scope, collector, id }: Metric): boolean {
  return collector === '-' || entityOf(scope).identity.includes(id);
}

/** The original had no rows per device; their names stay as they are, or one could not tell the rows apart. */
function named(metric: Metric, names: PrinterSettings['names']): Column | undefined {
  return names === 'proxtop' || metric.id === 'device' ? ownColumn(metric) : originalColumn(metric);
}

/** Caches what depends on the collectors that ran, and makes it again when they change. */
export class PerCollectors<T> {
  private readonly make: (collectors: readonly CollectorName[]) => T;
  private current: { readonly key: string; readonly made: T } | undefined;

  constructor(make: (collectors: readonly CollectorName[]) => T) {
    this.make = make;
  }

  get(collectors: readonly CollectorName[]): T {
    const key = collectors.join();
    if (this.current?.key !== key) this.current = { key, made: this.make(collectors) };
    return this.current.made;
  }
}
