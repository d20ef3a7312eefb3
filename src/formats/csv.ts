import { slots } from '../catalogue/catalogue.ts';
import { printable } from '../base/strings/printable.ts';
import type { PrinterSettings } from './printer.ts';
import { eachRow } from './shared/rows.ts';
import { TablePrinter } from './text/table.ts';

const { host_name } = slots('host', 'host');

/**
 * Comma-separated values after RFC 4180: a table for each scope, named by the first column, each line with the time, the
 * run and number of its sample and the name of the host. Nothing between two commas means not known. The columns follow
 * from the configuration alone, and no cell goes over more than one line.
 */
export class CsvPrinter extends TablePrinter {
  constructor(settings: PrinterSettings) {
    super(settings, {
      separator: ',',
      lineEnd: '\r\n',
      unknown: '',
      cell: csvCell,
      number: (out, value) => {
        out.number(value);
      },
      common: ['time', 'run', 'seq', 'host_name'],
      commonCells: ({ time, run, seq, host }) => [
        new Date(time).toISOString(),
        csvCell(run),
        String(seq),
        csvCell(host.row.texts[host_name] ?? ''),
      ],
      eachRow,
    });
  }
}

/** A text as a cell, in quotation marks where it needs them. */
export function csvCell(text: string): string {
  const line = printable(text);
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}
