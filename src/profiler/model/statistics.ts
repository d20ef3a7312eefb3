/** What is known of all inputs of a metric that were counted. */
export interface Statistics {
  avg: number;
  /** Inputs counted. */
  count: number;
  stddevsum: number;
}

/** The inputs of one period. */
export interface Summary {
  readonly mean: number;
  readonly count: number;
  /** What the period adds to stddevsum. */
  readonly stddevsum: number;
  readonly min: number;
  readonly max: number;
}

export function noStatistics(): Statistics {
  return { avg: 0, count: 0, stddevsum: 0 };
}

/** Sums up the inputs of a period, at least one. @param runningAvg the mean of all periods before */
export function summarize(values: readonly number[], runningAvg: number): Summary {
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const mean = sum / values.length;
  let stddevsum = 0;
  for (const value of values) stddevsum += (value - runningAvg) * (value - mean);
  return { mean, count: values.length, stddevsum, min, max };
}

/** Adds a period: the mean is weighted by the inputs. */
export function addPeriod(stats: Statistics, { mean, count, stddevsum }: Summary): void {
  const total = stats.count + count;
  stats.avg = (stats.avg * stats.count + mean * count) / total;
  stats.count = total;
  stats.stddevsum += stddevsum;
}

/** The standard deviation; 0 before anything was counted, and where rounding left less than nothing. */
export function stddev({ stddevsum, count }: Statistics): number {
  return count === 0 ? 0 : Math.sqrt(Math.max(0, stddevsum) / count);
}

/**
 * Whether an input lies further than `limit` standard deviations from the running mean. While no spread is known
 * (nothing counted yet, or all inputs were equal) nothing is an outlier: else a constant load could never change.
 */
export function isOutlier(value: number, stats: Statistics, limit: number): boolean {
  if (limit < 0) return false;
  const deviation = stddev(stats);
  return deviation > 0 && Math.abs(value - stats.avg) > limit * deviation;
}
