/** ms that a sample may take to us without being late: it is taken, printed, and on its way. */
const USUAL_WAY = 1000;

/**
 * How far the clock of a node is off, and how late its samples are, from when they were taken by its clock and arrived by
 * ours. Transport can only add time: so the smallest difference on a connection counts as the offset of the clocks, less
 * the time that transport takes; what other samples took more is their lateness. A clock that is set forward shows at once,
 * one that is set back as lateness until the next connection.
 */
export class ClockOffset {
  /** ms of the fastest sample, including the difference of the clocks. */
  private least = Infinity;
  private last = Infinity;

  /** @param taken by the clock of the node @param came by our clock, both ms since 1970 */
  add(taken: number, came: number): void {
    this.last = came - taken;
    this.least = Math.min(this.least, this.last);
  }

  /** By how many ms the clock of the node is ahead of ours; 0 if it cannot be distinguished from transport time. */
  get offset(): number {
    if (this.least < 0) return -this.least;
    return this.least > USUAL_WAY && this.least < Infinity ? -this.least : 0;
  }

  /** How many ms the last sample took more than the fastest one. */
  get lateness(): number {
    return this.last - this.least || 0;
  }
}
