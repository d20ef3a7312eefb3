import { columns as metricsOf } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import type { Scope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Unit } from '../../catalogue/metric.ts';
import { BADGE_WIDTH } from '../values/badge.ts';
import type { View } from './views.ts';

/** A column of a table: a metric of the rows, or what names the VM that a row belongs to. */
export interface ViewColumn {
  readonly id: string;
  readonly heading: string;
  readonly metric: Metric;
  readonly unit: Unit;
  /** Texts stand at the left of their column, numbers at the right. */
  readonly text: boolean;
  /** Whose row it is read from: its own, that of the VM that a device belongs to, or that of the node. */
  readonly of: 'row' | 'vm' | 'node';
  /** Whether it shows the badge of the guest. */
  readonly badge: boolean;
  /** Columns of the screen that its texts and its heading need; those of column `name` follow the names. */
  readonly width: number;
}

/** The id of the column that names the node of a row. */
export const NODE = 'node';
/** The metric that a badge is about. */
const STATE = 'state';

/**
 * Headings other than the catalogue's titles in the tables of a scope: percentages of a VM are means over its vCPUs, where
 * those of esxtop are sums; GRANT is what the host gives there, MCTL what the balloon takes; and what the process of QEMU reads and writes is not what the guest does.
 */
const headings: Readonly<Partial<Record<Scope, Readonly<Record<string, string>>>>> = {
  vm: {
    cpu_cores: 'VCPUS',
    cpu_total: '%USED/v',
    cpu_steal: '%RDY/v',
    ram_used: 'GUEST',
    ram_actual: 'ACTUAL',
    io_read_mib: 'PMBRD/s',
    io_write_mib: 'PMBWR/s',
  },
};

/** Texts by their usual lengths. */
const textWidths: Readonly<Record<string, number>> = {
  vmid: 6,
  name: 8,
  UUID: 36,
  pid: 7,
  guest_type: 6,
  tags: 16,
  lock: 9,
  qmp: 7,
  device: 11,
  disk_path: 40,
  disk_type: 9,
  disk_dmname: 24,
  net_interfaces: 24,
  host_name: 16,
};

/** Of texts about nodes. */
const nodeWidths: Readonly<Record<string, number>> = { name: 12, hostname: 16, state: 11, verdict: 48 };

/**
 * All columns that a view can show: what names a row, what the view is about, then what other collectors know of it, each in
 * the order of the catalogue. The state stands in the {@link badgeColumn}.
 */
export function columnsOf(view: View): readonly ViewColumn[] {
  const isDeviceOfVm = entityOf(view.scope).parent === 'vm';
  const vm = isDeviceOfVm ? metricsOf('vm').filter(isIdentity) : [];
  const all = metricsOf(view.scope);
  const own = all.filter((metric) => isIdentity(metric) || isOfView(metric, view));
  const others = all.filter((metric) => metric.collector !== '-' && !isOfView(metric, view));
  return [
    ...(view.scope === 'host' ? nodeColumns : []),
    ...vm.map((metric) => column(metric, 'vm', view)),
    ...[...own, ...others].map((metric) => column(metric, 'row', view)),
  ];
}

/** The columns of rows of devices where they are listed by themselves: those that the catalogue shows by default. */
export function deviceColumns(scope: Scope): readonly ViewColumn[] {
  return metricsOf(scope)
    .filter(({ shown }) => shown === 'default')
    .map((metric) => column(metric, 'row'));
}

/** What is known of the node of a row, in views of several nodes: its name first. */
export const nodeColumns: readonly ViewColumn[] = metricsOf('agent_node').map((metric) => {
  const width = Math.max(metric.title.length, nodeWidths[metric.id] ?? 0);
  const id = metric.id === 'name' ? NODE : `node_${metric.id}`;
  return { ...column(metric, 'node'), id, width };
});

/** The ids of the columns that a view shows at first: identities that people know VMs by, then what it measures. */
export function defaultColumns(view: View): readonly string[] {
  if (view.columns !== undefined) return view.columns;
  const hidden = ['UUID', 'pid', 'qmp', 'qmp_age'];
  const shown = columnsOf(view).filter(
    ({ id, metric }) =>
      metric.shown === 'default' && !hidden.includes(id) && (isIdentity(metric) || isOfView(metric, view)),
  );
  const names = shown.filter(({ id }) => ['vmid', 'name', 'device'].includes(id));
  names.sort((one, other) => Number(other.id === 'vmid') - Number(one.id === 'vmid'));
  const isType = ({ id }: ViewColumn): boolean => id === 'guest_type';
  const values = shown.filter((each) => !names.includes(each) && !isType(each));
  return [...names, ...values, ...shown.filter(isType)].map(({ id }) => id);
}

/** Whether a column stays on the screen when the others are scrolled sideways: without it nobody knows the row. */
export function isPinned({ id }: ViewColumn): boolean {
  return id === 'vmid' || id === 'name' || id === 'device' || id === STATE || id === NODE;
}

/** The column that stands behind the names in every table of guests or their devices; undefined in one of the host. */
export function badgeColumn(view: View): ViewColumn | undefined {
  if (!(view.scope === 'vm' || entityOf(view.scope).parent === 'vm')) return undefined;
  const metric = metricsOf('vm').find(({ id }) => id === STATE);
  return metric && { ...column(metric, 'vm', view), badge: true, width: BADGE_WIDTH };
}

function isIdentity({ collector, id }: Metric): boolean {
  return collector === '-' && id !== STATE;
}

function isOfView({ collector }: Metric, { collectors }: View): boolean {
  return collectors.some((name) => name === collector);
}

function column(metric: Metric, of: ViewColumn['of'], view?: View): ViewColumn {
  const { id, title, unit, kind } = metric;
  const text = kind === 'text';
  const heading = view?.headings?.[id] ?? headings[metric.scope]?.[id] ?? title;
  const width = Math.max(heading.length, text ? (view?.widths?.[id] ?? textWidths[id] ?? 12) : 0);
  return { id, heading, metric, unit, text, of, badge: false, width };
}
