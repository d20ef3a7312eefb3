import type { Metric } from '../../catalogue/catalogue.ts';
import { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { ClusterNode } from '../../cluster/cluster-sample.ts';
import { isMerged, nodeOf } from '../../cluster/merge.ts';
import type { HostRows, Sample, GuestRows } from '../../sampling/sample.ts';
import type { ViewColumn } from './view-columns.ts';
import { metricOf, textOrBlank } from '../values/row-values.ts';
import { heldValue } from '../values/held.ts';
import type { GuestChoice, ViewPreferences } from '../preferences.ts';
import type { Trouble } from './trouble.ts';
import type { View } from './views.ts';

/** A row of the table. */
export interface TableEntry {
  /** The same for the same VM or device in each sample. */
  readonly key: string;
  readonly row: Row;
  /** The VM that it is or belongs to; missing for a device of the host. */
  readonly vm?: GuestRows;
  /** The node that it is on, or is; missing in a view of one host. */
  readonly node?: ClusterNode | undefined;
  /** What stands in the place of the name: only of a row below an expanded VM. */
  readonly label?: string;
  /** Metrics of `row` that stand for others: the threads that are no vCPUs have metrics of their own in the VM's row. */
  readonly standIns?: Readonly<Record<string, string>>;
}

const otherThreads = { cpu_total: 'cpu_other_total', cpu_steal: 'cpu_other_steal' } as const;

/** What is to be listed, and how. */
interface TableQuery {
  readonly view: View;
  readonly preferences: ViewPreferences;
  /** Part of a name, vmid, UUID, tag or device, in any case; '' for everything. */
  readonly filter: string;
  readonly guests: GuestChoice;
  /** Keys of the VMs that are expanded. */
  readonly expanded: ReadonlySet<string>;
  /** Which rows come first, whatever they are sorted by; missing where the user chose the order. */
  readonly trouble?: Trouble | undefined;
}

/** The number in a column of an entry, or the one that stands for it as long as a monitor misses; NaN where it is not known. */
export function numberIn(entry: TableEntry, column: ViewColumn): number {
  const metric = metricIn(entry, column);
  if (metric === undefined) return NaN;
  const row = source(entry, column);
  const value = row.values[metric.slot] ?? NaN;
  return Number.isNaN(value) && metric.collector !== '-' ? heldValue(row, metric.slot) : value;
}

/** The text in a column of an entry; undefined where it is not known. */
export function textIn(entry: TableEntry, column: ViewColumn): string | undefined {
  const metric = metricIn(entry, column);
  return metric === undefined ? undefined : source(entry, column).texts[metric.slot];
}

/** The metric that a column shows of an entry; undefined where such a row has none. */
export function metricIn(entry: TableEntry, column: ViewColumn): Metric | undefined {
  if (column.of === 'node') return entry.node && column.metric;
  if (entry.standIns === undefined) return metricOf(source(entry, column).scope, column.id);
  const id = entry.standIns[column.id];
  return id === undefined ? undefined : metricOf(entry.row.scope, id);
}

/** The row that a column is read from. */
export function source({ row, vm, label, node }: TableEntry, { of }: ViewColumn): Row {
  if (of === 'node') return node?.row ?? row;
  return of === 'vm' && vm !== undefined && label === undefined ? vm.row : row;
}

/** The rows of a view, filtered and sorted, with those of expanded VMs below them. */
export function tableEntries(
  sample: Sample,
  query: TableQuery,
  columns: readonly ViewColumn[],
): readonly TableEntry[] {
  const { view, preferences, trouble } = query;
  const found = filtered(chosen(listed(sample, view), query.guests), query.filter);
  const byValue = sort(found, columns, preferences.sort ?? view.sort, preferences.reverse);
  const sorted = trouble === undefined ? byValue : troubleFirst(byValue, trouble);
  if (query.expanded.size === 0 || query.view.scope !== 'vm') return sorted;
  return sorted.flatMap((entry) =>
    entry.vm !== undefined && query.expanded.has(entry.key) ? [entry, ...rowsBelow(entry.vm)] : [entry],
  );
}

/** Of a node that tells nothing. */
const nothingKnown = new Row('host');

/** Every row of a view. */
function listed(sample: Sample, view: View): readonly TableEntry[] {
  const { scope } = view;
  if (scope === 'vm') return listedGuests(sample.guests);
  const ofVm = partsOf('vm').find((part) => part.scope === scope);
  if (ofVm !== undefined)
    return sample.guests.flatMap((vm) =>
      rowsOf(vm, ofVm).map((row) => ({ key: deviceKey(vm, row), row, vm, node: nodeOf(vm) })),
    );
  if (!isMerged(sample)) return ofHost(sample.host, undefined, view);
  return sample.nodes.flatMap((node) => ofHost(node.sample?.host, node, view));
}

/** Those of lists of guests, of which nearly always the next sample has the same. */
const known = new WeakMap<readonly GuestRows[], readonly TableEntry[]>();

/** The rows of guests, made anew only where the list of them is a new one. */
function listedGuests(guests: readonly GuestRows[]): readonly TableEntry[] {
  const before = known.get(guests);
  if (before !== undefined) return before;
  const entries = guests.map((vm): TableEntry => ({
    key: vm.guest.key,
    row: vm.row,
    vm,
    get node() {
      return nodeOf(vm);
    },
  }));
  known.set(guests, entries);
  return entries;
}

/** The rows of a host in a view: itself, or its devices. */
function ofHost(
  host: HostRows | undefined,
  node: ClusterNode | undefined,
  { scope, diskTypes }: View,
): readonly TableEntry[] {
  if (scope === 'host') return [{ key: node?.name ?? 'host', row: host?.row ?? nothingKnown, node }];
  if (host === undefined) return [];
  const before = node === undefined ? '' : `${node.name}/`;
  return partsOf('host')
    .filter((part) => part.scope === scope)
    .flatMap((part) => rowsOf(host, part))
    .filter((row) => diskTypes?.includes(textOrBlank(row, 'disk_type')) ?? true)
    .map((row) => ({ key: before + textOrBlank(row, 'device'), row, node }));
}

/** The rows below an expanded VM. */
function rowsBelow(vm: GuestRows): readonly TableEntry[] {
  const others = {
    key: `${vm.guest.key}/others`,
    row: vm.row,
    vm,
    node: nodeOf(vm),
    label: 'other threads',
    standIns: otherThreads,
  };
  return partsOf('vm').flatMap((part) => {
    const isVcpu = part.scope === 'vm_vcpu';
    const entries = rowsOf(vm, part).map((row): TableEntry => {
      const device = textOrBlank(row, 'device');
      return { key: deviceKey(vm, row), row, vm, label: isVcpu ? `vcpu ${device}` : device };
    });
    return isVcpu && vm.guest.type === 'qemu' ? [...entries, others, ...threadsOf(vm)] : entries;
  });
}

/** The threads that run no vCPU, as far as they are told one by one. */
function threadsOf(vm: GuestRows): readonly TableEntry[] {
  return (vm.threads ?? []).map((row) => ({
    key: deviceKey(vm, row),
    row,
    vm,
    label: textOrBlank(row, 'device'),
  }));
}

/** The key of the entry of a device of a guest. */
export function deviceKey({ guest }: GuestRows, row: Row): string {
  return `${guest.key}/${row.scope}/${textOrBlank(row, 'device')}`;
}

/** Those of the guests that are wanted, and all of the host. */
function chosen(entries: readonly TableEntry[], guests: GuestChoice): readonly TableEntry[] {
  if (guests === 'all') return entries;
  return entries.filter(({ vm }) => vm === undefined || (vm.guest.type === 'qemu') === (guests === 'vms'));
}

function filtered(entries: readonly TableEntry[], filter: string): readonly TableEntry[] {
  if (filter === '') return entries;
  const wanted = filter.toLowerCase();
  const ofNode = /^node:(.*)$/.exec(wanted)?.[1];
  if (ofNode !== undefined) return entries.filter(({ node }) => node?.name.toLowerCase() === ofNode);
  return entries.filter((entry) => searched(entry).some((text) => text.toLowerCase().includes(wanted)));
}

function searched({ row, vm, node }: TableEntry): string[] {
  const device = row === vm?.row ? [] : ['device', 'disk_dmname'].map((id) => textOrBlank(row, id));
  const own = node === undefined ? device : [...device, node.name];
  return vm === undefined
    ? own
    : [...own, ...['name', 'vmid', 'UUID', 'tags'].map((id) => textOrBlank(vm.row, id))];
}

/** Rows in trouble before the others, each in the order that they had. */
function troubleFirst(entries: readonly TableEntry[], trouble: Trouble): readonly TableEntry[] {
  const failed: TableEntry[] = [];
  const suffering: TableEntry[] = [];
  for (const entry of entries) {
    const rank = trouble.rank(entry);
    if (rank !== 0) (rank === 2 ? failed : suffering).push(entry);
  }
  if (failed.length + suffering.length === 0) return entries;
  const first = new Set([...failed, ...suffering]);
  return [...first, ...entries.filter((entry) => !first.has(entry))];
}

const collator = new Intl.Collator('en', { numeric: true });

/** Numbers from the largest down, texts from A up, or the other way; what is not known comes last either way. */
function sort(
  entries: readonly TableEntry[],
  columns: readonly ViewColumn[],
  id: string,
  reverse: boolean,
): readonly TableEntry[] {
  const column = columns.find((candidate) => candidate.id === id);
  if (column === undefined) return entries;
  const sign = reverse ? -1 : 1;
  if (column.text) {
    const keyed = entries.map((entry) => ({ entry, text: textIn(entry, column) ?? '' }));
    keyed.sort((one, other) =>
      one.text === '' || other.text === ''
        ? Number(one.text === '') - Number(other.text === '')
        : sign * collator.compare(one.text, other.text),
    );
    return keyed.map(({ entry }) => entry);
  }
  // Lists of numbers: an object for each row would be garbage, 180 KiB a second with 3200 guests.
  const values = new Float64Array(entries.length);
  const order = new Uint32Array(entries.length);
  for (let index = 0; index < entries.length; index++) {
    values[index] = numberIn(entries[index] as TableEntry, column);
    order[index] = index;
  }
  order.sort((one, other) => compare(values[one] as number, values[other] as number, sign));
  const sorted: TableEntry[] = [];
  for (let place = 0; place < order.length; place++)
    sorted.push(entries[order[place] as number] as TableEntry);
  return sorted;
}

/** Orders two values; NaN comes last. @param sign 1 for the largest first, -1 for the smallest */
function compare(one: number, other: number, sign: number): number {
  const unknown = Number(Number.isNaN(one)) - Number(Number.isNaN(other));
  return Number.isNaN(one) || Number.isNaN(other) ? unknown : sign * (other - one);
}
