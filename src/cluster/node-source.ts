import type { Sample } from '../sampling/sample.ts';

declare const checked: unique symbol;

/** What a node is called, checked: a name or an address, with its port where one was given; no dash in front, nothing unprintable. */
export type NodeName = string & { readonly [checked]: 'name of a node' };

/** Where a node is reached, each part checked so that it can be an argument of ssh. */
export interface NodeAddress {
  /** What the node is called in the view and in streams. */
  readonly name: NodeName;
  /** User on the node; without one, whoever ssh takes. */
  readonly user?: string | undefined;
  /** IP address, DNS name or name in the configuration of ssh. */
  readonly host: string;
  readonly port?: number | undefined;
  /** For the node of a Proxmox cluster, whose key ssh knows by the name of the node and not by its address. */
  readonly member?: {
    /** The file that holds its key alone; undefined where there is none and the files of ssh hold it. */
    readonly knownHosts: string | undefined;
  };
}

/**
 * What keeps a node from being seen:
 * - `unreachable`: no answer, no route, no such name, or the connection broke.
 * - `refused`: the node does not let us in.
 * - `host-key`: its key is unknown, or another one than it was.
 * - `no-program`: there is no proxtop.
 * - `schema`: the proxtop there has another schema of samples, or is too old to be watched.
 * - `silent`: no sample comes, or none any more.
 * - `slow`: samples come, but seconds late.
 * - `ended`: proxtop ended there, or cannot run; the sentence says what it said.
 * - `garbled`: what comes is no stream of samples, or more than any node sends.
 * - `no-ssh`: ssh cannot be started here.
 */
export type TroubleKind =
  | 'unreachable'
  | 'refused'
  | 'host-key'
  | 'no-program'
  | 'schema'
  | 'silent'
  | 'slow'
  | 'ended'
  | 'garbled'
  | 'no-ssh';

/** Why a node is not seen. */
export interface NodeTrouble {
  readonly kind: TroubleKind;
  /** For people, printable, without the name of the node and without a period: `ssh: no route to host`. */
  readonly text: string;
  /** Monotonic ms (performance.now()) at which it began; attempts that fail in the same way do not change it. */
  readonly since: number;
  /** Monotonic ms of the next attempt; undefined while one is under way. */
  readonly retryAt: number | undefined;
}

/** The state of a node. After trouble a node is in trouble until its next sample has come. */
export type NodeState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'streaming' }
  | ({ readonly kind: 'trouble' } & { readonly trouble: NodeTrouble });

/** A sample of a node and when it came. */
export interface Arrival {
  /** Whole; valid until the next one of this source comes, which is never before the reader returns to the event loop. */
  readonly sample: Sample;
  /** Monotonic ms (performance.now()). */
  readonly at: number;
  /** By how many ms it came later than the fastest one of its connection: it was as old then. 0 for this node. */
  readonly lateness: number;
  /**
   * By how many ms the clock of the node is ahead of ours, as far as the time on the way lets it be known: behind by up to that
   * time it is told as 0 (clock-offset.ts). 0 for this node.
   */
  readonly clockOffset: number;
}

/** Where the samples of one node come from. */
export interface NodeSource {
  readonly name: NodeName;
  /** The newest sample; undefined before the first one. It stays when the node is in trouble; `at` shows its age. */
  latest(): Arrival | undefined;
  state(): NodeState;
  /** Set by a listener: called after each sample and each change of the state. */
  onNews: (() => void) | undefined;
  /** Told which guests are looked at, by their keys, and which are expanded; only a source that can do something about it has it. */
  follow?(guests: ReadonlySet<string>, expanded: ReadonlySet<string>): void;
  /** Ends it, with everything that it started; no news after that. */
  close(): Promise<void>;
}
