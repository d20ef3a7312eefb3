import { units } from '../../catalogue/units.ts';
import type { Unit } from '../../catalogue/units.ts';
import { human } from '../../formats/text/human.ts';

/** A number with its unit, for a sentence: `43.2%`, `1.5GiB`, `25.00 ms`. */
export function quantity(value: number, unit: Unit): string {
  return human(value, unit) + units[unit].symbol;
}
