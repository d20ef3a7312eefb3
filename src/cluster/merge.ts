import { slots } from '../catalogue/catalogue.ts';
import { listsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { GuestIdentity } from '../guests/guest.ts';
import type { GuestRows, Sample } from '../sampling/sample.ts';
import type { ClusterNode, ClusterSample } from './cluster-sample.ts';
import { complaintOf } from './node-row.ts';

/** ms for which two guests with one identity may be the two ends of a migration: monitors are asked every 10 s. */
const MIGRATION = 15_000;
const { lock: LOCK, state: STATE } = slots('identity', 'vm');
/** States of a QEMU that does not run yet, or any more, because it is being migrated. */
const notHere: ReadonlySet<string> = new Set(['inmigrate', 'postmigrate', 'finish-migrate']);

/** A guest and the node that it runs on. Its key is the same on each node. */
export interface ClusterGuest extends GuestRows {
  readonly node: ClusterNode;
  /** Its key in the samples of its node. */
  readonly ownKey: string;
}

/** All guests of all nodes as one sample; what is not of guests is that of the host that watches. */
export interface MergedSample extends Sample {
  readonly guests: readonly ClusterGuest[];
  readonly nodes: readonly ClusterNode[];
  /** Why nodes or guests are missing, or times wrong, for people: of one node each. */
  readonly complaints: readonly string[];
}

/** The node that a guest is on, as the cluster itself has it; undefined where nobody knows. */
export type Placement = (guest: GuestIdentity) => string | undefined;

/** A guest as one node reports it. */
interface Candidate {
  readonly node: ClusterNode;
  readonly rows: GuestRows;
  /** When it came, ms since 1970; 0 where it was there when its node told for the first time. */
  readonly since: number;
}

/** What was merged last, where each guest was told by one node alone. */
interface Merged {
  readonly names: readonly string[];
  /** The guests of each node. */
  readonly lists: readonly (readonly GuestRows[] | undefined)[];
  readonly guests: readonly { -readonly [K in keyof ClusterGuest]: ClusterGuest[K] }[];
}

/** What is remembered of an identity that several nodes report or reported. */
interface Known {
  /** The node whose row is shown. */
  node: string;
  /** Whether they are guests of their own: copies that have run side by side for too long. */
  apart: boolean;
}

/** The node of a guest; undefined in a sample of one host. */
export function nodeOf(guest: GuestRows): ClusterNode | undefined {
  return 'node' in guest ? (guest as ClusterGuest).node : undefined;
}

/** Whether a sample is one of several nodes. */
export function isMerged(sample: Sample): sample is MergedSample {
  return 'nodes' in sample;
}

/**
 * Puts the guests of all nodes into one list. A guest that migrates is one row, which changes its node: while both ends are there,
 * the cluster's own list decides, else the end that runs. Copies that run on, as of one image that was started twice, are two.
 */
export class Merger {
  /** Nodes that reported at the moment before. */
  private told: ReadonlySet<string> = new Set();
  private since = new Map<string, number>();
  private known = new Map<string, Known>();
  private last: Merged | undefined;

  constructor(private readonly placement: Placement = () => undefined) {}

  /** The rows stay those of the samples. The list is that of the moment before as long as the same guests are on the same nodes. */
  merge({ time, interval, own, nodes }: ClusterSample): MergedSample {
    const guests = this.again(nodes) ?? this.regrouped(nodes, time);
    const complaints = nodes.flatMap(({ name, row, sample }) => {
      const unseen = sample?.unseen;
      return [complaintOf(row) ?? [], unseen === undefined ? [] : `${name}: ${unseen}`].flat();
    });
    const unseen = complaints.length === 0 ? undefined : complaints.join('; ');
    return { ...own, time, interval, guests, nodes, complaints, unseen };
  }

  /** The guests of the moment before with what is new of them; undefined where others may have to be shown. */
  private again(nodes: readonly ClusterNode[]): readonly ClusterGuest[] | undefined {
    const { last } = this;
    if (last?.lists.length !== nodes.length) return undefined;
    for (const [index, { name, sample }] of nodes.entries())
      if (name !== last.names[index] || sample?.guests !== last.lists[index]) return undefined;
    let at = 0;
    for (const node of nodes)
      for (const { guest, twin } of node.sample?.guests ?? []) {
        const shown = last.guests[at++];
        if (shown === undefined || shown.twin !== twin || !isSameGuest(shown.guest, guest)) return undefined;
        shown.node = node;
        if (isChanged(shown.guest, guest)) shown.guest = knownAs(guest, shown.guest.key);
      }
    return last.guests;
  }

  private regrouped(nodes: readonly ClusterNode[], time: number): readonly ClusterGuest[] {
    const groups = this.groups(nodes, time);
    const known = this.known;
    this.known = new Map();
    const guests = [...groups].flatMap(([identity, group]) => this.resolve(identity, group, known, time));
    const lists = nodes.map(({ sample }) => sample?.guests);
    const isPlain = [...groups.values()].every((group) => group.length === 1);
    this.last = isPlain ? { names: nodes.map(({ name }) => name), lists, guests } : undefined;
    return guests;
  }

  /** The guests by who they are; those that already share that on one node are told apart by their processes. */
  private groups(nodes: readonly ClusterNode[], time: number): ReadonlyMap<string, readonly Candidate[]> {
    const before = this.since;
    const told = this.told;
    this.since = new Map();
    this.told = new Set(nodes.flatMap(({ name, sample }) => (sample === undefined ? [] : name)));
    const groups = new Map<string, Candidate[]>();
    for (const node of nodes)
      for (const rows of node.sample?.guests ?? []) {
        const { key, uuid, vmid = '' } = rows.guest;
        const place = `${node.name} ${key}`;
        const since = before.get(place) ?? (told.has(node.name) ? time : 0);
        this.since.set(place, since);
        const identity = rows.twin || uuid === '' ? place : `${uuid} ${vmid}`;
        const group = groups.get(identity);
        if (group === undefined) groups.set(identity, [{ node, rows, since }]);
        else group.push({ node, rows, since });
      }
    return groups;
  }

  private resolve(
    identity: string,
    group: readonly Candidate[],
    known: ReadonlyMap<string, Known>,
    time: number,
  ): readonly ClusterGuest[] {
    const [first] = group as readonly [Candidate];
    const before = known.get(identity);
    const apart = group.length > 1 && (before?.apart === true || this.areApart(group, time));
    const shown = group.length === 1 ? first : this.endThatRuns(group, before?.node);
    this.known.set(identity, { node: shown.node.name, apart });
    const guest = ({ rows, node }: Candidate, key: string): ClusterGuest =>
      guestOf(rows, node, key, rows.guest.key);
    if (!apart) return [guest(shown, identity)];
    return group.map((each) => guest(each, `${identity} ${each.node.name}`));
  }

  /** Whether they cannot be two ends of one migration. */
  private areApart(group: readonly Candidate[], time: number): boolean {
    if (this.placed(group) !== undefined || group.some(isMoving)) return false;
    const latest = Math.max(...group.map(({ since }) => since));
    return group.every(({ since }) => since === latest) || time - latest >= MIGRATION;
  }

  private endThatRuns(group: readonly Candidate[], before: string | undefined): Candidate {
    const placed = this.placed(group);
    if (placed !== undefined) return placed;
    const running = group.filter(({ rows }) => !notHere.has(rows.row.texts[STATE] ?? ''));
    const possible = running.length > 0 ? running : group;
    return possible.find(({ node }) => node.name === before) ?? (possible[0] as Candidate);
  }

  /** The end that the cluster says it is. */
  private placed(group: readonly Candidate[]): Candidate | undefined {
    const [first] = group as readonly [Candidate];
    const name = this.placement(first.rows.guest);
    return name === undefined ? undefined : group.find(({ node }) => node.name === name);
  }
}

/** Whether it is on its way from one node to another. */
function isMoving({ rows: { row } }: Candidate): boolean {
  return notHere.has(row.texts[STATE] ?? '') || row.texts[LOCK] === 'migrate';
}

/** Whether nothing changed by which a guest is known on several nodes. */
function isSameGuest(one: GuestIdentity, other: GuestIdentity): boolean {
  return one.uuid === other.uuid && one.vmid === other.vmid;
}

function isChanged(one: GuestIdentity, other: GuestIdentity): boolean {
  return (
    one.type !== other.type ||
    one.name !== other.name ||
    one.tags !== other.tags ||
    one.lock !== other.lock ||
    one.state !== other.state
  );
}

/**
 * A guest as it is known among those of all nodes. Each property by its name: an object that is spread and overridden has a shape
 * of its own, and V8 is slow with thousands of them.
 *
 * @param key of it there
 */
export function guestOf(rows: GuestRows, node: ClusterNode, key: string, ownKey: string): ClusterGuest {
  const { guest, twin, row, threads = [] } = rows;
  const lists = listsOf('vm', (part) => rowsOf(rows, part));
  return { guest: knownAs(guest, key), twin, node, ownKey, row, threads, ...lists };
}

function knownAs({ type, uuid, name, vmid, tags, lock, state }: GuestIdentity, key: string): GuestIdentity {
  return { type, key, uuid, name, vmid, tags, lock, state };
}
