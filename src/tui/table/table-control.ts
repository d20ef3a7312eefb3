import type { Metric } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample, GuestRows } from '../../sampling/sample.ts';
import { isMerged } from '../../cluster/merge.ts';
import type { ClusterNode } from '../../cluster/cluster-sample.ts';
import { badgeColumn, columnsOf, defaultColumns, NODE, nodeColumns } from './view-columns.ts';
import type { ViewColumn } from './view-columns.ts';
import { RowCursor } from './row-cursor.ts';
import { tableFrame } from './frame.ts';
import type { TableFrame } from './frame.ts';
import { HostPanel } from './panel.ts';
import type { Judge } from '../analysis/judge.ts';
import type { Moment } from '../moments/moment.ts';
import { FieldsPage } from '../pages/fields.ts';
import type { Line, Size } from '../screen/spans.ts';
import { wrap } from '../../base/strings/wrap.ts';
import { line } from '../screen/spans.ts';
import { guestChoices } from '../preferences.ts';
import type { Preferences, ViewPreferences } from '../preferences.ts';
import { tableEntries, metricIn, source } from './table.ts';
import type { TableEntry } from './table.ts';
import { Trouble } from './trouble.ts';
import { verdictLines } from './verdict-lines.ts';
import { viewOf, views } from './views.ts';
import type { View } from './views.ts';

/** Which table is shown, and how: what the user chose with keys, and what that makes of a sample. */
export class TableControl {
  readonly cursor = new RowCursor();
  /** Part of a name, vmid, UUID, tag or device; '' for everything. */
  filter = '';
  /** Keys of the VMs that are expanded. */
  readonly expanded = new Set<string>();
  /** Columns of each view, made once; those of several nodes have more. */
  private readonly columns = new Map(views.map((view) => [view.key, columnsOf(view)]));
  private readonly columnsOfNodes = new Map(
    views.map((view) => [
      view.key,
      view.scope === 'host' ? columnsOf(view) : [...columnsOf(view), ...nodeColumns],
    ]),
  );
  private readonly badges = new Map(views.map((view) => [view.key, badgeColumn(view)]));
  private trouble = new Trouble([]);
  private readonly hostPanel = new HostPanel();
  private columnCursor: string | undefined;
  private before: View['key'];
  private entries: readonly TableEntry[] = [];
  /** Whether the last sample was of several nodes. */
  private ofNodes = false;
  private frame: TableFrame | undefined;

  constructor(
    readonly preferences: Preferences,
    private readonly judge: Judge,
    private readonly unicode = true,
  ) {
    this.before = preferences.view;
  }

  get view(): View {
    return viewOf(this.preferences.view) ?? (views[0] as View);
  }

  get viewPreferences(): ViewPreferences {
    return this.preferences.views[this.view.key];
  }

  /** Id of the column that the rows are sorted by. */
  private get sort(): string {
    return this.viewPreferences.sort ?? this.view.sort;
  }

  /** What the rows are sorted by: the heading of a column, behind what is in trouble where the user chose nothing. */
  get sortHeading(): string {
    const heading = this.columnOf(this.sort)?.heading ?? this.sort;
    const isOfGuests = !this.view.scope.startsWith('host');
    return isOfGuests && this.viewPreferences.sort === undefined ? `red+${heading}` : heading;
  }

  /** Whether the largest number, or the last text, comes first. */
  get descending(): boolean {
    return (this.columnOf(this.sort)?.text ?? false) === this.viewPreferences.reverse;
  }

  /** The column of the cursor, or else the one that the rows are sorted by. */
  get column(): ViewColumn | undefined {
    return this.columnOf(this.columnCursor ?? this.sort);
  }

  /** The value at the cursor: of which metric, and where; undefined where there is none. */
  cell(): { readonly metric: Metric; readonly key: string; readonly column: ViewColumn } | undefined {
    const { column } = this;
    const { entry } = this.cursor;
    if (column === undefined || entry === undefined) return undefined;
    const metric = metricIn(entry, column);
    return metric && { metric, key: entry.key, column };
  }

  /** The row that a value is in, in another sample; undefined where it is not there. @param key of the entry */
  rowOf(sample: Sample, key: string, column: ViewColumn): Row | undefined {
    const entry = this.list(sample).find((each) => each.key === key);
    return entry && source(entry, column);
  }

  /** The VM of the row of the cursor. */
  get vm(): GuestRows | undefined {
    return this.cursor.entry?.vm;
  }

  /** The node of the row that the cursor was moved to; undefined while it is on whatever comes first. */
  get node(): ClusterNode | undefined {
    return this.cursor.isMoved ? this.cursor.entry?.node : undefined;
  }

  /** Shows the guests of the node of the cursor. @returns false where the table is no list of nodes */
  openNode(): boolean {
    const node = this.cursor.entry?.node;
    if (node === undefined || this.view.scope !== 'host') return false;
    this.filter = `node:${node.name}`;
    this.showKey('a');
    return true;
  }

  /** The VMs that have a line of the table. */
  get visible(): readonly GuestRows[] {
    return this.frame?.visible.flatMap(({ vm }) => vm ?? []) ?? [];
  }

  /** VMs that the filter leaves. */
  get vmsLeft(): number {
    return new Set(this.entries.flatMap(({ vm }) => vm?.guest.key ?? [])).size;
  }

  /** Shows the view that was shown before this one. */
  showBefore(): void {
    this.showKey(this.before);
  }

  /** Shows the view of a key. */
  showKey(key: View['key']): void {
    const view = viewOf(key);
    if (view !== undefined) this.show(view);
  }

  show(view: View): void {
    if (view.key === this.preferences.view) return;
    this.before = this.preferences.view;
    this.preferences.view = view.key;
    this.columnCursor = undefined;
    this.cursor.home();
  }

  /** VMs and containers, VMs alone, containers alone. */
  nextGuests(): void {
    const next = guestChoices.indexOf(this.preferences.guests) + 1;
    this.preferences.guests = guestChoices[next % guestChoices.length] ?? 'all';
    this.cursor.home();
  }

  moveSort(by: -1 | 1): void {
    const { columns } = this.viewPreferences;
    const at = columns.indexOf(this.sort);
    const next = at === -1 ? columns[0] : columns[at + by];
    if (next !== undefined) this.sortBy(next);
  }

  sortBy(id: string): void {
    this.viewPreferences.sort = id;
    this.viewPreferences.reverse = false;
  }

  reverse(): void {
    const { viewPreferences: preferences, sort } = this;
    preferences.sort = sort;
    preferences.reverse = !preferences.reverse;
  }

  /** The order of the view: trouble first, then what the view is about. */
  defaultOrder(): void {
    this.viewPreferences.sort = undefined;
    this.viewPreferences.reverse = false;
    this.cursor.home();
  }

  moveColumn(by: -1 | 1): void {
    const { columns } = this.viewPreferences;
    const at = columns.indexOf(this.columnCursor ?? this.sort);
    this.columnCursor = columns[Math.max(0, Math.min(at + by, columns.length - 1))];
  }

  /** Expands or folds the VM of the cursor. */
  expand(): void {
    const key = this.vm?.guest.key;
    if (key !== undefined && !this.expanded.delete(key)) this.expanded.add(key);
  }

  /** No filter, no chosen column, the first row. */
  reset(): void {
    this.filter = '';
    this.columnCursor = undefined;
    this.cursor.home();
  }

  /** The page that chooses the fields of this view. */
  fieldsPage(): FieldsPage {
    const { view, viewPreferences } = this;
    return new FieldsPage(
      view.name,
      this.allColumns,
      viewPreferences.columns,
      defaultColumns(view),
      (ids) => {
        viewPreferences.columns = ids;
      },
    );
  }

  /** A heading sorts, and the other way round when it does already; a row gets the cursor. @param y from the panel on */
  click(x: number, y: number): void {
    if (this.frame === undefined) return;
    const { heading, placed } = this.frame;
    const row = y - heading;
    if (row > 0) this.cursor.move(this.cursor.top + row - 1 - this.cursor.index);
    if (row !== 0) return;
    let end = 0;
    const id = placed.find(({ width }) => (end += width + 1) > x)?.column.id;
    if (id === this.sort) this.reverse();
    else if (id !== undefined && this.columnOf(id) !== undefined) this.sortBy(id);
  }

  /** Host panel, what is wrong, and table. @param found what was found of the sample; nothing where it is not given */
  lines(sample: Sample, size: Size, found?: Partial<Pick<Moment, 'verdicts' | 'recent'>>): readonly Line[] {
    const { view, preferences, judge, cursor, sort, hostPanel, unicode } = this;
    const { verdicts = [], recent } = found ?? {};
    this.trouble = new Trouble(verdicts);
    this.ofNodes = isMerged(sample);
    this.entries = this.list(sample);
    const columns = this.shownColumns;
    const shownNode = this.node?.name;
    const looks = { view, preferences, columns, sort, judge, hostPanel, shownNode, unicode };
    const state = { ...looks, entries: this.entries, cursor, recent, verdicts: verdictLines(verdicts, size) };
    this.frame = tableFrame(sample, { ...state, columnCursor: this.columnCursor }, size);
    if (this.entries.length > 0) return this.frame.lines;
    return [...this.frame.lines, ...this.nothing(sample, size)];
  }

  private list(sample: Sample): readonly TableEntry[] {
    const { view, viewPreferences: preferences, filter, expanded } = this;
    const { guests } = this.preferences;
    const trouble = preferences.sort === undefined ? this.trouble : undefined;
    return tableEntries(sample, { view, preferences, filter, guests, expanded, trouble }, this.allColumns);
  }

  /** The columns of the table: those that are chosen, the one that is sorted by, and the badge behind what names a row. */
  private get shownColumns(): readonly ViewColumn[] {
    const { columns } = this.viewPreferences;
    const ids = columns.includes(this.sort) ? columns : [...columns, this.sort];
    const found = ids.flatMap((id) => this.columnOf(id) ?? []);
    const badge = this.badges.get(this.view.key);
    const node = this.ofNodes && !ids.includes(NODE) ? this.columnOf(NODE) : undefined;
    const more = [node, badge].filter((column) => column !== undefined);
    const behind = found.findIndex(({ id }) => id === 'name') + 1;
    return [...found.slice(0, behind), ...more, ...found.slice(behind)];
  }

  private get allColumns(): readonly ViewColumn[] {
    return (this.ofNodes ? this.columnsOfNodes : this.columns).get(this.view.key) ?? [];
  }

  private columnOf(id: string): ViewColumn | undefined {
    return this.allColumns.find((column) => column.id === id);
  }

  /** Why the table is empty. */
  private nothing({ unseen, guests }: Sample, { columns }: Size): readonly Line[] {
    const isOfHost = this.view.scope.startsWith('host');
    if (this.view.scope !== 'vm' && !isOfHost && guests.length > 0 && this.filter === '')
      return [line('None of the VMs and containers has one.', 'dim')];
    if (isOfHost || this.filter !== '' || unseen === undefined) return [line(this.noneOf('runs'), 'dim')];
    return [this.noneOf('is seen'), ...wrap(capital(unseen), '', columns)].map((text) => line(text, 'warn'));
  }

  /** What there is none of. */
  private noneOf(verb: 'runs' | 'is seen'): string {
    if (this.filter !== '') return `Nothing has "${this.filter}" in its name, id or tags; Esc shows all.`;
    if (this.view.scope.startsWith('host')) return 'This host has none.';
    const wanted = { all: 'VM or container', vms: 'VM', containers: 'container' }[this.preferences.guests];
    return `No ${wanted} ${verb}.`;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
