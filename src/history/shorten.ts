import { columns } from '../catalogue/catalogue.ts';
import type { Metric } from '../catalogue/catalogue.ts';
import { perScope } from '../catalogue/define.ts';
import type { RootScope } from '../catalogue/entities.ts';
import { peaksOf } from '../catalogue/peaks.ts';
import type { Row } from '../catalogue/row.ts';
import { partsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { AnyRowTree } from '../catalogue/row-tree.ts';
import type { Sample } from '../sampling/sample.ts';

/** Changes in every record, and says nothing of means over more than a poll: monitors are polled as often as a history writes. */
const pointless = 'detail_age';
/** Verbose metrics that verdicts go by, although no level judges them. */
const needed = ['cpu_throttled', 'ram_swapin', 'disk_flushes'];

/**
 * Whether a history has a metric: not, if it is one for experts (verbose) that changes in every sample, such as the bytes
 * behind megabits, and neither judges anything nor weighs a mean that does.
 */
export function isKept({ id, scope, shown, kind, levels }: Metric): boolean {
  if (id === pointless) return false;
  if (shown === 'default' || kind === 'text' || kind === 'gauge' || levels !== undefined) return true;
  const weighs = columns(scope).some(({ operations }) => operations.includes(id));
  return weighs || needed.includes(id);
}

/**
 * Slots of what is dropped; of percentages, of their peaks, of all other numbers that are no levels, of levels; and which
 * peak is whose.
 */
const plans = perScope((scope) => {
  const peaks = peaksOf(scope);
  const numbers = columns(scope).filter(({ kind }) => kind !== 'text');
  const slots = (metrics: readonly Metric[]): number[] => metrics.map(({ slot }) => slot);
  const changing = numbers.filter(({ kind }) => kind !== 'gauge');
  const isPercent = ({ unit }: Metric): boolean => unit === 'percent';
  const isOther = (metric: Metric): boolean => !isPercent(metric);
  return {
    dropped: [
      ...slots(numbers.filter((metric) => !isKept(metric))),
      ...slots(peaks.filter(({ of }) => !isKept(of))),
    ],
    percentages: slots(changing.filter(isPercent)),
    percentPeaks: slots(peaks.filter(isPercent)),
    others: slots([...changing, ...peaks].filter(isOther)),
    levels: slots(numbers.filter(({ kind }) => kind === 'gauge')),
    peaks: peaks.map(({ slot, of }) => ({ slot, of: of.slot })),
  };
});

/**
 * Makes a sample shorter, in place, by what nobody misses, and a history to less than half: without the metrics that it does
 * not keep (see {@link isKept}); percentages as the view shows them, to a tenth, but below 1 to a hundredth; rates, means over
 * operations and their peaks with three significant digits, an error of at most one in two hundred; levels that are not
 * whole with four, but whole ones at least; peaks of percentages to a tenth; without peaks that are not above their means, before or then.
 */
export function shortenSample({ host, guests, agent }: Sample): void {
  shortenTree('host', host);
  for (const guest of guests) shortenTree('vm', guest);
  shortenTree('agent', agent);
}

function shortenTree(root: RootScope, tree: AnyRowTree): void {
  shortenRow(tree.row);
  for (const part of partsOf(root)) for (const row of rowsOf(tree, part)) shortenRow(row);
}

function shortenRow({ scope, values }: Row): void {
  const { dropped, percentages, percentPeaks, others, levels, peaks } = plans[scope];
  for (const slot of dropped) values[slot] = NaN;
  dropSmall(values, peaks);
  round(values, percentages, tenthOrTwoDigits);
  round(values, percentPeaks, tenth);
  round(values, others, threeDigits);
  for (const slot of levels) {
    const value = values[slot] as number;
    if (value % 1 !== 0 && !Number.isNaN(value)) values[slot] = fourDigits(value);
  }
  dropSmall(values, peaks);
}

/** Peaks that are not above their means. */
function dropSmall(
  values: Float64Array,
  peaks: readonly { readonly slot: number; readonly of: number }[],
): void {
  for (const { slot, of } of peaks)
    if ((values[slot] as number) <= (values[of] as number)) values[slot] = NaN;
}

function round(values: Float64Array, slots: readonly number[], rounded: (value: number) => number): void {
  for (const slot of slots) {
    const value = values[slot] as number;
    // Most are 0 or not known.
    if (value !== 0 && !Number.isNaN(value)) values[slot] = rounded(value);
  }
}

/** Also of the smallest ones something is left: 0 means that nothing was there. */
function tenthOrTwoDigits(value: number): number {
  const size = Math.abs(value);
  if (size >= 1) return tenth(value);
  return size >= 0.01 ? Math.round(value * 100) / 100 : Number(value.toPrecision(1));
}

function tenth(value: number): number {
  return Math.abs(value) >= 100 ? threeDigits(value) : Math.round(value * 10) / 10;
}

/** By comparisons alone: logarithms take ten times as long. */
function threeDigits(value: number): number {
  const size = Math.abs(value);
  if (size < 100) return size >= 0.01 ? fewDecimals(value, size) : Number(value.toPrecision(3));
  if (size >= 1e15) return value;
  let step = 1;
  while (size >= step * 1000) step *= 10;
  return Math.round(value / step) * step;
}

function fewDecimals(value: number, size: number): number {
  if (size >= 10) return Math.round(value * 10) / 10;
  if (size >= 1) return Math.round(value * 100) / 100;
  return size >= 0.1 ? Math.round(value * 1e3) / 1e3 : Math.round(value * 1e4) / 1e4;
}

function fourDigits(value: number): number {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value);
  if (size >= 100) return Math.round(value * 10) / 10;
  if (size >= 10) return Math.round(value * 100) / 100;
  return size >= 1 ? Math.round(value * 1000) / 1000 : Number(value.toPrecision(4));
}
