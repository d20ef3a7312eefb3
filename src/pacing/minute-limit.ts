const MINUTE = 60_000;

/** Keeps what others can cause, such as a complaint about every record, from filling the log: so much a minute. */
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
