import type { Attempts } from '../base/pacing/attempts.ts';
import type { Guest } from './guest.ts';
import type { Inventory } from './inventory.ts';

const none: readonly Guest[] = [];

/**
 * All guests of one node: joins inventories of different kinds of guests. One that fails or hangs affects only its own
 * guests.
 */
export class Node implements Inventory {
  readonly name = 'node';
  /** What each inventory told last. */
  private readonly lists: (readonly Guest[])[];
  private joined: readonly Guest[] = [];

  /** @param absence why no guest may run at all, for people */
  constructor(
    private readonly members: readonly Inventory[],
    private readonly attempts: Attempts,
    private readonly absence: () => readonly string[] = () => [],
  ) {
    this.lists = members.map(() => none);
  }

  get hostname(): string | undefined {
    return this.members.find(({ hostname }) => hostname !== undefined)?.hostname;
  }

  get failures(): number {
    return this.members.reduce((sum, { failures }) => sum + failures, 0);
  }

  get unseen(): string | undefined {
    const troubles = this.members.flatMap(({ unseen }) => unseen ?? []);
    const reasons = this.joined.length > 0 ? troubles : [...troubles, ...this.absence()];
    return reasons.length === 0 ? undefined : reasons.join('; ');
  }

  /** In the order of the inventories. */
  guests(attend?: () => void): readonly Guest[] {
    const { lists, members } = this;
    let changed = false;
    for (const [index, member] of members.entries()) {
      const before = lists[index];
      lists[index] = none;
      this.attempts.run(`inventory ${member.name}`, () => {
        lists[index] = member.guests(attend);
      });
      changed ||= lists[index] !== before;
    }
    if (changed) this.joined = lists.flat();
    return this.joined;
  }

  /** Asks all at once: none waits for another. Rejects where one does, after all have ended. */
  async poll(everyone?: boolean): Promise<void> {
    const polls = this.members.map(async (member) => member.poll(everyone));
    await Promise.allSettled(polls);
    await Promise.all(polls);
  }

  close(): void {
    for (const member of this.members) member.close();
  }
}
