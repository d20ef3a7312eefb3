import type { ClusterSample } from '../../cluster/cluster-sample.ts';
import { Gathering } from '../../cluster/gathering.ts';
import type { Settings } from '../../config/settings.ts';
import type { Consumer } from '../consumer.ts';
import type { Nodes } from './nodes.ts';

/**
 * A consumer of the samples of several nodes: what it takes of this host goes on with the rows of all nodes, their samples
 * as they come.
 *
 * @param show is shown all nodes at each tick; where somebody looks, the first tick waits for no node
 */
export function watching<C extends Consumer>(
  consumer: C,
  nodes: Nodes,
  { frequency }: Settings,
  show?: (cluster: ClusterSample) => void,
): C {
  const gathering = new Gathering(nodes.sources, nodes.local, frequency);
  return {
    ...consumer,
    take: (sample, isWanted) => gathering.tick(consumer.take(sample, isWanted)),
    end: async () => {
      nodes.close();
      await Promise.all([gathering.close(), consumer.end()]);
    },
    others: {
      withThisHost: nodes.local !== undefined,
      begin: (hand) => {
        gathering.begin({ hand, show });
      },
      ready: (stop) => (show === undefined ? gathering.ready(stop) : Promise.resolve()),
      settled: () => gathering.settled(),
    },
  };
}

/** Nodes tell everything; each output gets what it would get of this host. */
export function selectingOutputs(settings: Settings): Settings {
  const outputs = settings.outputs.map((output) => ({
    ...output,
    select: { ...output.select, collectors: output.select?.collectors ?? settings.collectors },
  }));
  return { ...settings, outputs };
}
