import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Paths } from '../kernel/paths.ts';
import type { Connector, Vm } from './connector.ts';
import type { Beat } from './proxmox.ts';
import { ProxmoxConnector } from './proxmox.ts';

/** Seconds after which it is looked again for a hypervisor where there was none. */
const LOOK_AGAIN = 30;

/** What a search for a hypervisor looks for, in words. */
export function lookedFor(paths: Paths): string {
  return `Proxmox VE (${paths.roots.pvedir} or ${paths.qemuServer})`;
}

/** The connector for the hypervisor that is there now; undefined if there is none. */
export function detectConnector(paths: Paths, beat: Beat, log: Logger): Connector | undefined {
  // The run directory first: it is in memory, while the cluster file system may hang.
  const present = existsSync(paths.qemuServer) || existsSync(paths.roots.pvedir);
  return present ? new ProxmoxConnector(paths, beat, log) : undefined;
}

/** Stands in while there is no hypervisor, and takes the one that appears: a service may start before it. */
export class AwaitedConnector implements Connector {
  readonly name = 'proxmox';
  private found: Connector | undefined;
  private lookedAt = performance.now() / 1000;

  /** @param detect looks for a hypervisor */
  constructor(private readonly detect: () => Connector | undefined) {}

  get failures(): number {
    return this.found?.failures ?? 0;
  }

  inventory(): readonly Vm[] {
    return this.found?.inventory() ?? [];
  }

  async poll(everyone?: boolean): Promise<void> {
    const time = performance.now() / 1000;
    if (this.found === undefined && time - this.lookedAt >= LOOK_AGAIN) {
      this.lookedAt = time;
      this.found = this.detect();
    }
    await this.found?.poll(everyone);
  }

  close(): void {
    this.found?.close();
  }
}
