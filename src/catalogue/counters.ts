import type { Metric } from './catalogue.ts';
import { columns } from './catalogue.ts';
import type { Scope, Shown } from './define.ts';

/** What one count of a reading is, in a base unit: a power of ten of it, or so many of it. */
export type CountUnit = 'one' | 'bytes' | 'sectors' | 'ns' | 'us' | 'ms' | 'ticks';

/**
 * One counter: the base of its name without scope and suffix, the unit in which {@link Row.counters} holds it, whether
 * it is shown always or only with `--verbose`, what it counts, and a label where several counters share the name.
 */
type CounterLine = readonly [
  name: string,
  unit: CountUnit,
  shown: Shown,
  help: string,
  label?: readonly [name: string, value: string],
];
/** By the id of the metric that is the rate of it. */
type CounterLines = Readonly<Record<string, CounterLine>>;

const net: CounterLines = {
  net_rx_bytes: ['net_rx_bytes', 'bytes', 'default', 'Bytes received'],
  net_tx_bytes: ['net_tx_bytes', 'bytes', 'default', 'Bytes sent'],
  net_rx_packets: ['net_rx_packets', 'one', 'default', 'Packets received'],
  net_tx_packets: ['net_tx_packets', 'one', 'default', 'Packets sent'],
  net_rx_dropped: ['net_rx_dropped', 'one', 'default', 'Packets to receive that were dropped'],
  net_tx_dropped: ['net_tx_dropped', 'one', 'default', 'Packets to send that were dropped'],
  net_rx_errors: ['net_rx_errors', 'one', 'verbose', 'Errors of receiving'],
  net_tx_errors: ['net_tx_errors', 'one', 'verbose', 'Errors of sending'],
  net_rx_fifo: ['net_rx_fifo', 'one', 'verbose', 'Overruns of the receive buffer'],
  net_tx_fifo: ['net_tx_fifo', 'one', 'verbose', 'Overruns of the send buffer'],
  net_rx_frame: ['net_rx_frame', 'one', 'verbose', 'Framing errors'],
  net_rx_compressed: ['net_rx_compressed', 'one', 'verbose', 'Compressed packets received'],
  net_tx_compressed: ['net_tx_compressed', 'one', 'verbose', 'Compressed packets sent'],
  net_rx_multicast: ['net_rx_multicast', 'one', 'verbose', 'Multicast packets received'],
  net_tx_collisions: ['net_tx_collisions', 'one', 'verbose', 'Collisions'],
  net_tx_carrier: ['net_tx_carrier', 'one', 'verbose', 'Losses of carrier'],
};

const vcpu: CounterLines = {
  cpu_total: ['cpu_seconds', 'ns', 'default', 'Time that vCPUs ran'],
  cpu_steal: ['cpu_steal_seconds', 'ns', 'default', 'Time that vCPUs were ready to run and waited for a CPU'],
};

const vmDisk: CounterLines = {
  disk_reads: ['disk_reads', 'one', 'default', 'Completed reads'],
  disk_writes: ['disk_writes', 'one', 'default', 'Completed writes'],
  disk_flushes: ['disk_flushes', 'one', 'default', 'Completed flushes'],
  disk_read_mib: ['disk_read_bytes', 'bytes', 'default', 'Bytes read'],
  disk_write_mib: ['disk_write_bytes', 'bytes', 'default', 'Bytes written'],
  disk_read_time: ['disk_read_seconds', 'ns', 'default', 'Time that reads took, summed over parallel ones'],
  disk_write_time: [
    'disk_write_seconds',
    'ns',
    'default',
    'Time that writes took, summed over parallel ones',
  ],
  disk_flush_time: [
    'disk_flush_seconds',
    'ns',
    'default',
    'Time that flushes took, summed over parallel ones',
  ],
  disk_errors: ['disk_errors', 'one', 'default', 'Operations that failed or were invalid'],
};

const hostDisk: CounterLines = {
  disk_reads: ['disk_reads', 'one', 'default', 'Completed reads'],
  disk_writes: ['disk_writes', 'one', 'default', 'Completed writes'],
  disk_read_mib: ['disk_read_bytes', 'sectors', 'default', 'Bytes read'],
  disk_write_mib: ['disk_write_bytes', 'sectors', 'default', 'Bytes written'],
  disk_time_reading: [
    'disk_read_seconds',
    'ms',
    'default',
    'Time that reads took, summed over parallel ones',
  ],
  disk_time_writing: [
    'disk_write_seconds',
    'ms',
    'default',
    'Time that writes took, summed over parallel ones',
  ],
  disk_time_io: ['disk_io_seconds', 'ms', 'default', 'Time with any operation in flight'],
  disk_time_weighted: [
    'disk_io_weighted_seconds',
    'ms',
    'default',
    'Time of all operations in flight, summed',
  ],
  disk_reads_merged: ['disk_reads_merged', 'one', 'verbose', 'Reads merged with others'],
  disk_writes_merged: ['disk_writes_merged', 'one', 'verbose', 'Writes merged with others'],
};

const CPU_HELP = 'Time of all CPUs by what they did; user holds that of guests, nice that of nice ones';
const GUEST_HELP =
  'Time of all CPUs spent in guests, user and nice; it is part of that in proxtop_host_cpu_seconds';
const cpuMode = (mode: string, shown: Shown): CounterLine => [
  'cpu_seconds',
  'ticks',
  shown,
  CPU_HELP,
  ['mode', mode],
];
const dropped = (reason: string): CounterLine => [
  'dropped_records',
  'one',
  'default',
  'Records given up, by reason',
  ['reason', reason],
];
const pressure = (share: 'some' | 'full', resource: string): CounterLine => [
  `psi_${share}_${resource}_seconds`,
  'us',
  'default',
  `Time in which ${share === 'some' ? 'some task' : 'every task'} waited for ${resource}`,
];

/** The counters of each scope, in no order. */
const counters: Readonly<Partial<Record<Scope, CounterLines>>> = {
  vm: {
    ...vcpu,
    cpu_other_total: ['cpu_other_seconds', 'ns', 'default', 'Time that threads other than vCPUs ran'],
    cpu_other_steal: ['cpu_other_steal_seconds', 'ns', 'default', 'Time that these threads waited for a CPU'],
    cpu_throttled: ['cpu_throttled_seconds', 'us', 'verbose', 'Time in which a CPU limit held the VM back'],
    ram_minflt: ['ram_minor_faults', 'one', 'default', 'Page faults of the process without I/O'],
    ram_majflt: ['ram_major_faults', 'one', 'default', 'Page faults of the process that waited for I/O'],
    ram_cminflt: ['ram_child_minor_faults', 'one', 'verbose', 'The same of its children that have ended'],
    ram_cmajflt: ['ram_child_major_faults', 'one', 'verbose', 'The same of its children that have ended'],
    ram_swapin: ['ram_swapin_bytes', 'bytes', 'verbose', 'Bytes that the guest swapped in'],
    ram_swapout: ['ram_swapout_bytes', 'bytes', 'verbose', 'Bytes that the guest swapped out'],
    ...vmDisk,
    disk_blkio_delay: [
      'disk_blkio_delay_seconds',
      'ticks',
      'verbose',
      'Time that the process waited for block devices; 0 unless kernel.task_delayacct=1',
    ],
    ...net,
    io_read_bytes: ['io_read_bytes', 'bytes', 'default', 'Bytes that the process had read from storage'],
    io_write_bytes: ['io_write_bytes', 'bytes', 'default', 'Bytes that the process had written to storage'],
    io_read_ops: ['io_read_ops', 'one', 'default', 'Read-like system calls'],
    io_write_ops: ['io_write_ops', 'one', 'default', 'Write-like system calls'],
    io_rchar: ['io_rchar_bytes', 'bytes', 'verbose', 'Bytes that read-like system calls returned'],
    io_wchar: ['io_wchar_bytes', 'bytes', 'verbose', 'Bytes given to write-like system calls'],
    io_cancelled_write_bytes: [
      'io_cancelled_write_bytes',
      'bytes',
      'verbose',
      'Bytes counted as written that were deleted before',
    ],
    psi_some_cpu_avg10: pressure('some', 'cpu'),
    psi_full_cpu_avg10: pressure('full', 'cpu'),
    psi_some_io_avg10: pressure('some', 'io'),
    psi_full_io_avg10: pressure('full', 'io'),
    psi_some_mem_avg10: pressure('some', 'mem'),
    psi_full_mem_avg10: pressure('full', 'mem'),
  },
  vm_vcpu: vcpu,
  vm_disk: vmDisk,
  vm_nic: net,
  host: {
    cpu_user: cpuMode('user', 'default'),
    cpu_system: cpuMode('system', 'default'),
    cpu_idle: cpuMode('idle', 'default'),
    cpu_steal: cpuMode('steal', 'default'),
    cpu_iowait: cpuMode('iowait', 'default'),
    cpu_nice: cpuMode('nice', 'default'),
    cpu_irq: cpuMode('irq', 'default'),
    cpu_softirq: cpuMode('softirq', 'default'),
    cpu_guest: ['cpu_guest_seconds', 'ticks', 'verbose', GUEST_HELP, ['mode', 'user']],
    cpu_guestnice: ['cpu_guest_seconds', 'ticks', 'verbose', GUEST_HELP, ['mode', 'nice']],
    ...hostDisk,
    ...net,
    psi_some_cpu_total: pressure('some', 'cpu'),
    psi_full_cpu_total: pressure('full', 'cpu'),
    psi_some_io_total: pressure('some', 'io'),
    psi_full_io_total: pressure('full', 'io'),
    psi_some_mem_total: pressure('some', 'mem'),
    psi_full_mem_total: pressure('full', 'mem'),
  },
  host_disk: hostDisk,
  host_nic: net,
  agent: {
    cpu_ms: ['cpu_seconds', 'us', 'default', 'CPU time of proxtop'],
    missed_ticks: ['missed_ticks', 'one', 'default', 'Ticks skipped because a cycle was late'],
    collector_errors: ['collector_errors', 'one', 'default', 'Failed runs of collectors and VM inventories'],
    qmp_failures: ['qmp_failures', 'one', 'default', 'Questions to monitors that were not answered'],
  },
  agent_output: {
    sent: ['sent_records', 'one', 'default', 'Records that have arrived'],
    resent: [
      'resent_records',
      'one',
      'default',
      'Records handed over again, as nobody knew whether they had arrived',
    ],
    reconnects: ['reconnects', 'one', 'default', 'Connections made after the first one'],
    dropped_queue_full: dropped('queue_full'),
    dropped_spool_full: dropped('spool_full'),
    dropped_too_large: dropped('too_large'),
    dropped_refused: dropped('refused'),
    dropped_unreachable: dropped('unreachable'),
    dropped_damaged: dropped('damaged'),
    dropped_unprintable: dropped('unprintable'),
    dropped_stopped: dropped('stopped'),
    dropped_unconfirmed: dropped('unconfirmed'),
  },
};

/** A cumulative count behind a metric. */
export interface Counter {
  /** The metric that is the rate, or the mean, of it. */
  readonly metric: Metric;
  /** Without scope and without `_total`; ends with the base unit where there is one. */
  readonly name: string;
  /** Of the numbers in {@link Row.counters}. */
  readonly unit: CountUnit;
  readonly shown: Shown;
  /** What it counts, one line without a full stop. */
  readonly help: string;
  /** What tells it from others of the same name. */
  readonly label: readonly [name: string, value: string] | undefined;
}

/** Means and percentages that nobody can make of counters. */
const uncounted = new Set(['vm disk_util', 'host cpu_load1', 'host cpu_load5', 'host cpu_load15']);
/** Sums of what others tell one by one: the rows of the outputs, the reasons for drops. */
const sums = new Set([...columns('agent_output').map(({ id }) => `agent ${id}`), 'agent_output dropped']);

/** Whether a metric tells how things stand, which neither counters nor the sum of other metrics do. */
export function isLevel({ scope, id, kind }: Metric): boolean {
  const name = `${scope} ${id}`;
  return kind === 'gauge' ? !sums.has(name) : uncounted.has(name);
}

/** The counters of a scope, in the order of the catalogue. */
export function countersOf(scope: Scope): readonly Counter[] {
  const lines = counters[scope] ?? {};
  return columns(scope).flatMap((metric) => {
    const line = lines[metric.id];
    if (line === undefined) return [];
    const [name, unit, shown, help, label] = line;
    return [{ metric, name, unit, shown, help, label }];
  });
}
