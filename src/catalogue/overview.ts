/**
 * The most useful metrics of a guest, best first: CPU used and waited for, latency of its disks, memory and traffic. If a
 * line has room for some of them only, it shows the first ones.
 */
export const overview = [
  'vmid',
  'name',
  'cpu_used',
  'cpu_steal',
  'disk_lat_avg',
  'ram_rss',
  'net_rx_mbit',
  'net_tx_mbit',
  'disk_reads',
  'disk_writes',
  'disk_read_mib',
  'disk_write_mib',
  'cpu_total',
  'cpu_steal_max',
  'cpu_other_total',
  'ram_used',
  'ram_swap',
  'net_rx_drop_percent',
  'psi_some_cpu_avg10',
  'psi_some_io_avg10',
  'guest_type',
  'ram_limit_used',
] as const;
