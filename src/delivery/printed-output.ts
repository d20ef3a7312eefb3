import type { Logger } from 'pino';
import type { Printer } from '../printers/printer.ts';
import type { OutputStatus } from '../sampling/output-status.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Destination, Heir } from './destination.ts';
import { MinuteLimit } from './shared/minute-limit.ts';
import type { Output } from './output.ts';

/** A printer and the destination of its records. */
export class PrintedOutput implements Output {
  private readonly complaint = new MinuteLimit();
  private closing: Promise<void> | undefined;
  /** Samples that the printer failed on. */
  private unprintable = 0;

  constructor(
    readonly name: string,
    private readonly printer: Printer,
    private readonly destination: Destination,
    private readonly log: Logger,
  ) {}

  get status(): OutputStatus {
    const { status } = this.destination;
    const unprintable = this.unprintable;
    if (unprintable === 0) return status;
    const { dropped, droppedBy } = status;
    return { ...status, dropped: dropped + unprintable, droppedBy: { ...droppedBy, unprintable } };
  }

  write(sample: Sample): void {
    let records: readonly Buffer[];
    try {
      records = this.printer.print(sample);
    } catch (error) {
      this.unprintable++;
      // A sample that one printer cannot print must not end the sampling, nor the other outputs.
      if (this.complaint.due()) this.log.error(error, `cannot print sample ${sample.seq}`);
      return;
    }
    this.destination.send(records);
  }

  reopen(): void {
    if (this.closing !== undefined) return;
    this.printer.begin?.();
    this.destination.reopen();
  }

  close(deadline: number, heir?: Heir): Promise<void> {
    return (this.closing ??= this.destination.close(deadline, heir));
  }

  inherit(record: Buffer): void {
    this.destination.send([record]);
  }
}
