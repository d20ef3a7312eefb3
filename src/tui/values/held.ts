import type { Row } from '../../catalogue/row.ts';

/** What was known, by slot, when the monitor of a guest answered last: only of rows of guests whose monitor has just missed. */
const held = new WeakMap<Row, Float64Array>();

/** Lets values stand for those that a row does not know now; undefined for none. */
export function hold(row: Row, values: Float64Array | undefined): void {
  if (values === undefined) held.delete(row);
  else held.set(row, values);
}

/**
 * What a value of a guest was while its monitor answered, for one that is not known because it has just missed; NaN where
 * there is none. Only the table shows such values, and marks them.
 */
export function heldValue(row: Row, slot: number): number {
  return held.get(row)?.[slot] ?? NaN;
}
