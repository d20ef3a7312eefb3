import type { Unit } from '../../catalogue/metric.ts';
import { human } from '../../formats/text/human.ts';

const suffixes: Readonly<Partial<Record<Unit, string>>> = {
  percent: '%',
  'MiB per second': ' MiB/s',
  'megabit per second': ' Mbit/s',
  'per second': '/s',
  seconds: ' s',
  ms: ' ms',
  'ms per second': ' ms/s',
  'us per second': ' us/s',
  MHz: ' MHz',
};

/** A number with its unit, for a sentence: `43.2%`, `1.5GiB`, `25.00 ms`. */
export function quantity(value: number, unit: Unit): string {
  return human[unit](value) + (suffixes[unit] ?? '');
}
