import type { OutputState } from '../sampling/output-status.ts';

/** Where records go. It takes them from its store through a tap and holds only unconfirmed ones. */
export interface Destination {
  readonly state: OutputState;
  /** The last failure and since when it is over, for people; undefined while there was none. */
  readonly lastError: string | undefined;
  /**
   * Opens what it needs on this host, in the background. It resolves after a while in any case, as a disk may hang.
   *
   * @throws Error with a message for the user when that cannot be opened or read
   */
  ready?(): Promise<void>;
  /** There are new records in the store. Never throws, never waits. */
  wake(): void;
  /** Reopens a file, for logrotate; nothing for other destinations. */
  reopen(): void;
  /**
   * Called once: delivers what it can still take, for at most `deadline` ms, and closes. Records that are not known to have
   * arrived are given back.
   */
  close(deadline: number): Promise<void>;
}
