import type { Cursor } from './cursor.ts';
import { HIGH_UNIT } from './cursor.ts';

/**
 * A fixed number of cumulative 64-bit counters, each exact: low + high * 10^15. A double alone is exact only up to
 * 2^53, which a nanosecond counter passes after 104 days. NaN is a counter that is not known.
 */
export class Counters {
  /**
   * Low and high of each, side by side. One array and not two: a host of 1000 VMs has 30 000 of these, and an array costs
   * 200 bytes beside what is in it.
   */
  readonly parts: Float64Array;

  constructor(length: number) {
    this.parts = new Float64Array(2 * length).fill(NaN);
  }

  get length(): number {
    return this.parts.length / 2;
  }

  /** Reads counter `index` from the next column at the cursor. */
  read(index: number, cursor: Cursor): void {
    this.parts[2 * index] = cursor.uint();
    this.parts[2 * index + 1] = cursor.high;
  }

  /** Sets counter `index` to a value that is exact as a double, or NaN. */
  set(index: number, value: number): void {
    this.parts[2 * index] = value;
    this.parts[2 * index + 1] = 0;
  }

  /** Forgets every counter. */
  clear(): void {
    this.parts.fill(NaN);
  }

  copy(from: Counters): void {
    const { parts } = this;
    // A call of `set` costs more than the few that there are.
    for (let i = 0; i < parts.length; i++) parts[i] = from.parts[i] as number;
  }

  /** The value of counter `index`, rounded to the nearest double; NaN if not known. */
  value(index: number): number {
    return (this.parts[2 * index] as number) + (this.parts[2 * index + 1] as number) * HIGH_UNIT;
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
  const { parts: before } = previous;
  const { parts: after } = current;
  const low = (after[2 * index] as number) - (before[2 * index] as number);
  const high = (after[2 * index + 1] as number) - (before[2 * index + 1] as number);
  return low + high * HIGH_UNIT;
}
