import type { ClusterSample } from '../../cluster/cluster-sample.ts';
import type { Sample } from '../../sampling/sample.ts';
import { Snapshots } from './snapshot.ts';

/**
 * Copies of what is known of several nodes, as {@link Snapshots} makes of one host. The rows of the nodes are copied with the host that tells of them.
 */
export class ClusterSnapshots {
  private nodes = new Map<string, Snapshots>();
  private readonly own = new Snapshots();

  /** The last copy stays as it is: the next one gets rows of its own. */
  release(): void {
    this.own.release();
    for (const snapshots of this.nodes.values()) snapshots.release();
  }

  /** @param look sees the copy of each node's sample when it is made */
  copy(cluster: ClusterSample, look: (name: string, sample: Sample) => void): ClusterSample {
    const before = this.nodes;
    this.nodes = new Map();
    const own = this.own.copy(cluster.own);
    const nodes = cluster.nodes.map(({ name, row: told, sample }, index) => {
      const row = own.agent.nodes[index] ?? told;
      if (sample === undefined || sample === cluster.own) return { name, row, sample: sample && own };
      const snapshots = before.get(name) ?? new Snapshots();
      this.nodes.set(name, snapshots);
      const copy = snapshots.copy(sample);
      look(name, copy);
      return { name, row, sample: copy };
    });
    return { ...cluster, own, nodes };
  }
}
