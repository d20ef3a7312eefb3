/** Lengths of a bucket, seconds: each divides a day, so that buckets begin where the clock shows round times. */
const lengths = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];
/** Buckets at most: two pixels of a plot for each. */
const most = 720;

/** ms that a sample may come after the time that it is about. */
const LATE = 500;

/** Parts of equal length that a span is divided into. */
export interface Buckets {
  /** Where the first one begins, ms since 1970. */
  readonly begin: number;
  /** Length of each, seconds. */
  readonly seconds: number;
  readonly count: number;
}

/**
 * @param from and `to`: times of the first and the last sample, ms since 1970
 * @param interval of the samples, seconds; NaN where not known
 */
export function bucketsOf(from: number, to: number, interval: number): Buckets {
  const span = (to - from) / 1000;
  const each = Math.max(1, Math.round(interval || 1));
  const fits = lengths.filter((length) => span / length < most && length >= each);
  // Each with as many samples as the others, if that can be. A recording of a year has longer ones: whole days.
  const seconds =
    fits.find((length) => length % each === 0) ?? fits[0] ?? 86_400 * Math.ceil(span / 86_400 / most);
  const begin = endedAt(from, seconds) - seconds * 1000;
  return { begin, seconds, count: (endedAt(to, seconds) - begin) / (seconds * 1000) };
}

/**
 * The buckets that a sample is about: that of its end, and those before it half of which it covers, as where ticks were missed.
 *
 * @param time of the sample, ms since 1970
 * @param interval of the sample, seconds
 */
export function bucketsIn(
  { begin, seconds, count }: Buckets,
  time: number,
  interval: number,
): { readonly first: number; readonly last: number } {
  const within = (bucket: number): number => Math.min(count - 1, Math.max(0, bucket));
  const last = within((endedAt(time, seconds) - begin) / (seconds * 1000) - 1);
  const first = Math.ceil((time - interval * 1000 - begin) / (seconds * 1000) - 0.5);
  return { first: Math.min(last, within(first)), last };
}

/** The end of the bucket that a sample is about: ticks are handled late at times. */
function endedAt(time: number, seconds: number): number {
  const length = seconds * 1000;
  return Math.ceil((time - Math.min(LATE, 0.05 * length)) / length) * length;
}
