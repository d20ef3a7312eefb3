import type { MetricTable } from '../define.ts';

/** proxtop itself. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const agent = {
  agent: [
    ['cycle_ms', 'CYCLE', 'ms', 'gauge', 'default', 'monotonic clock', 'from the tick to the printed sample, of the cycle before', ''],
    ['cpu_ms', 'CPU', 'ms', 'gauge', 'default', 'getrusage', 'CPU time proxtop used since the sample before, all threads, user and system', ''],
    ['ram_rss', 'RSS', 'bytes', 'gauge', 'default', 'getrusage', 'resident memory of proxtop', ''],
    ['missed_ticks', 'MISSED', 'count', 'gauge', 'default', 'clock', 'ticks skipped since the start because a cycle was late', ''],
    ['collector_errors', 'COLLERR', 'count', 'gauge', 'default', 'collectors', 'collector runs since the start that failed', ''],
    ['qmp_failures', 'QMPFAIL', 'count', 'gauge', 'default', 'QMP', 'polls since the start that ended in a timeout or an error', ''],
    ['queued', 'QUEUED', 'count', 'gauge', 'default', 'outputs', 'records that wait in the queues of the outputs', ''],
    ['queued_bytes', 'QUEUEDB', 'bytes', 'gauge', 'default', 'outputs', 'size of these records', ''],
    ['sent', 'SENT', 'count', 'gauge', 'default', 'outputs', 'records handed to a destination since the start', ''],
    ['dropped', 'DROPPED', 'count', 'gauge', 'default', 'outputs', 'records given up since the start: queue full, too large for a datagram, refused', ''],
    ['reconnects', 'RECONN', 'count', 'gauge', 'default', 'outputs', 'connections made since the start after the first one of each output', ''],
  ],
} as const satisfies MetricTable;
