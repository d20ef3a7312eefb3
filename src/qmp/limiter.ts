/** Monitors that are visited at a time, when one Limiter is used for all VMs. */
const VISITS_AT_A_TIME = 16;

/** Runs at most `limit` tasks at a time; those that must wait start in the order they came. */
export class Limiter {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: number = VISITS_AT_A_TIME) {}

  /** Starts the task as soon as there is room; settles as the task does. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    // A task that ends gives its place to the first in the queue, so that no new task can overtake it.
    if (this.running >= this.limit) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
