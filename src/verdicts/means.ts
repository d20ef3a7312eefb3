/** Seconds that a mean looks back, where samples come at least twice in that time. */
const WINDOW = 10;
/** Which part of the window must be known for a mean to be. */
const KNOWN = 0.7;

/** A value is capped at so many times the level where it is a symptom, so that a single spike is not a symptom. */
export const CLIP = 4;

/** How much a sample counts in means, after so many seconds since the one before: by real time, not by samples. */
export function weightOf(seconds: number): number {
  return 1 - Math.exp(-seconds / Math.max(WINDOW, 2 * seconds));
}

/** Means over the last ten seconds or so: exponentially weighted, each in a slot of its own. */
export class Means {
  /** Of each slot the mean, and behind it which part of the window was known: side by side, as both are always needed. */
  private readonly slots: Float64Array;

  constructor(size: number) {
    this.slots = new Float64Array(2 * size).fill(NaN);
  }

  /** Adds a value; NaN is one that is not known. @param weight of this sample */
  add(slot: number, value: number, weight: number): void {
    this.put(2 * slot, value, weight);
  }

  /**
   * Adds a value to each slot. Numbers that are handed on one by one are objects for V8: of 3200 guests 12 MB a second.
   * @param values by slot
   */
  addAll(values: Float64Array, weight: number): void {
    for (let slot = 0; slot < values.length; slot++) this.put(2 * slot, values[slot] as number, weight);
  }

  /** NaN where too little of the window is known. */
  of(slot: number): number {
    return (this.slots[2 * slot + 1] ?? NaN) >= KNOWN ? (this.slots[2 * slot] ?? NaN) : NaN;
  }

  /**
   * The quotient of two means, such as a latency of the time that operations took and their number, so that seconds without
   * any weigh nothing. NaN where there was nothing to divide by.
   */
  ratio(slot: number, by: number): number {
    const divisor = this.of(by);
    return divisor > 0 ? this.of(slot) / divisor : NaN;
  }

  private put(at: number, value: number, weight: number): void {
    const { slots } = this;
    const isKnown = Number.isNaN(value) ? 0 : 1;
    const known = slots[at + 1] as number;
    slots[at + 1] = Number.isNaN(known) ? isKnown : known + weight * (isKnown - known);
    if (isKnown === 0) return;
    const mean = slots[at] as number;
    slots[at] = Number.isNaN(mean) ? value : mean + weight * (value - mean);
  }
}
