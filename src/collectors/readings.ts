/**
 * The present reading of something and the one before, taken in turns from two records that are kept: a read fills the
 * older one, and only a successful read is committed.
 */
export class Readings<T> {
  previous: T;
  current: T;
  private taken = 0;

  constructor(make: () => T) {
    this.previous = make();
    this.current = make();
  }

  /** The record to read into. */
  get spare(): T {
    return this.previous;
  }

  /** Makes the record that was read into the present reading. */
  commit(): void {
    const older = this.current;
    this.current = this.previous;
    this.previous = older;
    this.taken++;
  }

  /** Whether there are two readings to derive from. */
  get complete(): boolean {
    return this.taken > 1;
  }
}

/**
 * Cumulative counts of things of which some come and go, or run backwards now and then: what they grew by since it was
 * first known. It never falls, which a receiver would take for a start from 0.
 */
export class Totals {
  private readonly values: Float64Array;

  constructor(length: number) {
    this.values = new Float64Array(length).fill(NaN);
  }

  /** @param growth NaN where it is not known, which adds nothing */
  add(index: number, growth: number): void {
    if (!(growth >= 0)) return;
    const before = this.values[index] as number;
    this.values[index] = before >= 0 ? before + growth : growth;
  }

  /** NaN as long as no growth was known. */
  at(index: number): number {
    return this.values[index] as number;
  }
}

/** Monotonic time in seconds, for readings. */
export function now(): number {
  return performance.now() / 1000;
}

/** `total` divided by `count`; NaN, not known, if `count` is 0. */
export function meanPerOperation(total: number, count: number): number {
  return count > 0 ? total / count : NaN;
}
