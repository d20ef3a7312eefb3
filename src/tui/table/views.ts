import type { CollectorName } from '../../catalogue/catalogue.ts';
import type { PartOf } from '../../catalogue/entities.ts';
import { overview } from '../../catalogue/overview.ts';
import type { panelGroups } from './panel-groups.ts';

/** The key that shows a view. */
export type ViewKey = 'a' | 'c' | 'm' | 'd' | 'n' | 'i' | 'p' | 's' | 'l' | 'x' | 'z' | 'g' | '1' | '0';

/** What a table shows a row of. */
export type TableScope = 'vm' | 'host' | PartOf<'vm' | 'host'>;

/** A view: which rows, which metrics, how it looks until the user changes it. Metrics are named by their ids. */
export interface View {
  readonly key: ViewKey;
  /** One word for the status line. */
  readonly name: string;
  /** For the help. */
  readonly title: string;
  readonly scope: TableScope;
  /** Kinds of disks (metric disk_type); missing for rows of all kinds. */
  readonly diskTypes?: readonly string[];
  /** Whose metrics can be columns. */
  readonly collectors: readonly CollectorName[];
  /** Columns at first; missing for those that the catalogue shows by default. */
  readonly columns?: readonly string[];
  /** Headings other than the catalogue's titles, which occur twice among these columns. */
  readonly headings?: Readonly<Record<string, string>>;
  /** Of columns of texts that are longer here than elsewhere. */
  readonly widths?: Readonly<Record<string, number>>;
  /** Sorted by this at first. */
  readonly sort: string;
  /** Capital letters that sort, those of esxtop where it has them. */
  readonly sortKeys: Readonly<Record<string, string>>;
  /** Lines about the host above the table, the most important first. */
  readonly panel: readonly (keyof typeof panelGroups)[];
}

const diskSortKeys = {
  A: 'disk_await',
  R: 'disk_read_mib',
  T: 'disk_write_mib',
  U: 'disk_util',
  N: 'device',
};
const hostDisk = {
  scope: 'host_disk',
  collectors: ['disk'],
  columns: [
    'device',
    'disk_util',
    'disk_await',
    'disk_commands',
    'disk_reads',
    'disk_writes',
    'disk_read_mib',
    'disk_write_mib',
    'disk_queue_length',
    'disk_type',
    'disk_dmname',
    'disk_queue_depth',
    'disk_service_time',
  ],
  sort: 'disk_util',
  sortKeys: diskSortKeys,
  panel: ['disk', 'pressure'],
} as const;
const traffic = { sort: 'net_rx_mbit', panel: ['net'] } as const;
const trafficSortKeys = { R: 'net_rx_packets', T: 'net_tx_packets', B: 'net_rx_mbit', X: 'net_tx_mbit' };

/** All views, in the order of the help. */
export const views: readonly View[] = [
  {
    key: 'a',
    name: 'all',
    title: 'all: CPU, memory, disks and network of each VM and container',
    scope: 'vm',
    collectors: ['cpu', 'mem', 'disk', 'net', 'io', 'pressure'],
    columns: overview,
    sort: 'cpu_used',
    sortKeys: {
      U: 'cpu_used',
      R: 'cpu_steal',
      M: 'ram_rss',
      D: 'disk_lat_avg',
      B: 'net_rx_mbit',
      X: 'net_tx_mbit',
      N: 'name',
    },
    panel: ['cpu', 'mem', 'disk', 'net', 'cpus', 'numa'],
  },
  {
    key: 'c',
    name: 'CPU',
    title: 'CPU used and waited for by each VM and container',
    scope: 'vm',
    collectors: ['cpu', 'pressure', 'energy'],
    columns: [
      'vmid',
      'name',
      'cpu_used',
      'cpu_steal',
      'cpu_total',
      'cpu_total_max',
      'cpu_steal_max',
      'cpu_throttled',
      'cpu_cores',
      'cpu_contention',
      'cpu_limit_used',
      'cpu_other_total',
      'cpu_other_steal',
      'cpu_other_max',
      'psi_some_cpu_avg10',
      'guest_type',
      'cpu_limit',
      'cpu_tasks',
    ],
    sort: 'cpu_used',
    sortKeys: { U: 'cpu_used', R: 'cpu_steal', S: 'cpu_other_total', N: 'name' },
    panel: ['cpu', 'cpus', 'numa', 'load'],
  },
  {
    key: 'm',
    name: 'memory',
    title: 'memory of each VM and container',
    scope: 'vm',
    collectors: ['mem'],
    columns: [
      'vmid',
      'name',
      'ram_total',
      'ram_used',
      'ram_active',
      'ram_rss',
      'ram_ballooned',
      'ram_swap',
      'ram_swapin',
      'ram_majflt',
      'guest_type',
      'ram_limit_used',
      'ram_cache',
      'ram_oom_kills',
      'ram_ksm',
      'ram_numa_local',
    ],
    sort: 'ram_rss',
    sortKeys: { M: 'ram_total', B: 'ram_ballooned', G: 'ram_used', R: 'ram_rss', S: 'ram_swap', N: 'name' },
    panel: ['mem', 'swap', 'numa'],
  },
  {
    key: 'd',
    name: 'disk',
    title: 'virtual disks and container volumes, one row each',
    scope: 'vm_disk',
    collectors: ['disk'],
    columns: [
      'vmid',
      'name',
      'device',
      'disk_lat_avg',
      'disk_commands',
      'disk_reads',
      'disk_writes',
      'disk_limit_used',
      'disk_read_mib',
      'disk_write_mib',
      'disk_lat_rd',
      'disk_lat_wr',
      'disk_davg_rd',
      'disk_davg_wr',
      'disk_kavg_rd',
      'disk_kavg_wr',
      'disk_lat_fl',
      'disk_device',
      'disk_capacity',
      'disk_allocation',
      'guest_type',
      'disk_lat_rd_p99',
      'disk_lat_wr_p99',
    ],
    sort: 'disk_lat_avg',
    sortKeys: { R: 'disk_read_mib', T: 'disk_write_mib', A: 'disk_lat_avg', N: 'name' },
    panel: ['disk', 'pressure'],
  },
  {
    ...traffic,
    key: 'n',
    name: 'network',
    title: 'NICs of VMs and containers, one row each',
    scope: 'vm_nic',
    collectors: ['net'],
    sortKeys: { ...trafficSortKeys, N: 'name' },
  },
  {
    key: 'i',
    name: 'I/O',
    title: 'I/O and pressure of each QEMU process and container',
    scope: 'vm',
    collectors: ['io', 'pressure'],
    sort: 'io_read_mib',
    sortKeys: { R: 'io_read_mib', T: 'io_write_mib', P: 'psi_some_io_avg10', N: 'name' },
    panel: ['disk', 'pressure'],
  },
  {
    ...traffic,
    key: 'p',
    name: 'physical network',
    title: 'interfaces of the host',
    scope: 'host_nic',
    collectors: ['net'],
    sortKeys: { ...trafficSortKeys, N: 'device' },
  },
  {
    ...hostDisk,
    key: 's',
    name: 'storage',
    title: 'disks of the host: physical, md, crypt, volumes other than LVM',
    diskTypes: ['physical', 'md', 'dmraid', 'crypt', 'bcache', 'zvol', 'rbd', 'drbd', 'dm'],
  },
  { ...hostDisk, key: 'l', name: 'LVM', title: 'logical volumes of the host', diskTypes: ['lvm'] },
  { ...hostDisk, key: 'x', name: 'multipath', title: 'multipath devices of the host', diskTypes: ['mpath'] },
  {
    key: 'z',
    name: 'ZFS',
    title: 'ZFS pools of the host',
    scope: 'host_pool',
    collectors: ['disk'],
    sort: 'pool_write_mib',
    sortKeys: { R: 'pool_read_mib', T: 'pool_write_mib', N: 'device' },
    panel: ['disk', 'pressure'],
  },
  {
    key: 'g',
    name: 'sensors',
    title: 'temperatures and fans of the host',
    scope: 'host_sensor',
    collectors: ['sensors'],
    widths: { device: 32 },
    sort: 'sensor_temp',
    sortKeys: { T: 'sensor_temp', F: 'sensor_fan', N: 'device' },
    panel: ['cpu', 'load'],
  },
  {
    key: '1',
    name: 'CPUs of the host',
    title: 'CPUs of the host, with the VMs pinned to them',
    scope: 'host_cpu',
    collectors: ['cpu'],
    columns: ['device', 'cpu_busy', 'cpu_guest', 'cpu_steal', 'cpu_irq', 'cpu_softirq', 'cpu_pinned'],
    sort: 'cpu_busy',
    sortKeys: { U: 'cpu_busy', S: 'cpu_steal', I: 'cpu_softirq', N: 'device' },
    panel: ['cpu', 'load'],
  },
  {
    key: '0',
    name: 'nodes',
    title: 'hosts, one row each; Enter shows the guests of a host',
    scope: 'host',
    collectors: ['cpu', 'mem', 'pressure', 'disk', 'net', 'host'],
    columns: [
      'node',
      'node_state',
      'node_cpu_busy',
      'node_ram_percent',
      'node_guests',
      'psi_some_cpu_avg10',
      'psi_some_io_avg10',
      'psi_full_mem_avg10',
      'node_verdict',
      'cpu_load1',
      'net_rx_mbit',
      'net_tx_mbit',
      'disk_reads',
      'disk_writes',
      'node_age',
      'node_clock_offset',
      'host_name',
    ],
    headings: { psi_some_cpu_avg10: '%CPUPSI', psi_some_io_avg10: '%IOPSI', psi_full_mem_avg10: '%MEMPSI' },
    sort: 'node',
    sortKeys: {
      U: 'node_cpu_busy',
      M: 'node_ram_percent',
      G: 'node_guests',
      P: 'psi_some_cpu_avg10',
      N: 'node',
    },
    panel: ['cpu', 'mem'],
  },
];

/** The view of a key; undefined where it has none. */
export function viewOf(key: string): View | undefined {
  return views.find((view) => view.key === key);
}
