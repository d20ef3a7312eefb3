import type { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';

/** One of the nodes that are watched together. */
export interface ClusterNode {
  readonly name: string;
  /** Of scope agent_node: the state of the node. */
  readonly row: Row;
  /** Its last sample; undefined where none came lately. */
  readonly sample: Sample | undefined;
}

/** What is known of several nodes at one moment. Like a sample it is filled again by the next one. */
export interface ClusterSample {
  /** ms since 1970, by the clock of this host. */
  readonly time: number;
  /** Seconds since the one before; NaN where not known. */
  readonly interval: number;
  /** Of the host that watches: its outputs and, in `agent`, the rows of the nodes; nothing of guests where it is none of them. */
  readonly own: Sample;
  readonly nodes: readonly ClusterNode[];
}
