/** What a report shows: lines of one plot, by the ids of their metrics. What no sample has is left out. */
interface Lines {
  readonly title: string;
  readonly ids: readonly string[];
}

export const hostLines: readonly Lines[] = [
  { title: 'CPU time', ids: ['cpu_user', 'cpu_system', 'cpu_iowait', 'cpu_steal'] },
  {
    title: 'Pressure: time that some tasks waited',
    ids: ['psi_some_cpu_avg60', 'psi_some_io_avg60', 'psi_some_mem_avg60'],
  },
  { title: 'Memory', ids: ['ram_available', 'ram_swapused', 'ram_zfsarc'] },
  { title: 'Disks: throughput', ids: ['disk_read_mib', 'disk_write_mib'] },
  { title: 'Disks: the busiest one', ids: ['disk_util'] },
  { title: 'Disks: time an operation takes', ids: ['disk_await'] },
  { title: 'Network', ids: ['net_rx_mbit', 'net_tx_mbit'] },
];

export const guestLines: readonly Lines[] = [
  { title: 'CPU: used and waited for', ids: ['cpu_total', 'cpu_steal', 'psi_some_cpu_avg10'] },
  { title: 'Disks: latency', ids: ['disk_lat_avg'] },
  { title: 'Disks: operations', ids: ['disk_reads', 'disk_writes'] },
  { title: 'Disks: throughput', ids: ['disk_read_mib', 'disk_write_mib'] },
  { title: 'Pressure: time that tasks waited', ids: ['psi_some_io_avg10', 'psi_some_mem_avg10'] },
  { title: 'Memory', ids: ['ram_used', 'ram_rss', 'ram_swap'] },
  { title: 'Network', ids: ['net_rx_mbit', 'net_tx_mbit'] },
  { title: 'Network: lost packets', ids: ['net_rx_drop_percent', 'net_tx_drop_percent'] },
];

/** What the lines of a plot are called: the titles of the catalogue are those of narrow columns. */
export const labels: Readonly<Record<string, string>> = {
  'host.cpu_user': 'programs and guests',
  'host.cpu_system': 'kernel',
  'host.cpu_iowait': 'idle, waits for disks',
  'host.cpu_steal': 'waits for its own hypervisor',
  'host.psi_some_cpu_avg60': 'CPU',
  'host.psi_some_io_avg60': 'I/O',
  'host.psi_some_mem_avg60': 'memory',
  'host.ram_available': 'available',
  'host.ram_swapused': 'swap used',
  'host.ram_zfsarc': 'ZFS cache',
  'host.disk_read_mib': 'read',
  'host.disk_write_mib': 'written',
  'host.disk_util': 'busy',
  'host.disk_await': 'latency',
  'host.net_rx_mbit': 'received',
  'host.net_tx_mbit': 'sent',
  'vm.cpu_total': 'CPU used',
  'vm.cpu_steal': 'CPU ready (waits)',
  'vm.psi_some_cpu_avg10': 'CPU pressure',
  'vm.disk_lat_avg': 'disk latency',
  'vm.disk_reads': 'reads',
  'vm.disk_writes': 'writes',
  'vm.disk_read_mib': 'read',
  'vm.disk_write_mib': 'written',
  'vm.psi_some_io_avg10': 'I/O pressure',
  'vm.psi_some_mem_avg10': 'memory pressure',
  'vm.ram_used': 'memory used by the guest',
  'vm.ram_rss': 'memory of the host',
  'vm.ram_swap': 'in swap of the host',
  'vm.net_rx_mbit': 'received',
  'vm.net_tx_mbit': 'sent',
  'vm.net_rx_drop_percent': 'lost incoming',
  'vm.net_tx_drop_percent': 'lost outgoing',
};
