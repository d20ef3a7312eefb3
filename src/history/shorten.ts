import { columns } from '../catalogue/catalogue.ts';
import type { Metric } from '../catalogue/catalogue.ts';
import { perScope } from '../catalogue/define.ts';
import type { RootScope } from '../catalogue/entities.ts';
import { peaksOf } from '../catalogue/peaks.ts';
import type { Row } from '../catalogue/row.ts';
import { partsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { AnyRowTree } from '../catalogue/row-tree.ts';
import type { Sample } from '../sampling/sample.ts';

/**
 * Changes in every record and says nothing about a mean over a whole poll: monitors are polled as often as a history
 * writes.
 */
const pointless = 'detail_age';
/** Verbose metrics that verdicts use, although they have no levels. */
const needed = ['cpu_throttled', 'ram_swapin', 'disk_flushes'];

/**
 * Whether a history has a metric. It leaves out verbose ones that change in every sample, such as bytes beside megabits,
 * unless they have levels or weigh a mean that has.
 */
export function isKept({ id, scope, shown, kind, levels }: Metric): boolean {
  if (id === pointless) return false;
  if (shown === 'default' || kind === 'text' || kind === 'gauge' || levels !== undefined) return true;
  const weighs = columns(scope).some(({ operations }) => operations.includes(id));
  return weighs || needed.includes(id);
}

/** Slots of what is dropped; of percentages, of all other numbers that are no levels, of levels; and the peaks that stay. */
const plans = perScope((scope) => {
  const numbers = columns(scope).filter(({ kind }) => kind !== 'text');
  const slots = (metrics: readonly Metric[]): number[] => metrics.map(({ slot }) => slot);
  const changing = numbers.filter(({ kind }) => kind !== 'gauge');
  const isPercent = ({ unit }: Metric): boolean => unit === 'percent';
  return {
    dropped: [
      ...slots(numbers.filter((metric) => !isKept(metric))),
      ...slots(peaksOf(scope).filter(({ of }) => !isKept(of))),
    ],
    percentages: slots(changing.filter(isPercent)),
    others: slots(changing.filter((metric) => !isPercent(metric))),
    levels: slots(numbers.filter(({ kind }) => kind === 'gauge')),
    peaks: peaksOf(scope)
      .filter(({ of }) => isKept(of))
      .map((peak) => ({ slot: peak.slot, of: peak.of.slot, isPercent: isPercent(peak) })),
  };
});

/**
 * Makes a sample shorter, in place, by what nobody misses, and a history to less than half: without the metrics that it does
 * not keep (see {@link isKept}); percentages as the view shows them, to a tenth, but below 1 to a hundredth; rates and means over
 * operations with three significant digits, an error of at most one in two hundred; levels that are not whole with four,
 * but whole ones at least; peaks of percentages to a tenth, of latencies with two digits; without peaks that are not above
 * their means, before or then.
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
  const { dropped, percentages, others, levels, peaks } = plans[scope];
  for (const slot of dropped) values[slot] = NaN;
  for (const { slot, of, isPercent } of peaks) {
    const peak = values[slot] as number;
    if (!Number.isNaN(peak)) values[slot] = shortPeak(peak, values[of] as number, isPercent);
  }
  round(values, percentages, percentage);
  round(values, others, threeDigits);
  for (const slot of levels) {
    const value = values[slot] as number;
    if (value % 1 !== 0 && !Number.isNaN(value)) values[slot] = fourDigits(value);
  }
}

/** NaN for a peak that is not above its mean, be it as they are or when both are rounded. */
function shortPeak(peak: number, mean: number, isPercent: boolean): number {
  if (peak <= mean) return NaN;
  const rounded = isPercent ? tenth(peak) : twoDigits(peak);
  return rounded <= (isPercent ? percentage(mean) : threeDigits(mean)) ? NaN : rounded;
}

function round(values: Float64Array, slots: readonly number[], rounded: (value: number) => number): void {
  for (const slot of slots) {
    const value = values[slot] as number;
    // Most are 0 or not known.
    if (value !== 0 && !Number.isNaN(value)) values[slot] = rounded(value);
  }
}

/** Also of the smallest ones something is left: 0 means that nothing was there. */
function percentage(value: number): number {
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

function twoDigits(value: number): number {
  const size = Math.abs(value);
  if (size >= 10) return size < 100 ? Math.round(value) : Number(value.toPrecision(2));
  if (size >= 1) return Math.round(value * 10) / 10;
  return size >= 0.1 ? Math.round(value * 100) / 100 : Number(value.toPrecision(2));
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
