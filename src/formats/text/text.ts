import { human } from './human.ts';
import { printable } from '../../strings/printable.ts';
import type { PrinterSettings } from '../printer.ts';
import { TablePrinter } from './table.ts';

/** Tab-separated lines for people and for `cut`, with the time in each; `-` for what is not known. */
export class TextPrinter extends TablePrinter {
  constructor(settings: PrinterSettings) {
    super(settings, {
      separator: '\t',
      lineEnd: '\n',
      unknown: '-',
      cell: printable,
      number: settings.human
        ? (out, value, unit) => {
            out.text(human(value, unit));
          }
        : (out, value) => {
            out.number(value);
          },
      common: ['time'],
      commonCells: ({ time }) => [new Date(time).toISOString()],
    });
  }
}
