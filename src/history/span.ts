/** A part of a recording. */
export interface Span {
  /** Of the first and the last sample at most, ms since 1970; -Infinity and Infinity for all there is. */
  readonly from: number;
  readonly to: number;
  /** Where to begin to look at it; undefined for its begin. */
  readonly at?: number;
}

export const everything: Span = { from: -Infinity, to: Infinity };

export function isWithin(time: number, { from, to }: Span): boolean {
  return time >= from && time <= to;
}
