import type { Logger } from 'pino';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import type { OutputStatus } from '../../sampling/output-status.ts';

/** Outages of a destination within a minute that are logged: one that comes and goes would fill the log. */
const mostTold = 5;

/**
 * An outage of a destination: its beginning and its end are logged, not what repeats in between. Of a destination that comes and
 * goes a few outages a minute are logged; one that lasts is logged in the end.
 */
export class Outage {
  /** The last message about an outage, and since when it is over; undefined while there was none. */
  lastError: string | undefined;
  private began: number | undefined;
  private droppedBefore = 0;
  /** Whether the log has heard of it. */
  private told = false;
  private readonly limit = new MinuteLimit(mostTold);

  constructor(
    private readonly log: Logger,
    private readonly destination: {
      readonly status: Pick<OutputStatus, 'queued' | 'queuedBytes' | 'dropped'>;
    },
  ) {}

  get lasts(): boolean {
    return this.began !== undefined;
  }

  /** Logs a warning with what waits, unless the outage has been logged already. To be called at each failure. */
  begin(message: string): void {
    this.lastError = message;
    const { queued, queuedBytes, dropped } = this.destination.status;
    if (this.began === undefined) {
      this.began = performance.now();
      this.droppedBefore = dropped;
      this.told = false;
    }
    if (this.told || !this.limit.due()) return;
    this.told = true;
    const more = this.limit.usedUp ? '; it comes and goes: no more of it is logged within this minute' : '';
    this.log.warn(`${message}; ${queued} records (${queuedBytes} bytes) wait${more}`);
  }

  /** Logs how long the outage took and what it cost, if there was one. */
  end(message: string): void {
    if (this.began === undefined) return;
    const seconds = ((performance.now() - this.began) / 1000).toFixed(1);
    const now = new Date().toISOString().replace(/\.\d+/, '');
    this.lastError = `${this.lastError} (over since ${now})`;
    const lost = this.destination.status.dropped - this.droppedBefore;
    this.began = undefined;
    if (this.told) this.log.info(`${message} after ${seconds} s; ${lost} records were dropped`);
  }
}

/** The message of a socket or file error, in one line; Node gives none if several addresses failed. */
export function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join(', ');
}
