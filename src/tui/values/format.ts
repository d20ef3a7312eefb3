import { units } from '../../catalogue/units.ts';
import type { Unit } from '../../catalogue/units.ts';

/** How sizes are shown: with a suffix chosen by size, in MiB, or in bytes as the metric has them. */
export const unitModes = ['auto', 'MiB', 'bytes'] as const;
export type UnitMode = (typeof unitModes)[number];

const MIB = 2 ** 20;
const suffixes = ['K', 'M', 'G', 'T', 'P', 'E'];

/** Columns that a number takes at most, so that columns do not change their widths. */
const NUMBER_WIDTH = 6;
const EXACT_WIDTH = 15;

/** Columns that numbers of a unit take. */
export function numberWidth(unit: Unit, mode: UnitMode): number {
  return mode === 'bytes' && isSize(unit)
    ? EXACT_WIDTH
    : unit === 'percent'
      ? NUMBER_WIDTH - 1
      : NUMBER_WIDTH;
}

function isSize(unit: Unit): boolean {
  return unit === 'bytes' || unit === 'bytes per second';
}

/** A number as a cell of a table; the heading says what it is. NaN, which is not known, is a dash. */
export function formatNumber(value: number, unit: Unit, mode: UnitMode = 'auto'): string {
  if (Number.isNaN(value)) return '-';
  if (isSize(unit)) return size(value, mode);
  if (unit === 'seconds' && value >= 1000) return duration(value);
  const { decimals, whole } = units[unit];
  return significant(value, whole && Number.isInteger(value) ? 0 : decimals);
}

function size(bytes: number, mode: UnitMode): string {
  if (mode === 'bytes') return bytes.toFixed(0);
  if (mode === 'MiB') return significant(bytes / MIB, 1);
  return scaled(bytes, 1024, 'B');
}

/** So many decimals, fewer for large numbers: four digits tell enough. */
function significant(value: number, decimals: number): string {
  const size = Math.abs(value);
  if (size >= 99_999.5) return scaled(value, 1000, '');
  const spare = size >= 999.95 ? 0 : size >= 99.995 ? 1 : 2;
  return value.toFixed(Math.min(spare, decimals));
}

/** Three digits and a suffix, as large as can be. @param none the suffix of what is not scaled */
function scaled(value: number, base: number, none: string): string {
  let rest = value;
  let power = 0;
  // What would be rounded to 1000 is shown in the next unit.
  while (Math.abs(rest) >= 999.5 && power < suffixes.length) {
    rest /= base;
    power++;
  }
  const size = Math.abs(rest);
  const decimals = power === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${rest.toFixed(decimals)}${power === 0 ? none : (suffixes[power - 1] ?? '')}`;
}

/** A time in its largest unit: 45s, 4m, 12h, 34d. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
