/** ms that a sample may take to us without being late: it is taken, printed, and on its way. */
const USUAL_WAY = 1000;

/**
 * How far the clock of a node is off, and how late its samples come, from when they were taken by its clock and when they
 * came by ours. On the way they lose time and never gain any: the least that any of one connection took is taken for that
 * of the clocks, as far as it is more than a way takes; what others took more, they are late. A clock that is set
 * forward shows at once, one that is set back as lateness until the next connection.
 */
export class ClockOffset {
  /** ms of the fastest sample, with what the clocks differ by. */
  private least = Infinity;
  private last = Infinity;

  /** @param taken by the clock of the node @param came by our clock, both ms since 1970 */
  add(taken: number, came: number): void {
    this.last = came - taken;
    this.least = Math.min(this.least, this.last);
  }

  /** By how many ms the clock of the node is ahead of ours; 0 as far as it cannot be told from the way. */
  get offset(): number {
    if (this.least < 0) return -this.least;
    return this.least > USUAL_WAY && this.least < Infinity ? -this.least : 0;
  }

  /** How many ms the last sample took more than the fastest one. */
  get lateness(): number {
    return this.last - this.least || 0;
  }
}
