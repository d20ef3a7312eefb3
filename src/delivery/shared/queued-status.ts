import type { OutputStatus } from '../../sampling/output-status.ts';
import type { Outage } from './outage.ts';
import type { RecordQueue } from '../ledger/queue.ts';

/** Records that left the queue and are being written. */
export interface InFlight {
  readonly records: number;
  readonly bytes: number;
}

/** The status of an output that has a queue, but neither spool nor connections. */
export function queuedStatus(
  queue: RecordQueue,
  inFlight: InFlight,
  sent: number,
  outage?: Outage,
): OutputStatus {
  return {
    state: outage?.lasts === true ? 'down' : 'up',
    queued: queue.length + inFlight.records,
    queuedBytes: queue.bytes + inFlight.bytes,
    spooled: 0,
    spooledBytes: 0,
    oldest: queue.oldest,
    sent,
    resent: 0,
    dropped: queue.drops.total,
    droppedBy: queue.drops.by,
    reconnects: 0,
    lastError: outage?.lastError,
  };
}
