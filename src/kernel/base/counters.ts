import type { Cursor } from './cursor.ts';
import { HIGH_UNIT } from './cursor.ts';

/**
 * A fixed number of cumulative 64-bit counters, each exact: low + high * 10^15. A double alone is exact only up to
 * 2^53, which a nanosecond counter passes after 104 days. NaN is a counter that is not known.
 */
export class Counters {
  readonly low: Float64Array;
  readonly high: Float64Array;

  constructor(length: number) {
    this.low = new Float64Array(length).fill(NaN);
    this.high = new Float64Array(length);
  }

  /** Reads counter `index` from the next column at the cursor. */
  read(index: number, cursor: Cursor): void {
    this.low[index] = cursor.uint();
    this.high[index] = cursor.high;
  }

  /** Sets counter `index` to a value that is exact as a double, or NaN. */
  set(index: number, value: number): void {
    this.low[index] = value;
    this.high[index] = 0;
  }

  /** Forgets every counter. */
  clear(): void {
    this.low.fill(NaN);
    this.high.fill(0);
  }

  copy(from: Counters): void {
    this.low.set(from.low);
    this.high.set(from.high);
  }

  /** The value of counter `index`, rounded to the nearest double; NaN if not known. */
  value(index: number): number {
    return (this.low[index] as number) + (this.high[index] as number) * HIGH_UNIT;
  }
}

/**
 * How much counter `index` grew between two readings, exact up to 2^53. NaN where either is not known, and where it
 * went backwards: it was reset, and what it counted since cannot be known.
 */
export function growth(previous: Counters, current: Counters, index: number): number {
  const delta = difference(previous, current, index);
  return delta >= 0 ? delta : NaN;
}

/** Whether counter `index` is known in both readings and went backwards. */
export function steppedBack(previous: Counters, current: Counters, index: number): boolean {
  return difference(previous, current, index) < 0;
}

function difference(previous: Counters, current: Counters, index: number): number {
  const low = (current.low[index] as number) - (previous.low[index] as number);
  const high = (current.high[index] as number) - (previous.high[index] as number);
  return low + high * HIGH_UNIT;
}
