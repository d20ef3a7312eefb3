import type { OutputState } from '../sampling/output-status.ts';

/** Where records go. It draws them from its store by a tap, and holds none but those that are unconfirmed. */
export interface Destination {
  readonly state: OutputState;
  /** What went wrong last, and since when it is over, for people; undefined when nothing did so far. */
  readonly lastError: string | undefined;
  /**
   * Opens what it needs on this host, in the background; after a while it resolves all the same, as a disk may hang.
   *
   * @throws Error with a message for the user when that cannot be opened or read
   */
  ready?(): Promise<void>;
  /** There are new records in the store. Never throws, never waits. */
  wake(): void;
  /** Opens a file anew, for logrotate; nothing for other destinations. */
  reopen(): void;
  /**
   * Called once: delivers what it can still draw, for at most `deadline` ms, and closes. What is not known to have
   * arrived then is given back.
   */
  close(deadline: number): Promise<void>;
}
