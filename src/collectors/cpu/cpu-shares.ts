import type { Counters } from '../../kernel/base/counters.ts';
import { growth, steppedBack } from '../../kernel/base/counters.ts';
import { TICKS_PER_S } from '../../kernel/base/ticks.ts';
import { procStatCounters } from '../../kernel/proc/proc-stat.ts';

/** By how many ticks a CPU may seem to have stood still in a short interval. */
const FEW_TICKS = 2;

/** What the percentages are shares of. The kernel counts guest inside user and guest_nice inside nice. */
const summands = (['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const).map(
  (name) => procStatCounters[name],
);

/**
 * All the time that CPUs spent between two readings, in ticks. NaN where the whole is not known: a counter of it went backwards, or
 * it is not the time that passed. A CPU that is switched off or on makes the kernel tell its idle time by another clock,
 * which can be minutes off. Only iowait, which tickless kernels set back by a tick or two now and then, counts as not
 * having moved.
 *
 * Source: Documentation/filesystems/proc.rst, /proc/stat.
 * @param elapsed seconds
 * @param fewest how many CPUs they are of at least
 */
export function wholeTicks(
  before: Counters,
  after: Counters,
  elapsed: number,
  fewest: number,
  most: number,
): number {
  let sum = 0;
  for (const counter of summands) {
    const ticks = growth(before, after, counter);
    if (ticks > 0) sum += ticks;
    else if (counter !== procStatCounters.iowait && steppedBack(before, after, counter)) return NaN;
  }
  if (sum === 0) return NaN;
  if (!(elapsed > 0)) return sum;
  // The bounds are wide: time is told in ticks.
  const perCpu = elapsed * TICKS_PER_S;
  const isPossible = sum >= fewest * (perCpu / 3 - FEW_TICKS) && sum <= most * (perCpu * 3 + TICKS_PER_S);
  return isPossible ? sum : NaN;
}
