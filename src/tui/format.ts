import type { Unit } from '../metrics/define.ts';

/** How sizes are shown: with a suffix chosen by size, in MiB, or in bytes as the metric has them. */
export const unitModes = ['auto', 'MiB', 'bytes'] as const;
export type UnitMode = (typeof unitModes)[number];

const MIB = 2 ** 20;
const suffixes = ['B', 'K', 'M', 'G', 'T', 'P', 'E'];

/** Columns that a number of each unit takes at least, so that columns do not change their widths. */
export const unitWidths: Readonly<Record<Unit, number>> = {
  '-': 8,
  count: 5,
  percent: 6,
  ratio: 5,
  bytes: 7,
  'bytes per second': 7,
  'MiB per second': 7,
  'megabit per second': 7,
  'per second': 6,
  seconds: 6,
  ms: 7,
  'ms per second': 6,
  'us per second': 7,
  MHz: 5,
};

/** A number as a cell of a table; the heading says what it is. NaN, which is not known, is a dash. */
export function formatNumber(value: number, unit: Unit, mode: UnitMode = 'auto'): string {
  if (Number.isNaN(value)) return '-';
  switch (unit) {
    case 'bytes':
    case 'bytes per second':
      return size(value, mode);
    case 'seconds':
      return value < 1000 ? significant(value, 1) : duration(value);
    case 'count':
    case 'MHz':
      return Number.isInteger(value) ? String(value) : significant(value, 2);
    case 'percent':
    case 'per second':
    case 'ms per second':
    case 'us per second':
      return significant(value, 1);
    case '-':
    case 'ratio':
    case 'ms':
    case 'MiB per second':
    case 'megabit per second':
      return significant(value, 2);
  }
}

function size(bytes: number, mode: UnitMode): string {
  if (mode === 'bytes') return bytes.toFixed(0);
  if (mode === 'MiB') return significant(bytes / MIB, 1);
  let value = bytes;
  let power = 0;
  // What would be rounded to 1000 is shown in the next unit.
  while (Math.abs(value) >= 999.5 && power < suffixes.length - 1) {
    value /= 1024;
    power++;
  }
  const decimals = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(decimals)}${suffixes[power] ?? ''}`;
}

/** So many decimals, less for large numbers: four digits tell enough. */
function significant(value: number, decimals: number): string {
  const spare = value >= 999.95 ? 0 : value >= 99.995 ? 1 : 2;
  return value.toFixed(Math.min(spare, decimals));
}

function duration(seconds: number): string {
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
