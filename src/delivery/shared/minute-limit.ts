/** Keeps a complaint that could come with every record from filling the log. */
export class MinuteLimit {
  private last = -Infinity;

  /** True the first time, and then at most once a minute. */
  due(): boolean {
    const now = performance.now();
    if (now - this.last < 60_000) return false;
    this.last = now;
    return true;
  }
}
