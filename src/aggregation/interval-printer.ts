import type { Printer } from '../formats/printer.ts';
import type { Sample } from '../sampling/sample.ts';
import { Aggregator } from './aggregator.ts';

/** A printer that is shown one sample for each interval, made of those in it. */
export class IntervalPrinter implements Printer {
  private readonly aggregator: Aggregator;

  /** @param seconds of an interval */
  constructor(
    private readonly printer: Printer,
    seconds: number,
  ) {
    this.aggregator = new Aggregator(seconds);
  }

  print(sample: Sample): readonly Buffer[] {
    return this.collect((emit) => {
      this.aggregator.add(sample, emit);
    });
  }

  begin(): void {
    this.printer.begin?.();
  }

  end(): readonly Buffer[] {
    return this.collect((emit) => {
      this.aggregator.end(emit);
    });
  }

  private collect(take: (emit: (sample: Sample) => void) => void): readonly Buffer[] {
    const records: Buffer[] = [];
    take((sample) => {
      records.push(...this.printer.print(sample));
    });
    return records;
  }
}
