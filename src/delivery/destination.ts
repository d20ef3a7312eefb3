import type { OutputStatus } from '../sampling/output-status.ts';

/** Where records go. Every record it took is at any time exactly one of queued, spooled, sent or dropped. */
export interface Destination {
  readonly status: OutputStatus;
  /** Takes records, which the caller must not change any more. Never throws, never waits. */
  send(records: readonly Buffer[]): void;
  /** Opens a file anew, for logrotate; nothing for other destinations. */
  reopen(): void;
  /**
   * Called once: delivers what is queued, for at most `deadline` ms, and closes. What was not
   * delivered then is spooled, or goes to the heir, or counts as dropped.
   */
  close(deadline: number, heir?: Heir): Promise<void>;
}

/** Takes over what a destination that is replaced has left, the oldest first. */
export type Heir = (record: Buffer) => void;
