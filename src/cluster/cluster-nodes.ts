import type { PveFiles } from '../guests/proxmox/pve-files.ts';
import type { Paths } from '../kernel/base/paths.ts';
import { parseGuestNodes, parseMembers } from './members.ts';
import type { Member, Members } from './members.ts';
import type { NodeAddress, NodeName } from './node-source.ts';

/** User that reaches the other nodes: joining a cluster distributes root's key. */
const USER = 'root';

/** The nodes of the cluster that this node is in, as its cluster file system tells. */
export interface ClusterNodes extends Members {
  /** How the other nodes are reached, those that are off included: they may come back. */
  readonly others: readonly NodeAddress[];
}

/**
 * Reads who is in the cluster.
 *
 * @returns undefined where /etc/pve has no list of members, as outside of Proxmox VE
 * @throws Error where it cannot be read, or hangs
 */
export async function readCluster(files: PveFiles, paths: Paths): Promise<ClusterNodes | undefined> {
  const text = await readIfThere(files, paths.pve('.members'));
  if (text === undefined) return undefined;
  const members = parseMembers(text);
  if (members === undefined)
    throw new Error(`${paths.pve('.members')}: expected the members of a cluster of Proxmox VE`);
  const others: NodeAddress[] = [];
  for (const member of members.nodes)
    if (member.name !== members.self) others.push(await addressOf(member, files, paths));
  return { ...members, others };
}

/** Reads on which node each guest of the cluster is, by its vmid; undefined where that cannot be known. */
export async function readGuestNodes(
  files: PveFiles,
  paths: Paths,
): Promise<ReadonlyMap<string, NodeName> | undefined> {
  const text = await readIfThere(files, paths.pve('.vmlist'));
  return text === undefined ? undefined : parseGuestNodes(text);
}

/** A node without a known address is reached by its name (PVE/Cluster.pm, remote_node_ip). */
async function addressOf({ name, ip }: Member, files: PveFiles, paths: Paths): Promise<NodeAddress> {
  const own = paths.pve(`nodes/${name}/ssh_known_hosts`);
  const knownHosts = (await isThere(files, own)) ? own : undefined;
  return { name, user: USER, host: ip ?? name, member: { knownHosts } };
}

async function readIfThere(files: PveFiles, path: string): Promise<string | undefined> {
  try {
    return await files.read(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isThere(files: PveFiles, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
