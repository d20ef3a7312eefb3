import type { BalloonReading } from '../guest.ts';

/** Seconds after which a guest's memory report no longer counts: guests are asked every 2 s, or as configured. */
const OLDEST = 30;

/**
 * Takes what QEMU knows of the balloon and what the guest reports through it. The guest's part is left out if it is too
 * old, as when its driver was stopped or it is paused, or impossible: a guest may report anything.
 * @param told all of it, but the age
 * @param reported when the guest reported, in seconds since 1970 by the clock of its host; 0 for never, undefined where
 *   nobody tells
 * @param memory bytes the VM has in all, if known
 * @param clock the same clock now
 */
export function balloonReading(
  told: Omit<BalloonReading, 'age'>,
  reported: number | undefined,
  memory: number | undefined,
  clock: number,
): BalloonReading {
  const { total, free, swapIn, swapOut, ...host } = told;
  if (reported === 0) return host;
  const age = clock - (reported ?? clock);
  // The clocks of two hosts differ, and one that is set back makes reports come from the future for a moment.
  const aged = reported === undefined || age < -OLDEST ? host : { ...host, age: Math.max(0, age) };
  const given = Math.max(host.max ?? 0, host.actual ?? 0, memory ?? 0) || Infinity;
  const possible = (total ?? 1) > 0 && (total ?? 0) <= given && (free ?? 0) <= (total ?? given);
  if (Math.abs(age) > OLDEST || !possible) return aged;
  return {
    ...aged,
    ...(total !== undefined && { total }),
    ...(free !== undefined && { free }),
    ...(swapIn !== undefined && { swapIn }),
    ...(swapOut !== undefined && { swapOut }),
  };
}
