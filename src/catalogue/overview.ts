/**
 * The metrics of a guest that tell most, the best first: what it uses and waits for, the latency of its disks, its memory
 * and its traffic. Where a line has room for some of them only, it has the first of these.
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
