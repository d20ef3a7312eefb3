/** A rate limit with a burst (token bucket). Data that a network delayed arrives at once afterwards, which is no excess. */
export class Allowance {
  private left: number;
  private at: number | undefined;

  /** @param rate a second @param most that is saved up */
  constructor(
    private readonly rate: number,
    private readonly most: number,
  ) {
    this.left = most;
  }

  /** Takes some of it. @param now monotonic ms @returns false where there is not so much */
  take(amount: number, now: number): boolean {
    this.left = Math.min(this.most, this.left + ((now - (this.at ?? now)) / 1000) * this.rate);
    this.at = now;
    this.left -= amount;
    return this.left >= 0;
  }
}
