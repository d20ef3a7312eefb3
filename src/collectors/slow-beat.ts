/**
 * For values that are expensive to read, or change less often than samples are taken: due at once, and then every
 * `interval` seconds. The first interval is cut short at random, so that the same reading of many VMs spreads over the
 * cycles.
 */
export class SlowBeat {
  private next = -Infinity;

  /** @param interval seconds */
  constructor(private readonly interval: number) {}

  /** Whether it is time to read; true at most once an interval. @param time monotonic seconds */
  due(time: number): boolean {
    if (time < this.next) return false;
    const share = this.next === -Infinity ? Math.random() : 1;
    this.next = time + share * this.interval;
    return true;
  }
}
