import { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';
import type { ClusterNode, ClusterSample } from './cluster-sample.ts';
import type { Arrival, NodeSource } from './node-source.ts';
import { fillNodeRow, freshSample, newsOf } from './node-row.ts';

/** The source of this host, which is given its samples. */
export interface LocalNode extends NodeSource {
  /** Takes the sample of a tick. */
  take(sample: Sample): void;
}

/** ms that a tick waits for the samples of other nodes, and share of the interval at most. */
const PATIENCE = 500;
const SHARE = 0.5;

/** Receivers of the samples. */
export interface GatheringUser {
  /** Takes each sample of another node as it comes; has read it when it returns. */
  readonly hand: (sample: Sample) => void;
  /**
   * Gets all nodes once for each tick, when all streaming ones have reported or the tick has waited long enough; missing
   * without a view.
   */
  readonly show?: ((cluster: ClusterSample) => void) | undefined;
}

/**
 * Brings the samples of several nodes together on the ticks of this host. Each sample goes on as it comes; a tick waits for
 * none. A view gets all nodes shortly after the tick, as hosts sample at the same instant.
 */
export class Gathering {
  private readonly rows: readonly Row[];
  private readonly seen = new Map<NodeSource, Arrival>();
  /** Nodes that have not reported since the tick. */
  private readonly waiting = new Set<NodeSource>();
  private own: Sample | undefined;
  private user: GatheringUser | undefined;
  private patience: NodeJS.Timeout | undefined;
  private settle: (() => void) | undefined;
  private told: (() => void) | undefined;
  private ticked = false;

  /**
   * @param sources of all nodes, in the order in which they are told
   * @param local the one of this host; undefined where it is not among them
   * @param frequency seconds between two ticks
   */
  constructor(
    private readonly sources: readonly NodeSource[],
    private readonly local: LocalNode | undefined,
    private readonly frequency: number,
  ) {
    this.rows = sources.map(() => new Row('agent_node'));
  }

  /** Passes on samples from now on. */
  begin(user: GatheringUser): void {
    this.user = user;
    for (const source of this.sources)
      source.onNews = () => {
        this.news(source);
      };
  }

  /** Takes the sample of this host at a tick. @returns it with the rows of the nodes */
  tick(sample: Sample): Sample {
    // The one before waited longer than its interval.
    this.conclude();
    this.ticked = true;
    const own = { ...sample, agent: { ...sample.agent, nodes: this.rows } };
    this.own = own;
    this.local?.take(own);
    this.fill();
    for (const source of this.sources)
      if (source !== this.local && source.state().kind === 'streaming') this.waiting.add(source);
    this.patience = setTimeout(
      () => {
        this.conclude();
      },
      Math.min(PATIENCE, this.frequency * 1000 * SHARE),
    );
    if (this.waiting.size === 0)
      setImmediate(() => {
        this.conclude();
      });
    return own;
  }

  /** Resolves when no node is connecting any more for the first time, or when `stop` is aborted. */
  ready(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      stop.addEventListener('abort', () => {
        resolve();
      });
      this.told = () => {
        const isConnecting = (each: NodeSource): boolean =>
          each !== this.local && each.state().kind === 'connecting';
        if (!this.sources.some(isConnecting)) resolve();
      };
      this.told();
    });
  }

  /** Resolves when the last tick has waited for the nodes. */
  settled(): Promise<void> {
    if (this.own === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** Ends all sources. */
  async close(): Promise<void> {
    this.user = undefined;
    this.conclude();
    await Promise.all(this.sources.map((source) => source.close()));
  }

  private news(source: NodeSource): void {
    this.told?.();
    const arrival = source.latest();
    const isNew = arrival !== undefined && this.seen.get(source) !== arrival;
    if (isNew) {
      this.seen.set(source, arrival);
      if (this.ticked && source !== this.local) this.user?.hand(arrival.sample);
    }
    if (!isNew && source.state().kind === 'streaming') return;
    if (this.waiting.delete(source) && this.waiting.size === 0) this.conclude();
  }

  /** Shows the samples of the tick, once. */
  private conclude(): void {
    const { own } = this;
    if (own === undefined) return;
    this.own = undefined;
    clearTimeout(this.patience);
    this.waiting.clear();
    const nodes = this.fill();
    this.user?.show?.({ time: own.time, interval: own.interval, own, nodes });
    this.settle?.();
  }

  private fill(): readonly ClusterNode[] {
    const now = performance.now();
    return this.sources.map((source, index) => {
      const row = this.rows[index] as Row;
      const news = newsOf(source);
      fillNodeRow(row, news, now);
      return { name: source.name, row, sample: freshSample(news, now) };
    });
  }
}
