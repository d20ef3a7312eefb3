/**
 * How the number of the original program differs: it has another unit, counts over the interval instead of per second, is
 * the counter itself, is 0 where ours is not known, or counts from the other end of the tap.
 */
export type OriginalDifference =
  | 'KiB'
  | 'per interval'
  | 'ticks'
  | 'us, cumulative'
  | '0 without operations'
  | 'original: tap view, rx and tx swapped';

/** What the original program had in place of a metric. */
export interface Original {
  readonly id: string;
  /** Left out: its number is ours. A difference that a group of metrics shares stands at the first of the group. */
  readonly differs?: OriginalDifference;
}

/** It as one text, the difference in parentheses; '' where there is none. */
export function originalText(original: Original | undefined): string {
  if (original === undefined) return '';
  return original.differs === undefined ? original.id : `${original.id} (${original.differs})`;
}
