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

/** Lists the guests of one kind of manager. */
export interface Inventory {
  /** Its name in the log, unique within a node. */
  readonly name: string;
  /** Name of the host where it is not this one; undefined where /proc tells it. */
  readonly hostname?: string | undefined;
  /**
   * The guests that run now, with everything that changed since the last call: a new list whenever guests came or went.
   * Called at the start of each cycle.
   * @param attend to be called before each guest, as collectors do
   */
  guests(attend?: () => void): readonly Guest[];
  /**
   * Polls the monitors that are due (the slower interval) and stores the answers in {@link Guest.detail}. Never rejects;
   * resolves when all asked have answered or run into their deadlines. Sampling does not wait for it.
   * @param everyone asks every monitor, due or not
   */
  poll(everyone?: boolean): Promise<void>;
  /** Why running guests may be missing now, and what to do; missing where there is no obstacle. */
  readonly unseen?: string | undefined;
  /** Polls since the start that got no answer. */
  readonly failures: number;
  /** Releases descriptors and sockets. */
  close(): void;
}
