import { slots } from '../catalogue/catalogue.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Arrival, NodeName, NodeSource, NodeState } from './node-source.ts';

const { host_name } = slots('host', 'host');

/** The samples of this node, handed on as they are taken. */
export class LocalSource implements NodeSource {
  onNews: (() => void) | undefined;
  private arrival: Arrival | undefined;

  /** @param follow is told which guests are looked at and which are expanded, by their keys */
  constructor(
    readonly name: NodeName,
    readonly follow: NonNullable<NodeSource['follow']>,
  ) {}

  latest(): Arrival | undefined {
    return this.arrival;
  }

  state(): NodeState {
    return { kind: this.arrival === undefined ? 'connecting' : 'streaming' };
  }

  /** Takes the sample of a cycle. */
  take(sample: Sample): void {
    // As of other nodes: streams and recordings tell nodes apart by it.
    sample.host.row.texts[host_name] ??= this.name;
    this.arrival = { sample, at: performance.now(), lateness: 0, clockOffset: 0 };
    this.onNews?.();
  }

  close(): Promise<void> {
    this.onNews = undefined;
    return Promise.resolve();
  }
}
