import { CsvPrinter } from './csv.ts';
import { EsxtopPrinter } from './esxtop/esxtop.ts';
import { InfluxPrinter } from './influx/influx.ts';
import { JsonCyclePrinter } from './json/json-cycle.ts';
import { JsonEventPrinter } from './json/json-event.ts';
import { MsgpackPrinter } from './msgpack.ts';
import { RemoteWritePrinter } from './prometheus/remote-write.ts';
import { OtlpPrinter } from './otlp/otlp.ts';
import type { Printer, PrinterSettings } from './printer.ts';
import { AlignedPrinter } from './text/aligned.ts';
import { TextPrinter } from './text/text.ts';

/** Columns of the terminal that is written to; all that there are where it is none. */
function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Infinity;
}

/** Every printer; a new one is its file and one line here. */
const printers = {
  json: (settings) =>
    settings.layout === 'cycle' ? new JsonCyclePrinter(settings) : new JsonEventPrinter(settings),
  influx: (settings) => new InfluxPrinter(settings),
  msgpack: (settings) => new MsgpackPrinter(settings),
  csv: (settings) => new CsvPrinter(settings),
  text: (settings) =>
    settings.human ? new AlignedPrinter(settings, terminalWidth) : new TextPrinter(settings),
  esxtop: () => new EsxtopPrinter(),
  otlp: (settings) => new OtlpPrinter(settings),
  'remote-write': (settings) => new RemoteWritePrinter(settings),
} satisfies Record<string, (settings: PrinterSettings) => Printer>;

/** The printers there are, by the name the configuration gives them. */
export type PrinterName = keyof typeof printers;
export const printerNames = Object.keys(printers) as PrinterName[];

/** Makes a printer. Each output has its own: a text printer remembers which headers it wrote. */
export function createPrinter(name: PrinterName, settings: PrinterSettings): Printer {
  return printers[name](settings);
}
