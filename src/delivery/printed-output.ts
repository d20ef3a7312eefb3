import type { Logger } from 'pino';
import type { Printer } from '../formats/printer.ts';
import type { OutputStatus } from '../sampling/output-status.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Destination } from './destination.ts';
import type { Store } from './ledger/store.ts';
import type { Tap } from './ledger/tap.ts';
import { MinuteLimit } from '../base/pacing/minute-limit.ts';
import type { Output } from './output.ts';

/** What a printed output is made of. */
interface OutputParts {
  readonly printer: Printer;
  readonly store: Store;
  /** Through which the destination takes records from the store. */
  readonly tap: Tap;
  readonly destination: Destination;
}

/** A printer, the store of its records and their destination. */
export class PrintedOutput implements Output {
  private readonly complaint = new MinuteLimit();
  private closing: Promise<void> | undefined;

  constructor(
    readonly name: string,
    private readonly parts: OutputParts,
    private readonly log: Logger,
  ) {}

  get status(): OutputStatus {
    const { store, destination } = this.parts;
    return {
      ...store.status,
      state: destination.state,
      lastError: store.trouble ?? destination.lastError,
    };
  }

  /**
   * Waits, for a while, for what it needs to begin.
   *
   * @throws Error with a message for the user when its destination or its spool cannot be used
   */
  async ready(): Promise<void> {
    const { store, destination } = this.parts;
    await Promise.all([store.ready(), destination.ready?.()]);
  }

  begin(): void {
    this.parts.store.attach(this.parts.tap);
  }

  write(sample: Sample): void {
    const { printer } = this.parts;
    this.take(`sample ${sample.seq}`, () => printer.print(sample));
  }

  reopen(): void {
    if (this.closing !== undefined) return;
    this.parts.printer.begin?.();
    this.parts.destination.reopen();
  }

  close(deadline: number): Promise<void> {
    return (this.closing ??= this.end(deadline));
  }

  private take(what: string, print: () => readonly Buffer[]): void {
    const { store, destination } = this.parts;
    let records: readonly Buffer[];
    try {
      records = print();
    } catch (error) {
      store.ledger.refuse('unprintable');
      // A sample that one printer cannot print must not end the sampling, nor the other outputs.
      if (this.complaint.due()) this.log.error(error, `cannot print ${what}`);
      return;
    }
    if (records.length === 0) return;
    store.push(records);
    destination.wake();
  }

  private async end(deadline: number): Promise<void> {
    const { printer, destination, tap } = this.parts;
    this.take('the last interval', () => printer.end?.() ?? []);
    try {
      await destination.close(deadline);
    } finally {
      tap.end();
    }
  }
}
