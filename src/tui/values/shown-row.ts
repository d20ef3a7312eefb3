import { Row } from '../../catalogue/row.ts';

/** A row of what the view shows. */
export class ShownRow extends Row {
  /** What was known, by slot, when the monitor of the guest answered last; missing while it answers, or too long ago. */
  held: Float64Array | undefined;
}

/**
 * What a value of a guest was while its monitor answered, for one that is not known because it has just missed; NaN where
 * there is none. Only the table shows such values, and marks them.
 */
export function heldValue(row: Row, slot: number): number {
  return row instanceof ShownRow ? (row.held?.[slot] ?? NaN) : NaN;
}
