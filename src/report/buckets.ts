/** Lengths of a bucket, seconds: each divides a day, so that buckets begin where the clock shows round times. */
const lengths = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];
/** Buckets at most: two pixels of a plot for each. */
const most = 720;

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
  const least = interval > 0 ? interval : 1;
  // A recording of a year has longer ones: whole days.
  const seconds =
    lengths.find((length) => length >= least * 0.99 && span / length < most) ??
    86_400 * Math.ceil(span / 86_400 / most);
  // A sample is about the time before it.
  const begin = Math.floor((from - 1) / (seconds * 1000)) * seconds * 1000;
  return { begin, seconds, count: Math.max(1, Math.ceil((to - begin) / (seconds * 1000))) };
}

/** The bucket of a sample: it belongs to the time that it ends. */
export function bucketOf({ begin, seconds, count }: Buckets, time: number): number {
  const bucket = Math.ceil((time - begin) / (seconds * 1000) - 0.05) - 1;
  return Math.min(count - 1, Math.max(0, bucket));
}
