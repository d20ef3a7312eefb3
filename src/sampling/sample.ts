import type { GuestIdentity } from '../guests/guest.ts';
import type { CollectorName } from '../catalogue/catalogue.ts';
import type { RowTree } from '../catalogue/row-tree.ts';
import type { Row } from '../catalogue/row.ts';

/** A VM's row and the rows of its devices. */
export interface GuestRows extends RowTree<'vm'> {
  readonly guest: GuestIdentity;
  /** Whether only its pid tells it from another one that runs, or ran in its time. */
  readonly twin: boolean;
  /**
   * When it was first seen in this run, from when on it is counted, and when the process started that it runs in, where that is
   * known (not of a domain of another host); ms since 1970. Missing in recordings.
   */
  readonly began?: { readonly seen: number; readonly process?: number };
  /**
   * Rows like those of vCPUs of the other threads that work for a VM which is expanded in the view; nothing prints them. Missing in
   * recordings.
   */
  readonly threads?: readonly Row[];
}

/** The host's row and the rows of its devices. */
export type HostRows = RowTree<'host'>;

/** proxtop's own row and those of its outputs, in the order of the configuration. */
export type AgentRows = RowTree<'agent'>;

/** How the run of one collector in this cycle went. */
export interface CollectorRun {
  readonly name: CollectorName;
  /** ms that it took. */
  readonly duration: number;
  readonly failed: boolean;
}

/**
 * What one cycle yields. Its lists and rows are filled again by the next cycle, in one go: a consumer that does not read
 * them before it returns to the event loop finds this sample, or all of a later one.
 */
export interface Sample {
  /** Wall-clock time of the reading, ms since 1970. */
  readonly time: number;
  /** Identifies this start of the program. */
  readonly run: string;
  /** Counts the samples of this run, from 1. */
  readonly seq: number;
  /** Seconds since the sample before (at the first one since the priming read). */
  readonly interval: number;
  /** When the program started, and when this run began to count; ms since 1970. Missing in recordings. */
  readonly began?: { readonly program: number; readonly run: number };
  readonly host: HostRows;
  readonly guests: readonly GuestRows[];
  /** Why guests that run may not be among them, for people; in no recording. */
  readonly unseen?: string | undefined;
  readonly agent: AgentRows;
  /** The collectors that ran, in the order of the catalogue. */
  readonly collectors: readonly CollectorName[];
  /** How they fared, in the same order; empty in a recording, which does not tell. */
  readonly runs: readonly CollectorRun[];
}
