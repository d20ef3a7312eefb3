import type { Logger } from 'pino';

/** Parts of a cycle, each of which may fail without the others. A failure is logged when it begins and when it ends. */
export class Attempts {
  /** What failed when it was tried last. */
  private readonly failing = new Set<string>();

  /** @param counts where every failure is counted */
  constructor(
    private readonly log: Logger,
    private readonly counts: { errors: number },
  ) {}

  /** Runs one part. @param part what the log calls it; a new action of that name is the same part @returns false if it failed */
  run(part: string, action: () => void): boolean {
    try {
      action();
      if (this.failing.delete(part)) this.log.info(`${part} works again`);
      return true;
    } catch (error) {
      this.counts.errors++;
      if (!this.failing.has(part)) this.log.error({ err: error }, `${part} failed`);
      this.failing.add(part);
      return false;
    }
  }
}
