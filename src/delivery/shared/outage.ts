import type { Logger } from 'pino';
import type { OutputStatus } from '../../sampling/output-status.ts';

/** An outage of a destination: its beginning and its end are logged, not what repeats in between. */
export class Outage {
  /** The last message about an outage, and since when it is over; undefined while there was none. */
  lastError: string | undefined;
  private began: number | undefined;
  private droppedBefore = 0;

  constructor(
    private readonly log: Logger,
    private readonly destination: {
      readonly status: Pick<OutputStatus, 'queued' | 'queuedBytes' | 'dropped'>;
    },
  ) {}

  get lasts(): boolean {
    return this.began !== undefined;
  }

  /** Logs a warning with what waits, unless the outage has begun already. */
  begin(message: string): void {
    this.lastError = message;
    if (this.lasts) return;
    const { queued, queuedBytes, dropped } = this.destination.status;
    this.began = performance.now();
    this.droppedBefore = dropped;
    this.log.warn(`${message}; ${queued} records (${queuedBytes} bytes) wait`);
  }

  /** Logs how long the outage took and what it cost, if there was one. */
  end(message: string): void {
    if (this.began === undefined) return;
    const seconds = ((performance.now() - this.began) / 1000).toFixed(1);
    const now = new Date().toISOString().replace(/\.\d+/, '');
    this.lastError = `${this.lastError} (over since ${now})`;
    const lost = this.destination.status.dropped - this.droppedBefore;
    this.began = undefined;
    this.log.info(`${message} after ${seconds} s; ${lost} records were dropped`);
  }
}

/** The message of a socket or file error, in one line; Node gives none if several addresses failed. */
export function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join(', ');
}
