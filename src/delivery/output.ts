import type { OutputStatus } from '../sampling/output-status.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Heir } from './destination.ts';

/** Prints samples to one destination. Never makes sampling wait: what cannot be delivered at once is queued. */
export interface Output {
  /** Its name in the configuration, for messages. */
  readonly name: string;
  readonly status: OutputStatus;
  /** Takes a sample; its printer has read it when this returns. Never throws. */
  write(sample: Sample): void;
  /** Opens a file anew, for logrotate; nothing for other destinations. */
  reopen(): void;
  /**
   * Delivers what is queued, for at most `deadline` ms, spools the rest where there is a spool, and closes. What then
   * is left goes to the heir, or is dropped.
   */
  close(deadline: number, heir?: Heir): Promise<void>;
  /** Takes a record that another output with the same printer has left. */
  inherit(record: Buffer): void;
}
