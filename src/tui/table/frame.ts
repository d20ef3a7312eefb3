import { slots } from '../../catalogue/catalogue.ts';
import type { Sample } from '../../sampling/sample.ts';
import { isMerged } from '../../cluster/merge.ts';
import { clusterLine, complaintLines } from './cluster-line.ts';
import type { PanelLook } from './panel-slots.ts';
import type { RowCursor } from './row-cursor.ts';
import type { ViewColumn } from './view-columns.ts';
import type { Judge } from '../analysis/judge.ts';
import type { RecentValues } from '../analysis/recent-values.ts';
import type { HostPanel } from './panel.ts';
import { textWidth } from '../../base/strings/glyphs.ts';
import { line } from '../screen/spans.ts';
import type { Line, Size } from '../screen/spans.ts';
import type { Preferences } from '../preferences.ts';
import type { TableEntry } from './table.ts';
import { place } from './table-layout.ts';
import type { Placed } from './table-layout.ts';
import { entryLine, headingLine } from './table-lines.ts';
import { trendsOf } from './trend.ts';
import type { View } from './views.ts';

/** What a table is drawn from. */
interface TableState {
  readonly view: View;
  readonly preferences: Preferences;
  readonly columns: readonly ViewColumn[];
  /** Id of the column that the rows are sorted by. */
  readonly sort: string;
  readonly entries: readonly TableEntry[];
  readonly cursor: RowCursor;
  /** Id of the column of the cursor. */
  readonly columnCursor: string | undefined;
  readonly judge: Judge;
  readonly hostPanel: HostPanel;
  /** Name of the node whose host is shown; undefined for all of them. */
  readonly shownNode: string | undefined;
  readonly unicode: boolean;
  /** Between panel and headings. */
  readonly verdicts: readonly Line[];
  /** Undefined where no values of the past are known. */
  readonly recent: RecentValues | undefined;
}

/** Host panel and table as lines, and where what can be clicked is. */
export interface TableFrame {
  readonly lines: readonly Line[];
  /** The entries that have a line. */
  readonly visible: readonly TableEntry[];
  /** Index of the line of headings. */
  readonly heading: number;
  readonly placed: readonly Placed[];
}

const { name: NAME } = slots('identity', 'vm');

/** Lines that others need: headings, and a few rows at least. */
const ROWS_FIRST = 4;
/** Lines of the table for each one of the panel. */
const ROWS_PER_PANEL_LINE = 4;

/** Host panel, headings and as many rows as there is room for; moves the cursor to where its row is now. */
export function tableFrame(sample: Sample, state: TableState, size: Size): TableFrame {
  const { preferences, sort, entries, cursor, judge, unicode, verdicts } = state;
  const { units } = preferences;
  const panelHeight = Math.max(0, Math.floor((size.rows - ROWS_FIRST) / ROWS_PER_PANEL_LINE));
  const look = { columns: size.columns, units, judge, unicode };
  const panel = panelLines(sample, state, panelHeight, look);
  const above = [...panel, ...verdicts, ...notice(sample, entries)];
  const room = Math.max(0, size.rows - above.length - 1);
  const height = preferences.rows === 0 ? room : Math.min(room, preferences.rows);
  cursor.follow(entries, height);
  const placed = place(state.columns, {
    width: size.columns,
    nameWidth: preferences.nameWidth,
    longestName: longestName(sample, entries),
    units,
    sort,
    cursor: state.columnCursor,
  });
  const visible = entries.slice(cursor.top, cursor.top + height);
  const trends = trendsBehind(placed, visible, sample, state, size);
  const rows = visible.map((entry, index) => [
    ...entryLine(entry, placed, { units, judge, selected: cursor.top + index === cursor.index }),
    ...(trends?.lines[index] ?? []),
  ]);
  const heading = [...headingLine(placed, sort, state.columnCursor), ...(trends?.heading ?? [])];
  return { lines: [...above, heading, ...rows], visible, heading: above.length, placed };
}

/** The last two minutes of what is sorted by, behind all columns; undefined where these leave no room. */
function trendsBehind(
  placed: readonly Placed[],
  visible: readonly TableEntry[],
  { time }: Sample,
  { columns, sort, cursor, recent, judge, unicode }: TableState,
  size: Size,
): ReturnType<typeof trendsOf> {
  const column = columns.find(({ id }) => id === sort);
  if (column === undefined || recent === undefined || placed.length < columns.length) return undefined;
  const room = placed.reduce((left, { width }) => left - width - 1, size.columns);
  return trendsOf(visible, cursor.entry, { column, room, recent, time, judge, unicode });
}

/** About the host; of several nodes about that of the row that the cursor was moved to, or about all. */
function panelLines(
  sample: Sample,
  { view, hostPanel, shownNode }: TableState,
  height: number,
  look: PanelLook,
): readonly Line[] {
  if (!isMerged(sample)) return hostPanel.lines(view, sample, height, look);
  const node = sample.nodes.find(({ name }) => name === shownNode);
  if (node?.sample !== undefined) return hostPanel.lines(view, node.sample, height, look);
  return height < 1 ? [] : [clusterLine(sample)];
}

/** Why more guests may run than there are rows; an empty table says it itself. */
function notice(sample: Sample, entries: readonly TableEntry[]): readonly Line[] {
  const { unseen } = sample;
  if (isMerged(sample)) return complaintLines(sample);
  return unseen === undefined || entries.length === 0 ? [] : [line(unseen, 'warn')];
}

/** Width of the longest name of a VM, and of what stands in the column of names below expanded ones. */
function longestName({ guests }: Sample, entries: readonly TableEntry[]): number {
  let longest = 0;
  for (const { row } of guests) longest = Math.max(longest, textWidth(row.texts[NAME] ?? ''));
  for (const { label = '' } of entries) if (label.length >= longest) longest = label.length + 1;
  return longest;
}
