const MINUTE = 60_000;

/** A rate limit a minute for log messages that others can cause, such as one for every record. */
export class MinuteLimit {
  private begun = -Infinity;
  private taken = 0;

  /** @param most how often within a minute */
  constructor(private readonly most = 1) {}

  /** Whether it may happen now; counts it. A minute begins with the first time after the one before. */
  due(): boolean {
    const now = performance.now();
    if (now - this.begun >= MINUTE) {
      this.begun = now;
      this.taken = 0;
    }
    if (this.usedUp) return false;
    this.taken++;
    return true;
  }

  /** Whether the last time was the last one within this minute. */
  get usedUp(): boolean {
    return this.taken >= this.most;
  }
}
