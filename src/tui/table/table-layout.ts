import { isPinned } from './view-columns.ts';
import type { ViewColumn } from './view-columns.ts';
import { numberWidth } from '../values/format.ts';
import type { UnitMode } from '../values/format.ts';

/** A column and the width it has on the screen. */
export interface Placed {
  readonly column: ViewColumn;
  readonly width: number;
}

/** Names are not narrower unless the screen is, and not wider unless the user says so. */
const NARROWEST_NAME = 14;
/** Share of a narrow screen that names get. */
const SHARE = 3;
const WIDEST_NAME = 40;

/** What decides about the place of columns. */
interface Wishes {
  /** Columns of the screen. */
  readonly width: number;
  /** Of names, as the user chose; 0 for what fits. */
  readonly nameWidth: number;
  /** Of the longest name. */
  readonly longestName: number;
  readonly units: UnitMode;
  /** Id of the column that must be seen. */
  readonly cursor: string | undefined;
}

/**
 * The columns that fit side by side, with a blank between two. Those that name the row come first as soon as others are
 * scrolled out of sight, which happens only as far as the column of the cursor needs it.
 */
export function place(columns: readonly ViewColumn[], wishes: Wishes): readonly Placed[] {
  const placed = columns.map((column) => ({ column, width: widthOf(column, columns, wishes) }));
  const pinned = placed.filter(({ column }) => isPinned(column));
  const others = placed.filter(({ column }) => !isPinned(column));
  const cursor = others.findIndex(({ column }) => column.id === wishes.cursor);
  const whole = fitting(placed, wishes.width);
  if (cursor === -1 || whole.some(({ column }) => column.id === wishes.cursor)) return whole;
  for (let hidden = 1; hidden < cursor; hidden++) {
    const shown = fitting([...pinned, ...others.slice(hidden)], wishes.width);
    if (shown.length > pinned.length + cursor - hidden) return shown;
  }
  return fitting([...pinned, ...others.slice(cursor)], wishes.width);
}

function widthOf(column: ViewColumn, columns: readonly ViewColumn[], wishes: Wishes): number {
  return column.id === 'name' ? widthOfNames(columns, wishes) : plainWidth(column, wishes.units);
}

/** Names give way until all columns fit. */
function widthOfNames(
  columns: readonly ViewColumn[],
  { width, nameWidth, longestName, units }: Wishes,
): number {
  if (nameWidth > 0) return nameWidth;
  const others = columns.reduce(
    (sum, each) => sum + (each.id === 'name' ? 0 : plainWidth(each, units) + 1),
    0,
  );
  const narrowest = Math.min(NARROWEST_NAME, Math.floor(width / SHARE));
  const wanted = Math.min(WIDEST_NAME, Math.max(narrowest, longestName));
  return Math.max(narrowest, Math.min(wanted, width - others));
}

function plainWidth({ text, width, unit }: ViewColumn, units: UnitMode): number {
  return text ? width : Math.max(width, numberWidth(unit, units));
}

/** The first columns, as many as fit; the first one always. */
function fitting(columns: readonly Placed[], width: number): readonly Placed[] {
  let used = -1;
  const end = columns.findIndex((column, index) => (used += column.width + 1) > width && index > 0);
  return end === -1 ? columns : columns.slice(0, end);
}
