import { columns, countedColumns } from '../../catalogue/catalogue.ts';
import type { CollectorName, Metric } from '../../catalogue/catalogue.ts';
import { scopes } from '../../catalogue/define.ts';
import type { Scope } from '../../catalogue/define.ts';
import { entityOf, isDevice } from '../../catalogue/entities.ts';
import type { CountUnit, Shown } from '../../catalogue/metric.ts';
import type { Row } from '../../catalogue/row.ts';
import { peaksOf } from '../../catalogue/peaks.ts';
import { units } from '../../catalogue/units.ts';

/** Where the numbers of a family come from: one slot of the rows of one scope. */
export interface SeriesSource {
  readonly metric: Metric;
  readonly shown: Shown;
  /** What of a row it is read from. */
  readonly from: 'counters' | 'values' | 'histograms';
  /** What a number is multiplied by. */
  readonly factor: number;
  /** How many digits of a counter are decimals of the base unit. */
  readonly decimals: number;
  readonly label: readonly [name: string, value: string] | undefined;
  /** Sources of the same family in rows of devices, of which it is the sum; see {@link isPublished}. */
  readonly devices: readonly SeriesSource[];
}

/** What is said of all samples of one name. */
export interface FamilyHead {
  /** Without `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  /** Base unit, with which the name ends; '' where there is none. */
  readonly unit: string;
  /** One line. */
  readonly help: string;
}

/** All samples of one name, and where their numbers come from. */
export interface Family extends FamilyHead {
  readonly sources: readonly SeriesSource[];
}

const countUnits: Readonly<Record<CountUnit, { unit: string; factor: number; decimals: number }>> = {
  one: { unit: '', factor: 1, decimals: 0 },
  bytes: { unit: 'bytes', factor: 1, decimals: 0 },
  sectors: { unit: 'bytes', factor: 512, decimals: 0 },
  ns: { unit: 'seconds', factor: 1, decimals: 9 },
  us: { unit: 'seconds', factor: 1, decimals: 6 },
  ms: { unit: 'seconds', factor: 1, decimals: 3 },
  ticks: { unit: 'seconds', factor: 1, decimals: 2 },
  uj: { unit: 'joules', factor: 1, decimals: 6 },
};

function nameOf(scope: Scope, base: string, unit: string): string {
  const { group } = entityOf(scope);
  const stem = base.startsWith(`${group}_`) ? base.slice(group.length + 1) : base;
  const suffix = unit === '' || stem.endsWith(`_${unit}`) ? '' : `_${unit}`;
  return `proxtop_${group}_${stem}${suffix}`;
}

/** The families of a scope, with one source each: a counter or histogram for each metric that has one, a gauge for each level. */
function* familiesOf(scope: Scope): Generator<Family> {
  for (const metric of countedColumns(scope)) {
    const { name, unit: countUnit, shown, help, label } = metric.counter;
    const { unit, factor, decimals } = countUnits[countUnit];
    const from = 'counters';
    const source: SeriesSource = { metric, shown, from, factor, decimals, label, devices: [] };
    yield { name: nameOf(scope, name, unit), type: 'counter', unit, help, sources: [source] };
  }
  for (const metric of columns(scope)) {
    const { base } = units[metric.unit];
    if (base === undefined) continue;
    const { unit, factor } = base;
    const { gauge, histogram, shown } = metric;
    const common = { metric, shown, factor, decimals: 0, label: undefined, devices: [] };
    if (gauge !== undefined) {
      const sources: SeriesSource[] = [{ ...common, from: 'values' }];
      yield { name: nameOf(scope, gauge, unit), type: 'gauge', unit, help: helpOf(metric), sources };
    }
    if (histogram !== undefined) {
      const sources: SeriesSource[] = [{ ...common, from: 'histograms' }];
      const { name, help } = histogram;
      yield { name: nameOf(scope, name, unit), type: 'histogram', unit, help, sources };
    }
  }
}

/** What the catalogue says of a metric, on one line. */
function helpOf({ id, formula, source }: Metric): string {
  return `${id}: ${formula === '' ? '' : `${formula}; `}from ${source}`;
}

/** A gauge for each peak of a scope. */
function* peaksIn(scope: Scope): Generator<Family> {
  for (const metric of peaksOf(scope)) {
    const { base } = units[metric.unit];
    if (base === undefined) continue;
    const { unit, factor } = base;
    const { shown } = metric;
    const source: SeriesSource = {
      metric,
      shown,
      from: 'values',
      factor,
      decimals: 0,
      label: undefined,
      devices: [],
    };
    yield {
      name: nameOf(scope, metric.id, unit),
      type: 'gauge',
      unit,
      help: metric.formula,
      sources: [source],
    };
  }
}

/** Every family of metrics of the catalogue, in its order, with all its sources. */
export const families: readonly Family[] = merge(scopes.flatMap((scope) => [...familiesOf(scope)]));

/** The largest samples of an interval, for formats that have them. */
export const peakFamilies: readonly Family[] = merge(scopes.flatMap((scope) => [...peaksIn(scope)]));

/** Puts the sources of families of one name together. */
function merge(parts: readonly Family[]): Family[] {
  const byName = new Map<string, Family>();
  for (const part of parts) {
    const first = byName.get(part.name);
    byName.set(
      part.name,
      first === undefined ? part : { ...first, sources: [...first.sources, ...part.sources] },
    );
  }
  return [...byName.values()];
}

/** What of the families is published. */
export interface Extent {
  readonly verbose: boolean;
  readonly devices: boolean;
}

/** Whether a row tells what comes from this source. A counter below 0 is none. */
function isKnown({ metric: { slot }, from }: SeriesSource, row: Row): boolean {
  if (from === 'histograms') return row.histograms?.has(slot) === true;
  if (from === 'values') return Number.isFinite(row.values[slot]);
  const count = row.counters[slot] ?? NaN;
  return count >= 0 && count < Infinity;
}

/**
 * Whether what comes from a source in a row is known and published. A sum is not where devices tell it: under one name it would
 * be counted twice. Where none does, as of a container, whose vCPUs have no rows, it is.
 *
 * @param devices the rows of the devices of what the row is about
 */
export function isPublished(source: SeriesSource, row: Row, devices: readonly Row[]): boolean {
  if (!isKnown(source, row)) return false;
  for (const part of source.devices)
    for (const device of devices)
      if (device.scope === part.metric.scope && isKnown(part, device)) return false;
  return true;
}

/**
 * The families with what is to be published of them. With rows of devices a family is told device by device where it can
 * be, and the sum over them left to the query.
 *
 * @param all the families that may be published
 */
export function publishedFamilies(
  { verbose, devices }: Extent,
  collectors: readonly CollectorName[],
  all = families,
): readonly Family[] {
  const ran = ({ collector }: Metric): boolean => collector === '-' || collectors.includes(collector);
  return all.flatMap((family) => {
    const known = family.sources.filter(
      ({ metric, shown }) => ran(metric) && (verbose || shown === 'default'),
    );
    const byDevice = devices ? known.filter(({ metric }) => isDevice(metric.scope)) : [];
    const sums = known.filter(({ metric }) => !isDevice(metric.scope));
    const sources = [...sums.map((source) => ({ ...source, devices: byDevice })), ...byDevice];
    return sources.length === 0 ? [] : [{ ...family, sources }];
  });
}
