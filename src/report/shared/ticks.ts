import type { Zone } from './model.ts';
import { offsetAt } from './words.ts';

/** Steps between ticks, seconds. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/**
 * Round times of the clock of a zone in a span, also where that clock is changed in it: hours that it shows twice have two
 * ticks.
 *
 * @param most ticks at most, or nearly so
 * @returns ms since 1970, ascending
 */
export function ticksOf(zone: Zone, from: number, to: number, most: number): number[] {
  const wanted = (to - from) / 1000 / Math.max(1, most);
  const seconds = steps.find((step) => step >= wanted) ?? 86_400 * Math.ceil(wanted / 86_400);
  const step = seconds * 1000;
  const ticks: number[] = [];
  // By each offset that the clock has in the span; a tick is where the clock has that one at the time.
  for (const minutes of new Set(zone.offsets.map(([, offset]) => offset))) {
    const ahead = minutes * 60_000;
    for (let clock = Math.ceil((from + ahead) / step) * step; clock <= to + ahead; clock += step)
      if (offsetAt(zone, clock - ahead) === minutes) ticks.push(clock - ahead);
  }
  return ticks.sort((a, b) => a - b);
}
