import type { Sample } from '../sampling/sample.ts';

/** What an output did since the start, in records. */
export interface OutputStatus {
  /** Waiting in its queue. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Handed to the destination. */
  readonly sent: number;
  /** Given up: the queue was full, too large for a datagram, refused. */
  readonly dropped: number;
  /** Connections made after the first one. */
  readonly reconnects: number;
}

/** Prints samples to one destination. Never makes sampling wait: what cannot be delivered at once is queued. */
export interface Output {
  /** Its name in the configuration, for messages. */
  readonly name: string;
  readonly status: OutputStatus;
  /** Takes a sample; its printer has read it when this returns. Never throws. */
  write(sample: Sample): void;
  /** Opens a file anew, for logrotate; nothing for other destinations. */
  reopen(): void;
  /** Delivers what is queued, for at most `deadline` ms, and closes. */
  close(deadline: number): Promise<void>;
}
