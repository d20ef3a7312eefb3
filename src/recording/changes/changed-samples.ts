import { columns as metricsOf } from '../../catalogue/catalogue.ts';
import type { CollectorName, Metric } from '../../catalogue/catalogue.ts';
import { perScope, scopes } from '../../catalogue/define.ts';
import type { PerScope, Scope } from '../../catalogue/define.ts';
import { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree } from '../../catalogue/row-tree.ts';
import { holds } from '../../formats/changes/changes-printer.ts';
import type { Sample } from '../../sampling/sample.ts';
import { markTwins } from '../../sampling/twins.ts';
import { intervalOf, timeOf } from '../format.ts';
import type { Fields } from '../format.ts';
import { PackedValues } from './packed-values.ts';
import { collectorOrder, describe, emptyTree, recordedVm } from '../recorded-rows.ts';
import type { RecordedVm } from '../recorded-rows.ts';

/** Rows of one sample at most, those of parts included: twenty for each of a thousand guests. */
const MOST_ROWS = 20_000;
/** Texts that are remembered at most, and characters of one: nobody knows what a node sends. */
const MOST_TEXTS = 10_000;
const LONGEST_SHARED = 100;
/** Scopes at most, and columns of one. */
const MOST_COLUMNS = 4096;

/** The metrics of each scope by their ids. */
const known: PerScope<ReadonlyMap<string, Metric>> = perScope(
  (scope) => new Map(metricsOf(scope).map((metric) => [metric.id, metric])),
);

/** Why a record is no sample: it is damaged, or one before it is missing. */
export type Unreadable = 'damaged' | 'gap';

/** The rows of a scope as a record has them. */
interface Table {
  /** Undefined for one that this catalogue does not know. */
  readonly scope: Scope | undefined;
  readonly parent: string;
  /** What each column is; undefined for what the catalogue does not know. */
  readonly columns: readonly (Metric | undefined)[];
}

/** A row of the record. */
interface Placed {
  readonly table: Table;
  /** Undefined for one that has no place in a sample. */
  readonly row: Row | undefined;
  /** The guest whose row it is; undefined for other rows and those of parts. */
  readonly vm: RecordedVm | undefined;
}

/**
 * Makes samples of what `formats/changes/changes-printer.ts` prints, of one host. A sample and its rows are used again for the next one, and its rows
 * are bounded in number, whoever sends it.
 */
export class ChangedSamples {
  private readonly values = new PackedValues();
  private readonly host = emptyTree('host');
  private readonly agent = emptyTree('agent');
  private tables: readonly Table[] = [];
  private vms: readonly RecordedVm[] = [];
  private rows: readonly Placed[] = [];
  private collectors: readonly CollectorName[] = [];
  private last: Pick<Sample, 'run' | 'seq'> | undefined;
  /** Whether a guest came that was not in the sample before. */
  private hasNew = false;

  /**
   * @param fields of a whole record
   * @returns why it is none, after which the one before is not valid either and the next must tell everything
   */
  read({ '@timestamp': timestamp, run, seq, interval, changes }: Fields): Sample | Unreadable {
    const time = timeOf(timestamp);
    if (typeof run !== 'string' || !Number.isSafeInteger(seq) || Number.isNaN(time)) return 'damaged';
    if (!Buffer.isBuffer(changes)) return 'damaged';
    const { last } = this;
    const number = seq as number;
    this.last = undefined;
    this.values.open(changes);
    try {
      const what = this.count(holds.columns + holds.lists);
      if ((what & holds.columns) !== 0) this.readColumns();
      else if (last?.run !== run || number !== last.seq + 1) return 'gap';
      if ((what & holds.lists) !== 0) this.readLists();
      this.readRows();
    } catch (error) {
      if (error instanceof RangeError) return 'damaged';
      throw error;
    }
    this.last = { run, seq: number };
    return {
      time,
      run,
      seq: number,
      interval: intervalOf(interval, time),
      host: this.host,
      guests: this.vms,
      agent: this.agent,
      collectors: this.collectors,
      runs: [],
    };
  }

  /** @throws RangeError where there is no count from 0 on, or a larger one */
  private count(most: number): number {
    const count = this.values.number();
    if (Number.isSafeInteger(count) && count >= 0 && count <= most) return count;
    throw new RangeError(`found the count ${count}, expected at most ${most}`);
  }

  private readColumns(): void {
    const { values } = this;
    this.tables = Array.from({ length: this.count(MOST_COLUMNS) }, (): Table => {
      const name = values.text();
      const parent = values.text() ?? '';
      const scope = scopes.find((each) => each === name);
      const length = this.count(MOST_COLUMNS);
      return { scope, parent, columns: Array.from({ length }, () => metricOf(scope, values.text())) };
    });
    const ran = new Set(this.tables.flatMap(({ columns }) => columns.map((column) => column?.collector)));
    this.collectors = collectorOrder.filter((name) => ran.has(name));
    this.rows = [];
    this.vms = [];
    for (const tree of [this.host, this.agent]) forget(tree);
  }

  private readLists(): void {
    const before = new Map(this.vms.map((vm) => [vm.guest.key, vm]));
    const rows: Placed[] = [];
    const length = this.count(MOST_ROWS);
    this.readTree('host', this.host, rows);
    const vms = new Map<string, RecordedVm>();
    for (let index = 0; index < length; index++) {
      const key = this.values.text();
      if (key === undefined || vms.has(key)) throw new RangeError('found a guest without a key of its own');
      const vm = before.get(key) ?? recordedVm(key);
      vms.set(key, vm);
      this.readTree('vm', vm, rows, vm);
    }
    this.readTree('agent', this.agent, rows);
    this.rows = rows;
    this.vms = [...vms.values()];
    this.hasNew = this.vms.some(({ guest }) => !before.has(guest.key));
  }

  private readTree(root: 'host' | 'vm' | 'agent', tree: AnyRowTree, rows: Placed[], vm?: RecordedVm): void {
    const table = this.tables.find(({ scope }) => scope === root);
    if (table === undefined) throw new RangeError(`found no columns of ${root}`);
    rows.push({ table, row: tree.row, vm });
    for (const each of this.tables) {
      if (each.parent !== root) continue;
      const length = this.count(MOST_ROWS - rows.length);
      const part = partsOf(root).find(({ scope }) => scope === each.scope);
      const list = part && (rowsOf(tree, part) as Row[]);
      if (list !== undefined) list.length = Math.min(list.length, length);
      for (let index = 0; index < length; index++)
        rows.push({ table: each, row: list && (list[index] ??= new Row(part.scope)), vm: undefined });
    }
  }

  private readRows(): void {
    const { rows } = this;
    const { length } = rows;
    for (let at = this.count(length); at < length; at += 1 + this.count(length)) {
      const { table, row, vm } = rows[at] as Placed;
      this.readRow(table, row);
      if (vm !== undefined) describe(vm);
    }
    if (this.hasNew) markTwins(this.vms);
    this.hasNew = false;
  }

  private readRow({ columns }: Table, row: Row | undefined): void {
    const { values } = this;
    row?.changed();
    for (let left = this.count(columns.length); left > 0; left--) {
      const column = columns[this.count(columns.length - 1)];
      if (column === undefined || row === undefined) values.skip();
      else if (column.kind === 'text') {
        row.texts[column.slot] = onlyCopy(values.text());
        row.textsChanged();
      } else values.numberInto(row.values, column.slot);
    }
  }
}

/** Texts of all hosts: those of thousands of guests are few, and compared the fastest where equal ones are one. */
const texts = new Map<string, string>();

function onlyCopy(text: string | undefined): string | undefined {
  if (text === undefined || text.length > LONGEST_SHARED) return text;
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= MOST_TEXTS) texts.clear();
  texts.set(text, text);
  return text;
}

/** Undefined for what the catalogue does not know. */
function metricOf(scope: Scope | undefined, id = ''): Metric | undefined {
  return scope && known[scope].get(id);
}

/** Forgets the rows of a tree, and their values. */
function forget(tree: AnyRowTree): void {
  const { scope } = tree.row;
  tree.row.clear();
  for (const part of partsOf(scope as 'host' | 'agent')) (rowsOf(tree, part) as Row[]).length = 0;
}
