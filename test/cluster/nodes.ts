import type { ClusterNode, ClusterSample } from '../../src/cluster/cluster-sample.ts';
import { nameOf } from '../../src/cluster/node-address.ts';
import { fillNodeRow } from '../../src/cluster/node-row.ts';
import type { Arrival, NodeSource, NodeState } from '../../src/cluster/node-source.ts';
import type { GuestRows, Sample } from '../../src/sampling/sample.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

const start = Date.UTC(2026, 10, 22, 12);

/** A VM as one of several nodes tells of it. */
export function guest(uuid: string, known: Readonly<Record<string, string | number>> = {}): GuestRows {
  const rows = vmRows(row('vm', { UUID: uuid, name: `vm-${uuid}`, ...known }));
  return { ...rows, guest: { ...rows.guest, key: `${uuid}:${known['pid'] ?? '1'}` } };
}

/** What a host tells in second `seq`. */
export function hostSample(name: string, seq: number, guests: readonly GuestRows[] = []): Sample {
  const known = {
    host_name: name,
    cpu_idle: 60,
    cpu_iowait: 10,
    cpu_cores: 4,
    ram_total: 1000,
    ram_obtainable: 250,
  };
  return sampleOf({
    run: `run-${name}`,
    seq,
    interval: 1,
    time: start + 1000 * seq,
    guests,
    host: { row: row('host', known) },
  });
}

/** What several nodes tell in second `seq`, the guests of each by its name; the host that watches is none of them. */
export function moment(seq: number, guests: Readonly<Record<string, readonly GuestRows[]>>): ClusterSample {
  const nodes = Object.entries(guests).map(([name, own]): ClusterNode => {
    const sample = hostSample(name, seq, own);
    const filled = row('agent_node');
    const arrival = { sample, at: 0, lateness: 0, clockOffset: 0 };
    fillNodeRow(filled, { name: nameOf(name, undefined), state: { kind: 'streaming' }, arrival }, 0);
    return { name, row: filled, sample };
  });
  const observer = hostSample('desk', seq);
  const own = { ...observer, agent: { ...observer.agent, nodes: nodes.map((node) => node.row) } };
  return { time: own.time, interval: 1, own, nodes };
}

/** A node that a test lets tell something: what comes over ssh is tested with a real sshd. */
export class ToldSource implements NodeSource {
  readonly name;
  onNews: (() => void) | undefined;
  private arrival: Arrival | undefined;
  private current: NodeState = { kind: 'connecting' };

  constructor(name: string) {
    this.name = nameOf(name, undefined);
  }

  latest(): Arrival | undefined {
    return this.arrival;
  }

  state(): NodeState {
    return this.current;
  }

  /** @param clockOffset ms */
  tell(sample: Sample, clockOffset = 0): void {
    this.current = { kind: 'streaming' };
    this.arrival = { sample, at: performance.now(), lateness: 0, clockOffset };
    this.onNews?.();
  }

  take(sample: Sample): void {
    this.tell(sample);
  }

  fail(text: string): void {
    const trouble = {
      kind: 'unreachable',
      text,
      since: performance.now() - 12_000,
      retryAt: undefined,
    } as const;
    this.current = { kind: 'trouble', trouble };
    this.onNews?.();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
