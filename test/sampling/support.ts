import type { Collector } from '../../src/collectors/collector.ts';
import type { ObservedOutput } from '../../src/sampling/output-status.ts';
import type { Guest } from '../../src/guests/guest.ts';
import type { Inventory } from '../../src/guests/inventory.ts';

/** An inventory whose guests are given, and which notes how it was asked. */
export class TestInventory implements Inventory {
  failures = 0;
  /** Whether each poll asked everyone. */
  readonly polls: boolean[] = [];
  closed = false;

  constructor(
    public vms: readonly Guest[] = [],
    readonly name = 'proxmox',
  ) {}

  guests(): readonly Guest[] {
    return this.vms;
  }

  poll(everyone = false): Promise<void> {
    this.polls.push(everyone);
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}

/** A collector that does what the test says. */
export function testCollector(name: Collector['name'], collect: Collector['collect']): Collector {
  return { name, collect, close: () => undefined };
}

export const noOutputs: readonly ObservedOutput[] = [];
