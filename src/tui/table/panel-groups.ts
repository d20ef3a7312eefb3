/**
 * Lines of the host panel, from the top down: a label and what is shown of the host, the most telling first, as many as fit.
 * Each is the id of a metric, or the name of a slot of panel-slots.ts.
 */
export const panelGroups = {
  cpu: [
    'CPU',
    [
      'busy',
      'vcpus',
      'load',
      'cpu_user',
      'cpu_system',
      'cpu_iowait',
      'cpu_steal',
      'cpu_idle',
      'psi_some_cpu_avg10',
      'cpu_curfreq',
    ],
  ],
  cpus: ['CPUS', ['cpus']],
  numa: ['NUMA', ['numa']],
  load: [
    'LOAD',
    [
      'cpu_load1',
      'cpu_load5',
      'cpu_load15',
      'cpu_guest',
      'psi_some_cpu_avg10',
      'psi_some_cpu_avg60',
      'cpu_irq',
      'cpu_softirq',
      'cpu_nice',
      'power',
      'power_idle',
    ],
  ],
  mem: [
    'MEM',
    [
      'ram_state',
      'memory',
      'ram_total',
      'ram_available',
      'ram_swapused',
      'ram_overcommit',
      'ram_zfsarc',
      'ram_cached',
      'ram_free',
    ],
  ],
  swap: [
    'SWAP',
    ['ram_swaptotal', 'ram_swapfree', 'ram_ksm', 'ram_anonpages', 'psi_some_mem_avg10', 'psi_full_mem_avg10'],
  ],
  disk: [
    'DISK',
    [
      'disk_reads',
      'disk_writes',
      'disk_read_mib',
      'disk_write_mib',
      'disk_await',
      'disk_util',
      'disk_queue_length',
    ],
  ],
  net: [
    'NET',
    [
      'net_rx_mbit',
      'net_tx_mbit',
      'net_rx_packets',
      'net_tx_packets',
      'net_rx_drop_percent',
      'net_tx_drop_percent',
      'net_speed',
    ],
  ],
  pressure: [
    'PSI',
    [
      'psi_some_io_avg10',
      'psi_full_io_avg10',
      'psi_some_mem_avg10',
      'psi_full_mem_avg10',
      'psi_some_cpu_avg10',
      'psi_some_io_avg60',
      'psi_full_io_avg60',
    ],
  ],
} as const satisfies Readonly<Record<string, readonly [label: string, ids: readonly string[]]>>;
