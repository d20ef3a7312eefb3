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
   * delivered then is spooled, or counts as dropped.
   */
  close(deadline: number): Promise<void>;
}
