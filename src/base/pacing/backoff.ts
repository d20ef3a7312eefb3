const floor = 250;
const first = 500;
const cap = 30_000;

/**
 * How long to wait before the next attempt, in ms: anywhere (full jitter) between 250 ms and a ceiling that starts at 500
 * ms, doubles with every failed attempt and ends at 30 s. The jitter keeps the hosts of a fleet from coming back all at
 * once; the floor prevents a busy loop.
 *
 * @param attempt failed attempts before this one, from 0
 * @param random yields numbers in [0, 1)
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = doubled(attempt, first, cap);
  return floor + random() * (ceiling - floor);
}

/** A wait that starts at `from`, doubles with every failed attempt and ends at `to`. @param attempt as in {@link backoff} */
export function doubled(attempt: number, from: number, to: number): number {
  return Math.min(to, from * 2 ** attempt);
}
