import { gauge, text } from '../metric.ts';
import type { Declaration, MetricTable } from '../metric.ts';
import { agentNode } from './node.ts';
import { agentVerdict } from './verdict.ts';

/** proxtop itself. */
export const agent = {
  agent: [
    gauge('cycle_ms', {
      title: 'CYCLE',
      unit: 'ms',
      source: 'monotonic clock',
      meaning: 'from the tick to the printed sample, of the cycle before',
      prometheus: { name: 'cycle' },
    }),
    gauge('cpu_ms', {
      title: 'CPU',
      unit: 'ms',
      source: 'getrusage',
      meaning: 'CPU time proxtop used since the sample before, all threads, user and system',
      counter: { name: 'cpu_seconds', unit: 'us', counted: 'added', help: 'CPU time of proxtop' },
    }),
    gauge('ram_rss', {
      title: 'RSS',
      unit: 'bytes',
      source: 'getrusage',
      meaning: 'resident memory of proxtop',
    }),
    gauge('missed_ticks', {
      title: 'MISSED',
      unit: 'count',
      source: 'clock',
      meaning: 'ticks skipped since the start because a cycle was late',
      counter: { unit: 'one', counted: 'added', help: 'Ticks skipped because a cycle was late' },
    }),
    gauge('collector_errors', {
      title: 'COLLERR',
      unit: 'count',
      source: 'collectors',
      meaning: 'failed runs of collectors and VM inventories since the start',
      counter: { unit: 'one', counted: 'added', help: 'Failed runs of collectors and VM inventories' },
    }),
    gauge('qmp_failures', {
      title: 'QMPFAIL',
      unit: 'count',
      source: 'QMP',
      meaning: 'polls since the start that ended in a timeout or an error',
      counter: { unit: 'one', counted: 'added', help: 'Questions to monitors that were not answered' },
    }),
    gauge('queued', {
      title: 'QUEUED',
      unit: 'count',
      source: 'outputs',
      meaning: 'records that wait in the queues of all outputs, in memory or on disk',
      prometheus: 'nothing',
    }),
    gauge('queued_bytes', {
      title: 'QUEUEDB',
      unit: 'bytes',
      source: 'outputs',
      meaning: 'memory that these records take',
      prometheus: 'nothing',
    }),
    gauge('sent', {
      title: 'SENT',
      unit: 'count',
      source: 'outputs',
      meaning: 'records that have arrived since the start, as far as each kind of output can tell',
      prometheus: 'nothing',
    }),
    gauge('dropped', {
      title: 'DROPPED',
      unit: 'count',
      source: 'outputs',
      meaning: 'records given up since the start, by all outputs; each output tells why',
      prometheus: 'nothing',
    }),
    gauge('reconnects', {
      title: 'RECONN',
      unit: 'count',
      source: 'outputs',
      meaning: 'connections made since the start after the first one of each output',
      prometheus: 'nothing',
    }),
  ],
  agent_output: [
    text('name', {
      title: 'OUTPUT',
      source: 'configuration',
      meaning: 'NAME of [output.NAME]',
    }),
    text('state', {
      title: 'STATE',
      source: 'outputs',
      meaning:
        'up; connecting (not reached since the start); down; refused (reached, but it refuses records)',
    }),
    gauge('queued', {
      title: 'QUEUED',
      unit: 'count',
      source: 'outputs',
      meaning: 'records that wait in memory',
      prometheus: { name: 'queued_records' },
    }),
    gauge('queued_bytes', {
      title: 'QUEUEDB',
      unit: 'bytes',
      source: 'outputs',
      meaning: 'size of these records',
    }),
    gauge('spooled', {
      title: 'SPOOLED',
      unit: 'count',
      source: 'outputs',
      meaning: 'records that wait on disk',
      prometheus: { name: 'spooled_records' },
    }),
    gauge('spooled_bytes', {
      title: 'SPOOLEDB',
      unit: 'bytes',
      source: 'outputs',
      meaning: 'size of the spool on disk',
    }),
    gauge('oldest_age', {
      title: 'OLDEST',
      unit: 'seconds',
      source: 'outputs',
      meaning: 'age of the oldest record that waits; omitted when none does',
      needs: 'a record that waits',
      prometheus: { name: 'oldest_record_age' },
    }),
    gauge('unconfirmed', {
      title: 'UNCONF',
      unit: 'count',
      source: 'outputs',
      meaning: 'records handed to the destination and not yet known to have arrived',
    }),
    gauge('sent', {
      title: 'SENT',
      unit: 'count',
      source: 'outputs',
      meaning: 'records that have arrived since the start, as far as this kind of output can tell',
      counter: { name: 'sent_records', unit: 'one', counted: 'added', help: 'Records that have arrived' },
    }),
    gauge('resent', {
      title: 'RESENT',
      unit: 'count',
      source: 'outputs',
      meaning: 'records handed over again since the start because nobody knew whether they had arrived',
      counter: {
        name: 'resent_records',
        unit: 'one',
        counted: 'added',
        help: 'Records handed over again, as nobody knew whether they had arrived',
      },
    }),
    gauge('reconnects', {
      title: 'RECONN',
      unit: 'count',
      source: 'outputs',
      meaning: 'connections made since the start after the first one',
      counter: { unit: 'one', counted: 'added', help: 'Connections made after the first one' },
    }),
    gauge('dropped', {
      title: 'DROPPED',
      unit: 'count',
      source: 'outputs',
      meaning: 'records given up since the start: the sum of what follows',
      prometheus: 'nothing',
    }),
    dropped('queue_full', 'DROPQ', 'given up because the queue in memory was full'),
    dropped('spool_full', 'DROPS', 'given up because the spool was full'),
    dropped('too_large', 'DROPL', 'given up because larger than a datagram, the queue or the spool may be'),
    dropped('refused', 'DROPR', 'refused by the destination'),
    dropped('unreachable', 'DROPU', 'could not be sent, by an output that does not wait'),
    dropped('damaged', 'DROPD', 'could not be read back from the spool'),
    dropped('unprintable', 'DROPP', 'samples that could not be printed'),
    dropped('stopped', 'DROPE', 'waited when the output was closed'),
    dropped('unconfirmed', 'DROPN', 'handed over and given up without confirmation: these may have arrived'),
    text('last_error', {
      title: 'ERROR',
      source: 'outputs',
      meaning: 'what went wrong last, and since when it is over; omitted while nothing did',
      needs: 'an error since the start',
    }),
  ],
  agent_verdict: agentVerdict,
  agent_node: agentNode,
} satisfies MetricTable;

/** A count of an output, since the start, of records given up for one reason. */
function dropped<R extends string>(reason: R, title: string, meaning: string): Declaration<`dropped_${R}`> {
  return gauge(`dropped_${reason}`, {
    title,
    unit: 'count',
    source: 'outputs',
    meaning,
    counter: {
      name: 'dropped_records',
      unit: 'one',
      counted: 'added',
      help: 'Records given up, by reason',
      label: ['reason', reason],
    },
  });
}
