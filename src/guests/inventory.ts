import type { Attention } from './attention.ts';
import type { Guest } from './guest.ts';

/** How often the monitors are asked, and for what. */
export interface Beat {
  /** Seconds between two visits to the same monitor; undefined for the usual ones. */
  readonly detailInterval: number | undefined;
  /** Seconds between two calls of poll. */
  readonly frequency: number;
  /** Whose monitors are visited more often; missing where nobody looks. */
  readonly attention?: Attention | undefined;
  /** Whether QEMU is told to count latencies in histograms; missing where it is not. */
  readonly latencyHistogram?: boolean;
}

/** Keeps count of the guests of one kind of host. */
export interface Inventory {
  /** What the log calls it; each of a node has another one. */
  readonly name: string;
  /** Name of the host where it is not this one; undefined where /proc tells it. */
  readonly hostname?: string | undefined;
  /**
   * The guests that run now, with everything that changed since the last call: a new list whenever guests came or went.
   * Called at the start of each cycle.
   */
  guests(): readonly Guest[];
  /**
   * Asks the monitors that are due (the slower beat) and leaves the answers in {@link Guest.detail}. Never rejects;
   * resolves when all asked have answered or run into their deadlines. Sampling does not wait for it.
   * @param everyone asks every monitor, due or not
   */
  poll(everyone?: boolean): Promise<void>;
  /** Why guests that run may not be among them now, and what to do; missing where nothing stands in the way. */
  readonly unseen?: string | undefined;
  /** Questions since the start that got no answer. */
  readonly failures: number;
  /** Releases descriptors and sockets. */
  close(): void;
}
