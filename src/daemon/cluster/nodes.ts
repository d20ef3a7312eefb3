import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { readCluster, readGuestNodes } from '../../cluster/cluster-nodes.ts';
import type { ClusterNodes } from '../../cluster/cluster-nodes.ts';
import { LocalSource } from '../../cluster/local-source.ts';
import type { Placement } from '../../cluster/merge.ts';
import { nameOf } from '../../cluster/node-address.ts';
import type { NodeAddress, NodeName, NodeSource } from '../../cluster/node-source.ts';
import { SshSource } from '../../cluster/ssh/ssh-source.ts';
import type { Settings } from '../../config/settings.ts';
import { PveFiles } from '../../guests/proxmox/pve-files.ts';
import { Paths } from '../../kernel/base/paths.ts';

/** ms between two checks of where the guests of a cluster are. */
const PLACES = 2000;

/** The nodes that are watched together. */
export interface Nodes {
  /** In the order in which they are told. */
  readonly sources: readonly NodeSource[];
  /** That of this host; undefined where it is not among them. */
  readonly local: LocalSource | undefined;
  readonly placement: Placement;
  /** Ends what looks where guests are. */
  close(): void;
}

/**
 * Begins to connect to the nodes that the settings name.
 *
 * @param follow told which guests of this host are looked at, by their keys, and which are expanded
 */
export async function openNodes(
  { watched, roots }: Settings,
  log: Logger,
  follow: NonNullable<NodeSource['follow']>,
): Promise<Nodes> {
  const make = (address: NodeAddress): NodeSource => new SshSource(address);
  if (watched !== 'cluster') {
    const sources = (watched ?? []).map((address) =>
      isThisHost(address) ? new LocalSource(address.name, follow) : make(address),
    );
    const local = sources.find((source) => source instanceof LocalSource);
    return { sources, local, placement: () => undefined, close: () => undefined };
  }
  const paths = new Paths(roots);
  const files = new PveFiles(paths);
  const cluster = await clusterOf(files, paths, log);
  const local = new LocalSource(cluster?.self ?? nameOf(hostname(), undefined), follow);
  const sources = [local, ...(cluster?.others ?? []).map(make)];
  sources.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { sources, local, ...followPlaces(files, paths) };
}

/** Whether a node of a list is the host that this runs on. */
function isThisHost({ user, host, port }: NodeAddress): boolean {
  if (user !== undefined || port !== undefined) return false;
  const own = hostname();
  return [own, own.split('.')[0], 'localhost'].includes(host);
}

/** The cluster of this node; undefined where it is in none, which is told: then it is watched alone. */
async function clusterOf(files: PveFiles, paths: Paths, log: Logger): Promise<ClusterNodes | undefined> {
  const file = paths.pve('.members');
  try {
    const cluster = await readCluster(files, paths);
    if (cluster === undefined)
      log.warn(
        `--cluster: there is no ${file}: this host is not a Proxmox VE node and is watched alone; use --hosts to name nodes`,
      );
    else if (cluster.nodes.length === 0)
      log.warn('--cluster: this node is in no cluster and is watched alone');
    else if (!cluster.quorate)
      log.warn('--cluster: this node has no quorum; its list of cluster nodes may be outdated');
    return cluster;
  } catch (error) {
    log.warn(`--cluster: ${(error as Error).message}; this node is watched alone`);
    return undefined;
  }
}

/** Looks now and then where the guests of the cluster are; what was read last stands while it cannot be read. */
function followPlaces(files: PveFiles, paths: Paths): Pick<Nodes, 'placement' | 'close'> {
  let places: ReadonlyMap<string, NodeName> | undefined;
  const look = (): void => {
    readGuestNodes(files, paths)
      .then((read) => {
        places = read;
      })
      .catch(() => undefined);
  };
  look();
  const timer = setInterval(look, PLACES);
  return {
    placement: ({ vmid }) => (vmid === undefined ? undefined : places?.get(vmid)),
    close: () => {
      clearInterval(timer);
    },
  };
}
