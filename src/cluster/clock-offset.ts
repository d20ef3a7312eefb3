/** ms that a sample may take to us without being late: it is taken, printed, and on its way. */
const USUAL_WAY = 1000;
/** ms by which the clock of a node and its interval may differ from one sample to the next: it may be interrupted between reading both. */
const SET = 200;

/**
 * How far the clock of a node is off, and how late its samples are, from when they were taken by its clock and arrived by
 * ours. Transport can only add time: what a sample took more than the fastest one of its connection is its lateness, and without that,
 * the difference between taken and come is that of the clocks, and what transport takes.
 *
 * Clocks are set, or stand still, and make nothing late. Ours is the monotonic one for that. Theirs is followed as long as it
 * goes as far as the interval between two samples, which is measured by their monotonic clock; where it does not, it was set, and that
 * is left out.
 */
export class ClockOffset {
  /** ms between taken and come of the last sample and the fastest one, by a clock of the node that was never set. */
  private last = NaN;
  private least = Infinity;
  private taken = NaN;
  /** ms by which the clock of the node was set forward. */
  private set = 0;
  /** ms between taken and come of the last sample by the clocks as they are. */
  private difference = NaN;

  /**
   * @param taken by the clock of the node, ms since 1970
   * @param interval seconds since the sample before, which has come, by the monotonic clock of the node; NaN for the first one
   * @param came by our clock @param at by our monotonic clock, ms
   */
  add(taken: number, interval: number, came: number, at: number): void {
    const set = taken - this.taken - interval * 1000;
    if (Math.abs(set) > SET) this.set += set;
    this.taken = taken;
    this.difference = came - taken;
    this.last = at - taken + this.set;
    this.least = Math.min(this.least, this.last);
  }

  /**
   * By how many ms the clock of the node is ahead of ours; 0 if it cannot be distinguished from transport time, or, once the clock was
   * set, from the two changes of up to {@link SET} that go unnoticed when a clock stops and runs again.
   */
  get offset(): number {
    const behind = this.difference - this.lateness;
    const unnoticed = this.set === 0 ? 0 : 2 * SET;
    return behind < -unnoticed || behind > USUAL_WAY ? -behind : 0;
  }

  /** How many ms the last sample took more than the fastest one. */
  get lateness(): number {
    return this.last - this.least || 0;
  }
}
