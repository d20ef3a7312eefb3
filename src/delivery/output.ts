import type { OutputStatus } from '../sampling/output-status.ts';
import type { Sample } from '../sampling/sample.ts';

/** Prints samples to one destination. Never makes sampling wait: what cannot be delivered at once is queued. */
export interface Output {
  /** Its name in the configuration, for messages. */
  readonly name: string;
  readonly status: OutputStatus;
  /** Starts: it takes records from its store from now on. */
  begin(): void;
  /** Takes a sample; its printer has read it when this returns. Never throws. */
  write(sample: Sample): void;
  /** Reopens a file, for logrotate; nothing for other destinations. */
  reopen(): void;
  /** Delivers what waits, for at most `deadline` ms, gives back what is not known to have arrived, and closes. */
  close(deadline: number): Promise<void>;
}
