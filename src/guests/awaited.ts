import type { Guest } from './guest.ts';
import type { Inventory } from './inventory.ts';

/** Seconds between two searches for a hypervisor while there is none. */
const LOOK_AGAIN = 30;

/** Stands in while there is no hypervisor, and takes the one that appears: a service may start before it. */
export class AwaitedInventory implements Inventory {
  private found: Inventory | undefined;
  private looking: Promise<void> | undefined;
  private closed = false;
  private lookedAt = performance.now() / 1000;

  /**
   * @param detect looks for a hypervisor; reports a failure itself if it rejects
   * @param missing message while there is none
   */
  constructor(
    private readonly detect: () => Promise<Inventory | undefined>,
    private readonly missing?: string,
  ) {}

  get unseen(): string | undefined {
    return this.found === undefined ? this.missing : this.found.unseen;
  }

  get name(): string {
    return this.found?.name ?? 'not found yet';
  }

  get hostname(): string | undefined {
    return this.found?.hostname;
  }

  get failures(): number {
    return this.found?.failures ?? 0;
  }

  guests(attend?: () => void): readonly Guest[] {
    return this.found?.guests(attend) ?? [];
  }

  async poll(everyone?: boolean): Promise<void> {
    const time = performance.now() / 1000;
    if (this.found === undefined && !this.closed && time - this.lookedAt >= LOOK_AGAIN) {
      this.lookedAt = time;
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    }
    await this.looking;
    await this.found?.poll(everyone);
  }

  /** Uses what was found, unless it was closed meanwhile. */
  private async look(): Promise<void> {
    const found = await this.detect().catch(() => undefined);
    if (this.closed) found?.close();
    else this.found = found;
  }

  close(): void {
    this.closed = true;
    this.found?.close();
    this.found = undefined;
  }
}
