import { slots } from '../../catalogue/catalogue.ts';
import type { Sample } from '../../sampling/sample.ts';
import { printable } from '../../base/strings/printable.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { guestsAndHost, guestsFirst } from '../shared/rows.ts';
import { TablePrinter } from './table.ts';
import type { TableStyle } from './table.ts';

const { host_name } = slots('host', 'host');

/**
 * Tab-separated lines of raw numbers for `cut` and `awk`, with the time in each; `-` for what is not known. The guests come
 * first; rows about proxtop itself only with verbose metrics.
 */
export class TextPrinter implements Printer {
  private readonly ofHost: TablePrinter;
  /** The lines of several hosts say which one. */
  private readonly ofHosts: TablePrinter;
  private hasNodes = false;

  constructor(settings: PrinterSettings) {
    const style: TableStyle = {
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
    };
    this.ofHost = new TablePrinter(settings, style);
    this.ofHosts = new TablePrinter(settings, {
      ...style,
      common: [...style.common, 'host_name'],
      commonCells: (sample) => [
        ...style.commonCells(sample),
        printable(sample.host.row.texts[host_name] || '-'),
      ],
    });
  }

  print(sample: Sample): readonly Buffer[] {
    this.hasNodes ||= sample.agent.nodes.length > 0;
    return (this.hasNodes ? this.ofHosts : this.ofHost).print(sample);
  }

  begin(): void {
    this.ofHost.begin();
    this.ofHosts.begin();
  }
}
