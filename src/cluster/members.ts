import { parseJson, record } from '../base/untyped/values.ts';
import { isAddress, memberName } from './node-address.ts';
import type { NodeName } from './node-source.ts';

/** Characters: a file of pmxcfs has at most 1 MiB. */
const LARGEST_FILE = 1 << 20;
/** Nodes of a cluster: corosync is tested with 32, and holds no more than a few dozen. */
const MOST_MEMBERS = 64;
/** Characters: the list of all guests is made when it is read, and has no limit of pmxcfs. */
const LARGEST_LIST = 16 << 20;
/** Guests of a cluster. */
const MOST_GUESTS = 100_000;

/** A node of a Proxmox cluster, as `.members` tells. */
export interface Member {
  readonly name: NodeName;
  /** Whether the cluster sees it. */
  readonly online: boolean;
  /** IPv4 or IPv6; undefined where the node has not told it yet. */
  readonly ip: string | undefined;
}

/** What a node knows of its cluster. */
export interface Members {
  /** The node that tells. */
  readonly self: NodeName;
  /** The name of the cluster, as it stands in the file; undefined where the node is in none. */
  readonly cluster: string | undefined;
  /** Whether the node is with the majority; only then its files are those of all. */
  readonly quorate: boolean;
  /** All nodes, this one among them, in the order of their names; none where the node is in no cluster. */
  readonly nodes: readonly Member[];
}

/**
 * Reads /etc/pve/.members (pmxcfs, status.c). Nodes whose names cannot be are left out.
 *
 * @returns undefined for a text that is no such file
 */
export function parseMembers(text: string): Members | undefined {
  if (text.length > LARGEST_FILE) return undefined;
  const { nodename, cluster, nodelist } = record(parseJson(text));
  const self = memberName(nodename);
  if (self === undefined) return undefined;
  const { name, quorate } = record(cluster);
  const nodes: Member[] = [];
  for (const [key, value] of Object.entries(record(nodelist)).slice(0, MOST_MEMBERS)) {
    const known = memberName(key);
    const { online, ip } = record(value);
    if (known === undefined) continue;
    nodes.push({
      name: known,
      online: online === 1,
      ip: typeof ip === 'string' && isAddress(ip) ? ip : undefined,
    });
  }
  return {
    self,
    cluster: typeof name === 'string' ? name : undefined,
    quorate: quorate === 1,
    nodes: nodes.sort((one, other) => (one.name < other.name ? -1 : 1)),
  };
}

/**
 * Reads /etc/pve/.vmlist: on which node each guest of the cluster is, by its vmid. Entries that cannot be are left out.
 *
 * @returns undefined for a text that is no such file
 */
export function parseGuestNodes(text: string): ReadonlyMap<string, NodeName> | undefined {
  if (text.length > LARGEST_LIST) return undefined;
  const { ids } = record(parseJson(text));
  if (typeof ids !== 'object') return undefined;
  const places = new Map<string, NodeName>();
  for (const [vmid, guest] of Object.entries(record(ids))) {
    const node = memberName(record(guest)['node']);
    if (node !== undefined && /^[1-9]\d{2,8}$/.test(vmid) && places.size < MOST_GUESTS)
      places.set(vmid, node);
  }
  return places;
}
