import type { MetricTable } from './define.ts';

/** proxtop itself. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const agent = {
  agent: [
    ['cycle_ms', 'CYCLE', 'ms', 'gauge', 'default', 'monotonic clock', 'from the tick to the printed sample, of the cycle before', ''],
    ['cpu_ms', 'CPU', 'ms', 'gauge', 'default', 'getrusage', 'CPU time proxtop used since the sample before, all threads, user and system', ''],
    ['ram_rss', 'RSS', 'bytes', 'gauge', 'default', 'getrusage', 'resident memory of proxtop', ''],
    ['missed_ticks', 'MISSED', 'count', 'gauge', 'default', 'clock', 'ticks skipped since the start because a cycle was late', ''],
    ['collector_errors', 'COLLERR', 'count', 'gauge', 'default', 'collectors', 'failed runs of collectors and VM inventories since the start', ''],
    ['qmp_failures', 'QMPFAIL', 'count', 'gauge', 'default', 'QMP', 'polls since the start that ended in a timeout or an error', ''],
    ['queued', 'QUEUED', 'count', 'gauge', 'default', 'outputs', 'records that wait in the queues of all outputs, in memory or on disk', ''],
    ['queued_bytes', 'QUEUEDB', 'bytes', 'gauge', 'default', 'outputs', 'memory that these records take', ''],
    ['sent', 'SENT', 'count', 'gauge', 'default', 'outputs', 'records that have arrived since the start, as far as each kind of output can tell', ''],
    ['dropped', 'DROPPED', 'count', 'gauge', 'default', 'outputs', 'records given up since the start, by all outputs; each output tells why', ''],
    ['reconnects', 'RECONN', 'count', 'gauge', 'default', 'outputs', 'connections made since the start after the first one of each output', ''],
  ],
  agent_output: [
    ['name', 'OUTPUT', '-', 'text', 'default', 'configuration', 'NAME of [output.NAME]', ''],
    ['state', 'STATE', '-', 'text', 'default', 'outputs', 'up; connecting (not reached since the start); down; refused (reached, but it refuses records)', ''],
    ['queued', 'QUEUED', 'count', 'gauge', 'default', 'outputs', 'records that wait in memory', ''],
    ['queued_bytes', 'QUEUEDB', 'bytes', 'gauge', 'default', 'outputs', 'size of these records', ''],
    ['spooled', 'SPOOLED', 'count', 'gauge', 'default', 'outputs', 'records that wait on disk', ''],
    ['spooled_bytes', 'SPOOLEDB', 'bytes', 'gauge', 'default', 'outputs', 'size of the spool on disk', ''],
    ['oldest_age', 'OLDEST', 'seconds', 'gauge', 'default', 'outputs', 'age of the oldest record that waits; omitted when none does', '', 'a record that waits'],
    ['unconfirmed', 'UNCONF', 'count', 'gauge', 'default', 'outputs', 'records handed to the destination and not yet known to have arrived', ''],
    ['sent', 'SENT', 'count', 'gauge', 'default', 'outputs', 'records that have arrived since the start, as far as this kind of output can tell', ''],
    ['resent', 'RESENT', 'count', 'gauge', 'default', 'outputs', 'records handed over again since the start because nobody knew whether they had arrived', ''],
    ['reconnects', 'RECONN', 'count', 'gauge', 'default', 'outputs', 'connections made since the start after the first one', ''],
    ['dropped', 'DROPPED', 'count', 'gauge', 'default', 'outputs', 'records given up since the start: the sum of what follows', ''],
    ['dropped_queue_full', 'DROPQ', 'count', 'gauge', 'default', 'outputs', 'given up because the queue in memory was full', ''],
    ['dropped_spool_full', 'DROPS', 'count', 'gauge', 'default', 'outputs', 'given up because the spool was full', ''],
    ['dropped_too_large', 'DROPL', 'count', 'gauge', 'default', 'outputs', 'given up because larger than a datagram, the queue or the spool may be', ''],
    ['dropped_refused', 'DROPR', 'count', 'gauge', 'default', 'outputs', 'refused by the destination', ''],
    ['dropped_unreachable', 'DROPU', 'count', 'gauge', 'default', 'outputs', 'could not be sent, by an output that does not wait', ''],
    ['dropped_damaged', 'DROPD', 'count', 'gauge', 'default', 'outputs', 'could not be read back from the spool', ''],
    ['dropped_unprintable', 'DROPP', 'count', 'gauge', 'default', 'outputs', 'samples that could not be printed', ''],
    ['dropped_stopped', 'DROPE', 'count', 'gauge', 'default', 'outputs', 'waited when the output was closed', ''],
    ['dropped_unconfirmed', 'DROPN', 'count', 'gauge', 'default', 'outputs', 'handed over and given up without confirmation: these may have arrived', ''],
    ['last_error', 'ERROR', '-', 'text', 'default', 'outputs', 'what went wrong last; omitted while nothing did', '', 'an error since the start'],
  ],
} as const satisfies MetricTable;
