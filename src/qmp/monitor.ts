import { QmpError } from './errors.ts';
import type { Answers, PreparedQueries, QmpQuery } from './query.ts';
import { VISIT_DEADLINE, Visit } from './visit.ts';

const FIRST_DELAY = 1;
const LONGEST_DELAY = 60;

/** Seconds to leave a monitor alone after so many failed visits in a row: 1, 2, 4, ... 60. */
export function retryDelay(failures: number): number {
  return failures === 0 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));
}

/**
 * The QMP monitor of one QEMU process, and our manners towards it: at most one connection at any time, and after a
 * failure a wait that doubles with every further one.
 *
 * A connection that waits for a late greeting (see {@link Visit}) counts: until QEMU greets it or dies the monitor is
 * not due, so a QEMU that hangs for an hour costs one place in its queue and no further attempt.
 */
export class Monitor {
  private visit: Pick<Visit<[]>, 'connected' | 'close'> | undefined;
  private failures = 0;
  private retryAt = -Infinity;
  private closed = false;

  /**
   * @param path its unix socket
   * @param deadline ms for a whole visit
   */
  constructor(
    private readonly path: string,
    private readonly deadline: number = VISIT_DEADLINE,
  ) {}

  /** Whether it may be asked at this time (seconds of performance.now()). */
  due(now: number): boolean {
    return !this.closed && !this.connected && now >= this.retryAt;
  }

  /** Whether we are being served or hold a place in its queue. */
  get connected(): boolean {
    return this.visit?.connected ?? false;
  }

  /**
   * Visits the monitor. Never rejects: gives the answers in the order of the queries, or why there are none. While
   * an earlier connection stands it makes no other, whether due or not: that is a timeout at once.
   */
  async ask<Q extends readonly QmpQuery<unknown>[]>(
    prepared: PreparedQueries<Q>,
  ): Promise<Answers<Q> | QmpError> {
    if (this.closed) return new QmpError('error', this.path, 'the monitor is no longer watched');
    if (this.connected)
      return new QmpError('timeout', this.path, 'an earlier connection still waits for its greeting');
    const visit = new Visit(this.path, prepared, this.deadline);
    this.visit = visit;
    const outcome = await visit.outcome;
    this.failures = outcome instanceof QmpError ? this.failures + 1 : 0;
    this.retryAt = performance.now() / 1000 + retryDelay(this.failures);
    return outcome;
  }

  /** Ends any connection; the monitor is never due again. */
  close(): void {
    this.closed = true;
    this.visit?.close();
  }
}
