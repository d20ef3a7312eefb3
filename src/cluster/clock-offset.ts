/** ms that a sample may take to us without being late: it is taken, printed, and on its way. */
const USUAL_WAY = 1000;

/**
/**
 * How far the clock of a node is off, and how late its samples are, from when they were taken by its clock and arrived by
 * ours. Transport can only add time: so the smallest difference on a connection counts as the offset of the clocks, less
 * the time that transport takes; what other samples took more is their lateness. Lateness is measured by our monotonic clock,
 * which no setting moves. A clock of a node that is set forward makes samples come early, one that is set back by more than an
 * interval makes a later sample seem the earlier one: both show at once.
 */
export class ClockOffset {
  /** ms of the fastest sample since the clock was set last, by our monotonic clock, including the difference of the clocks. */
  private least = Infinity;
  private last = Infinity;
  private taken = -Infinity;
  /** By how many ms our clock is ahead of our monotonic one. */
  private base = 0;

  /** @param taken by the clock of the node, ms since 1970 @param came by ours @param at by our monotonic clock, ms */
  add(taken: number, came: number, at: number): void {
    if (taken < this.taken) this.least = Infinity;
    this.taken = taken;
    this.base = came - at;
    this.last = at - taken;
    this.least = Math.min(this.least, this.last);
  }

  /** By how many ms the clock of the node is ahead of ours; 0 if it cannot be distinguished from transport time. */
  get offset(): number {
    const least = this.least + this.base;
    if (least < 0) return -least;
    return least > USUAL_WAY && least < Infinity ? -least : 0;
  }

  /** How many ms the last sample took more than the fastest one. */
  get lateness(): number {
    return this.last - this.least || 0;
  }
}
