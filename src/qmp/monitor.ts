import { doubled } from '../base/pacing/backoff.ts';
import { QmpError } from './errors.ts';
import type { KeptConnection } from './own/kept-connection.ts';
import type { Answers, PreparedQueries, QmpQuery } from './query.ts';
import { VISIT_DEADLINE, Visit } from './visit.ts';

const FIRST_DELAY = 1;
const LONGEST_DELAY = 60;

/** Seconds to leave a monitor alone after so many failed visits in a row: 1, 2, 4, ... 60. */
export function retryDelay(failures: number): number {
  return failures === 0 ? 0 : doubled(failures - 1, FIRST_DELAY, LONGEST_DELAY);
}

/** Decides whether a monitor may be visited. */
export interface Entrance {
  /**
   * @param connect is called at once, with what to connect to while it runs and how many ms a connection may wait for a
   *   late greeting
   * @throws QmpError where the monitor is not to be used
   */
  enter<T>(connect: (address: string, patience: number) => T): T;
  /** Forgets what was found out: another process may be there now. */
  recheck(): void;
  /** The monitor is not watched any more. */
  leave(): void;
}

/**
 * A QMP monitor of one QEMU process and our rules for it: at most one connection at any time, and exponential back-off
 * after failures.
 *
 * A connection that waits for a late greeting or late answers (see {@link Visit}) counts: until they come or QEMU dies the
 * monitor is not due, so a QEMU that hangs for an hour costs one place in its queue and no further attempt. Of one that may
 * be no QEMU the connection is given up after a while.
 */
export class Monitor {
  private visit: Pick<Visit<[]>, 'connected' | 'close'> | undefined;
  private failures = 0;
  private retryAt = -Infinity;
  private closed = false;

  /**
   * @param path its unix socket
   * @param deadline ms for a whole visit
   * @param entrance says whether that socket may be used; missing where it is known to be QEMU's
   * @param kept keeps the connection from visit to visit; missing where others use the monitor as well
   */
  constructor(
    private readonly path: string,
    private readonly deadline: number = VISIT_DEADLINE,
    private readonly entrance?: Entrance,
    private readonly kept?: KeptConnection,
  ) {}

  /** Whether it may be asked at this time (seconds of performance.now()). */
  due(now: number): boolean {
    return !this.closed && !this.connected && now >= this.retryAt;
  }

  /** Whether it serves us, or we hold a place in its queue. */
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
      return new QmpError(
        'timeout',
        this.path,
        'an earlier connection still waits for its greeting or its answers',
      );
    const outcome = await this.begin(prepared);
    if (outcome instanceof QmpError && outcome.reason === 'error') this.entrance?.recheck();
    this.failures = outcome instanceof QmpError ? this.failures + 1 : 0;
    this.retryAt = performance.now() / 1000 + retryDelay(this.failures);
    return outcome;
  }

  private begin<Q extends readonly QmpQuery<unknown>[]>(
    prepared: PreparedQueries<Q>,
  ): Visit<Q>['outcome'] | QmpError {
    const visit = (address?: string, patience?: number): Visit<Q> =>
      new Visit(this.path, prepared, this.deadline, address, patience, this.kept);
    try {
      const begun = this.entrance === undefined ? visit() : this.entrance.enter(visit);
      this.visit = begun;
      return begun.outcome;
    } catch (error) {
      if (error instanceof QmpError) return error;
      throw error;
    }
  }

  /** Ends any connection, as {@link Visit.close} does; the monitor is never due again. */
  close(): void {
    this.closed = true;
    this.visit?.close();
    this.kept?.close();
    this.entrance?.leave();
  }
}
