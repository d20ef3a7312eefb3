import type { Collector } from '../collectors/collector.ts';
import type { OutputSettings } from '../outputs/settings.ts';
import { createPrinter } from '../printers/index.ts';
import type { Printer } from '../printers/printer.ts';
import type { Sample } from '../sampling/sample.ts';

/** What a program makes of the samples. */
export interface Consumer {
  /** Collectors that run after the measuring ones. */
  readonly collectors: readonly Collector[];
  /** Is shown each sample before the outputs are. */
  readonly take: (sample: Sample) => void;
  /** Makes the printer of an output. */
  readonly printer: (output: OutputSettings) => Printer;
  /** Called when the last sample is delivered; never rejects. */
  readonly end: () => Promise<void>;
}

/** Samples go out as they are. */
export const streaming: Consumer = {
  collectors: [],
  take: () => undefined,
  printer: ({ printer, print }) => createPrinter(printer, print),
  end: () => Promise.resolve(),
};
