import type { Counters } from '../../kernel/base/counters.ts';
import { growth, steppedBack } from '../../kernel/base/counters.ts';
import { TICKS_PER_S } from '../../kernel/base/ticks.ts';
import { procStatCounters } from '../../kernel/proc/proc-stat.ts';

/** Ticks by which a CPU may fall short in a short interval. */
const FEW_TICKS = 2;

/** What the percentages are shares of. The kernel counts guest inside user and guest_nice inside nice. */
const summands = (['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const).map(
  (name) => procStatCounters[name],
);

/**
 * All the time that CPUs spent between two readings, in ticks. NaN where the total is not known: one of its counters went
 * backwards, or it does not match the elapsed time. When a CPU is switched off or on the kernel takes its idle time from
 * another clock, which can be minutes off. Only iowait, which tickless kernels set back by a tick or two now and then,
 * counts as not having moved.
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
  // The bounds are wide, because time is counted in ticks.
  const perCpu = elapsed * TICKS_PER_S;
  const isPossible = sum >= fewest * (perCpu / 3 - FEW_TICKS) && sum <= most * (perCpu * 3 + TICKS_PER_S);
  return isPossible ? sum : NaN;
}
