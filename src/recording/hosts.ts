import { slots } from '../catalogue/catalogue.ts';
import type { Sample } from '../sampling/sample.ts';

const { host_name } = slots('host', 'host');

/** The name of the host that a sample is of, as it tells it; '' where it does not. */
export function hostOf({ host }: Sample): string {
  return host.row.texts[host_name] ?? '';
}

/** Whether a sample is of a host that watches others and is none of them: it tells of nothing that was measured there. */
export function onlyWatches({ host, guests, agent }: Sample): boolean {
  return agent.nodes.length > 0 && guests.length === 0 && host.row.values.every(Number.isNaN);
}

/** Something for each host of a recording, which may hold the samples of several ones, one after the other. */
export class PerHost<T> {
  private readonly known = new Map<string, T>();

  /** @param make called for the first sample of a host */
  constructor(private readonly make: () => T) {}

  /** That of the host of a sample. */
  of(sample: Sample): T {
    const host = hostOf(sample);
    let found = this.known.get(host);
    if (found === undefined) this.known.set(host, (found = this.make()));
    return found;
  }

  /** By the names of the hosts, in their order. */
  get all(): readonly (readonly [host: string, of: T])[] {
    return [...this.known].sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }));
  }
}
