import { units } from '../../catalogue/units.ts';
import type { Column } from '../shared/names.ts';

/** Writes a number for people, by its unit; the unit itself only where it was chosen by size. No blanks, one cell. */
export function human(value: number, unit: Column['unit']): string {
  if (unit === 'KiB') return size(value * 1024);
  if (unit === 'bytes') return size(value);
  if (unit === 'bytes per second') return `${size(value)}/s`;
  const { fixed } = units[unit];
  return fixed === undefined ? short(value) : value.toFixed(fixed);
}

const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Bytes with one decimal in the largest unit that keeps them at 1 or more: 1536 is 1.5KiB. */
function size(bytes: number): string {
  let value = bytes;
  let power = 0;
  // What would be rounded up to 1024.0 is 1.0 of the next unit.
  while (Math.abs(value) >= 1023.95 && power < sizes.length - 1) {
    value /= 1024;
    power++;
  }
  return `${power === 0 ? short(value) : value.toFixed(1)}${sizes[power] ?? ''}`;
}

/** At most three decimals. */
function short(value: number): string {
  return Math.abs(value) < 1e9 ? String(Math.round(value * 1000) / 1000) : value.toFixed(0);
}
