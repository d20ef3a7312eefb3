/** The range that the levels divide. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/**
 * The level of a value, 0 to states - 1. With step = (max - min) / states, level i holds what is from half a step below
 * min + i * step to half a step above it; the first level holds everything below, too, and the last one everything above.
 */
export function levelOf(value: number, { min, max }: Bounds, states: number): number {
  const step = (max - min) / states;
  if (!(step > 0)) return 0;
  return Math.max(0, Math.min(states - 1, Math.floor((value - min) / step + 0.5)));
}

/** The value in the middle of a level. */
export function centreOf(level: number, { min, max }: Bounds, states: number): number {
  return min + level * ((max - min) / states);
}

/** What of the bounds is given; a side that is undefined follows the smallest or largest input. */
export interface BoundRule {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** The bounds after a period whose inputs ran from `min` to `max`. They never shrink. */
export function grow(bounds: Bounds | null, rule: BoundRule, { min, max }: Bounds): Bounds {
  const low = rule.min ?? min;
  const high = rule.max ?? max;
  return { min: Math.min(bounds?.min ?? low, low), max: Math.max(bounds?.max ?? high, high) };
}
