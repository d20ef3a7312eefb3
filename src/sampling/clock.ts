import type { Logger } from 'pino';

/** A timer may fire this much before its time by the wall clock; it is then set once more. ms. */
const EARLY = 0.5;

/**
 * Ticks at whole multiples of the interval on the wall clock, so that all hosts of a fleet sample at the same instant.
 * A tick that comes due while a cycle still runs is skipped and counted, never made up for.
 */
export class Clock {
  /** Ticks skipped since the start. */
  missed = 0;
  /** Monotonic time of the last tick, ms. */
  private last: number | undefined;
  private late = false;
  /** Which multiple of the interval the last tick was. */
  private number = NaN;

  /** @param interval ms between two ticks */
  constructor(
    private interval: number,
    private readonly log: Logger,
  ) {}

  /** Ticks every `interval` ms from now on. */
  change(interval: number): void {
    if (interval === this.interval) return;
    this.interval = interval;
    this.number = NaN;
    this.last = undefined;
  }

  /** Waits for the next tick. Resolves early, with false, when `stop` is aborted. */
  async tick(stop: AbortSignal): Promise<boolean> {
    let number = Math.floor(Date.now() / this.interval) + 1;
    // The last tick may have come a little early; the next one is not the same again.
    if (number === this.number) number++;
    const target = number * this.interval;
    const began = performance.now();
    for (let wait = target - Date.now(); wait > EARLY; wait = target - Date.now()) {
      // A clock that was set back must not make us wait longer than one interval.
      if (wait > 2 * this.interval) break;
      // One that stands still must not make us wait for ever.
      if (performance.now() - began > 2 * this.interval) break;
      if (!(await sleep(Math.min(wait, this.interval), stop))) return false;
    }
    this.number = number;
    this.account();
    return !stop.aborted;
  }

  /** Counts the ticks since the last one by the monotonic clock, which no clock setting moves. */
  private account(): void {
    const now = performance.now();
    const skipped =
      this.last === undefined ? 0 : Math.max(0, Math.round((now - this.last) / this.interval) - 1);
    this.last = now;
    this.missed += skipped;
    if (skipped > 0 && !this.late) this.log.warn(`sampling is late: ${skipped} interval(s) missed`);
    if (skipped === 0 && this.late)
      this.log.info(`sampling is on time again, ${this.missed} interval(s) missed so far`);
    this.late = skipped > 0;
  }
}

/** Waits for `ms`; resolves early, with false, when `stop` is aborted. */
export function sleep(ms: number, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve(false);
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
      resolve(!stop.aborted);
    };
    const timer = setTimeout(end, ms);
    stop.addEventListener('abort', end);
  });
}
