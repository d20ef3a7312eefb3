/**
 * The present reading of something and the one before, taken in turns from two records that are kept: a read fills
 * the older one anew, and only a read that succeeded is committed.
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

/** Monotonic time in seconds, for readings. */
export function now(): number {
  return performance.now() / 1000;
}

/** `total` shared out over `count`; NaN, not known, where there was nothing to share it over. */
export function mean(total: number, count: number): number {
  return count > 0 ? total / count : NaN;
}
