import { isDeepStrictEqual } from 'node:util';
import { isObject, record } from '../base/untyped/values.ts';
import type { Fields } from '../base/untyped/values.ts';
import { columnsOf, defaultColumns } from './table/view-columns.ts';
import { unitModes } from './values/format.ts';
import type { UnitMode } from './values/format.ts';
import { views } from './table/views.ts';
import type { View, ViewKey } from './table/views.ts';

/** How one view looks. */
export interface ViewPreferences {
  /** Ids of the columns, in order. */
  columns: readonly string[];
  /** Id of the column that the user chose to sort by; undefined for the order of the view, with trouble first. */
  sort: string | undefined;
  /** Numbers are sorted from the largest down and texts from A up, or the other way. */
  reverse: boolean;
}

/** Which guests the tables show; the key t goes from one to the next. */
export const guestChoices = ['all', 'vms', 'containers'] as const;
export type GuestChoice = (typeof guestChoices)[number];

/** What the user chose; key W keeps it. */
export interface Preferences {
  view: ViewKey;
  guests: GuestChoice;
  units: UnitMode;
  /** Columns for names; 0 for as many as the names need and the screen has. */
  nameWidth: number;
  /** Rows of the table at most; 0 for as many as fit. */
  rows: number;
  readonly views: Readonly<Record<ViewKey, ViewPreferences>>;
}

/** The preferences of someone who has chosen nothing. */
export function defaultPreferences(): Preferences {
  const all = views.map((view) => [view.key, defaultView(view)] as const);
  return {
    view: 'a',
    guests: 'all',
    units: 'auto',
    nameWidth: 0,
    rows: 0,
    views: Object.fromEntries(all) as Record<ViewKey, ViewPreferences>,
  };
}

/** How a view looks at first. */
function defaultView(view: View): ViewPreferences {
  return { columns: defaultColumns(view), sort: undefined, reverse: false };
}

/**
 * What of the preferences differs from those at first, to be kept as JSON: what a later version shows at first is seen
 * wherever the user changed nothing.
 */
export function changedPreferences(preferences: Preferences): Fields {
  const { views: all, ...others } = preferences;
  const { views: untouched, ...first } = defaultPreferences();
  const changedViews = views.flatMap(({ key }) => {
    const changed = differing(all[key], untouched[key]);
    return Object.keys(changed).length === 0 ? [] : [[key, changed] as const];
  });
  return {
    ...differing(others, first),
    ...(changedViews.length > 0 && { views: Object.fromEntries(changedViews) }),
  };
}

/** The members of an object that are not as in another one. */
function differing(one: object, other: object): Fields {
  const before = new Map(Object.entries(other));
  return Object.fromEntries(
    Object.entries(one).filter(([name, value]) => !isDeepStrictEqual(value, before.get(name))),
  );
}

/**
 * Settings as they were kept, perhaps by another version or an editor: what is not understood is as at first.
 *
 * @param kept as parsed from JSON
 */
export function readPreferences(kept: unknown): Preferences {
  const preferences = defaultPreferences();
  if (!isObject(kept)) return preferences;
  preferences.view = views.find(({ key }) => key === kept['view'])?.key ?? preferences.view;
  preferences.guests = guestChoices.find((choice) => choice === kept['guests']) ?? preferences.guests;
  preferences.units = unitModes.find((mode) => mode === kept['units']) ?? preferences.units;
  preferences.nameWidth = count(kept['nameWidth']) ?? preferences.nameWidth;
  preferences.rows = count(kept['rows']) ?? preferences.rows;
  const keptViews = record(kept['views']);
  for (const view of views) {
    const own = keptViews[view.key];
    if (isObject(own)) readView(view, own, preferences.views[view.key]);
  }
  return preferences;
}

function readView(view: View, kept: Fields, preferences: ViewPreferences): void {
  const ids = new Set(columnsOf(view).map(({ id }) => id));
  if (Array.isArray(kept['columns'])) {
    const known = kept['columns'].filter((id): id is string => typeof id === 'string' && ids.has(id));
    if (known.length > 0) preferences.columns = [...new Set(known)];
  }
  if (typeof kept['sort'] === 'string' && ids.has(kept['sort'])) preferences.sort = kept['sort'];
  if (typeof kept['reverse'] === 'boolean') preferences.reverse = kept['reverse'];
}

/** A whole number from 0 to 1000. */
function count(value: unknown): number | undefined {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1000 ? Number(value) : undefined;
}
