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

/** On screens that are narrower than this the badge is cut. */
const NARROW = 60;
const CUT_BADGE = 4;

/** What decides about the place of columns. */
interface Wishes {
  /** Columns of the screen. */
  readonly width: number;
  /** Of names, as the user chose; 0 for what fits. */
  readonly nameWidth: number;
  /** Of the longest name. */
  readonly longestName: number;
  readonly units: UnitMode;
  /** Id of the column that the rows are sorted by, which is always seen; missing where they are not sorted. */
  readonly sort?: string;
  /** Id of the column that must be seen. */
  readonly cursor: string | undefined;
}

/**
 * The columns that fit side by side, with a blank between two. The one that is sorted by comes to the front where it would
 * not fit otherwise. Those that name the row come first as soon as others are scrolled out of sight, which happens only as
 * far as the column of the cursor needs it.
 */
export function place(columns: readonly ViewColumn[], wishes: Wishes): readonly Placed[] {
  const placed = columns.map((column) => ({ column, width: widthOf(column, columns, wishes) }));
  const whole = fitting(placed, wishes.width);
  const has = (list: readonly Placed[], id: string | undefined): boolean =>
    list.some(({ column }) => column.id === id);
  const isSeen = (id: string | undefined): boolean => !has(placed, id) || has(whole, id);
  if (isSeen(wishes.sort) && isSeen(wishes.cursor)) return whole;
  const sorted = placed.find(({ column }) => column.id === wishes.sort && !isPinned(column));
  const pinned = pinnedOf(placed, sorted, wishes.width);
  const others = placed.filter((each) => !isPinned(each.column) && each !== sorted);
  const cursor = others.findIndex(({ column }) => column.id === wishes.cursor);
  for (let hidden = 0; hidden < cursor; hidden++) {
    const shown = fitting([...pinned, ...others.slice(hidden)], wishes.width);
    if (shown.length > pinned.length + cursor - hidden) return shown;
  }
  return fitting([...pinned, ...others.slice(Math.max(0, cursor))], wishes.width);
}

/** What names a row, and the column that is sorted by, if there is one; where both do not fit the number gives way to it. */
function pinnedOf(placed: readonly Placed[], sorted: Placed | undefined, width: number): readonly Placed[] {
  const names = placed.filter(({ column }) => isPinned(column));
  if (sorted === undefined) return names;
  const all = [...names, sorted];
  return fitting(all, width).length === all.length ? all : all.filter(({ column }) => column.id !== 'vmid');
}

function widthOf(column: ViewColumn, columns: readonly ViewColumn[], wishes: Wishes): number {
  if (column.id === 'name') return widthOfNames(columns, wishes);
  if (column.badge && wishes.width < NARROW) return CUT_BADGE;
  return plainWidth(column, wishes.units);
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
