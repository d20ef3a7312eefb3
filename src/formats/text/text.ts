import { printable } from '../../strings/printable.ts';
import type { PrinterSettings } from '../printer.ts';
import { guestsAndHost, guestsFirst } from '../rows.ts';
import { TablePrinter } from './table.ts';

/**
 * Tab-separated lines of raw numbers for `cut` and `awk`, with the time in each; `-` for what is not known. The guests come
 * first; rows about proxtop itself only with verbose metrics.
 */
export class TextPrinter extends TablePrinter {
  constructor(settings: PrinterSettings) {
    super(settings, {
      separator: '\t',
      lineEnd: '\n',
      unknown: '-',
      cell: printable,
      number: (out, value) => {
        out.number(value);
      },
      common: ['time'],
      commonCells: ({ time }) => [new Date(time).toISOString()],
      eachRow: settings.verbose ? guestsFirst : guestsAndHost,
    });
  }
}
