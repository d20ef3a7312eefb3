import { slots } from '../../catalogue/catalogue.ts';
import type { Printer } from '../../formats/printer.ts';
import type { Sample } from '../../sampling/sample.ts';
import { Aggregator } from './aggregator.ts';

const { host_name } = slots('host', 'host');

/** A printer that is shown one sample for each interval and host, made of those in it. */
export class IntervalPrinter implements Printer {
  /** By the name of the host. */
  private readonly aggregators = new Map<string | undefined, Aggregator>();

  /** @param seconds of an interval */
  constructor(
    private readonly printer: Printer,
    private readonly seconds: number,
  ) {}

  print(sample: Sample): readonly Buffer[] {
    const host = sample.host.row.texts[host_name];
    let aggregator = this.aggregators.get(host);
    if (aggregator === undefined) this.aggregators.set(host, (aggregator = new Aggregator(this.seconds)));
    const own = aggregator;
    return this.collect((emit) => {
      own.add(sample, emit);
    });
  }

  begin(): void {
    this.printer.begin?.();
  }

  end(): readonly Buffer[] {
    return this.collect((emit) => {
      for (const aggregator of this.aggregators.values()) aggregator.end(emit);
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
