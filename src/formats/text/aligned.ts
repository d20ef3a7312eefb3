import { slots } from '../../catalogue/catalogue.ts';
import { perScope, scopes } from '../../catalogue/define.ts';
import type { PerScope } from '../../catalogue/define.ts';
import type { Sample } from '../../sampling/sample.ts';
import { localTime } from '../../base/strings/moment.ts';
import { printable } from '../../base/strings/printable.ts';
import { wrap } from '../../base/strings/wrap.ts';
import { PerCollectors } from '../shared/columns.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { guestsAndHost, guestsFirst } from '../shared/rows.ts';
import { AlignedTable } from './aligned-table.ts';
import type { Placed } from './aligned-table.ts';

const { host_name } = slots('host', 'host');
const verdict = slots('agent', 'agent_verdict');

/**
 * Text for people: the time and the host, what is wrong, then aligned tables of the guests, their devices, and the host, of
 * as many columns as fit; proxtop itself where verbose metrics are wanted. An empty line ends a table.
 *
 * With layout `cycle` a sample is one record, with `event` a line is.
 */
export class AlignedPrinter implements Printer {
  private readonly tables: PerCollectors<PerScope<AlignedTable>>;

  /** @param width columns of the terminal; called for each sample */
  constructor(
    private readonly settings: PrinterSettings,
    private readonly width: () => number,
  ) {
    this.tables = new PerCollectors((collectors) =>
      perScope((scope) => new AlignedTable(scope, settings, collectors)),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const width = this.width();
    const tables = this.tables.get(sample.collectors);
    const rows = this.rowsOf(sample);
    const lines = [headline(sample), ...verdictLines(sample, width), ''];
    for (const scope of scopes) {
      const table = tables[scope].lines(rows[scope], sample.interval, width);
      if (table.length > 0) lines.push(...table, '');
    }
    const records = lines.map((line) => Buffer.from(`${line}\n`));
    return this.settings.layout === 'cycle' ? [Buffer.concat(records)] : records;
  }

  private rowsOf(sample: Sample): PerScope<Placed[]> {
    const { verbose, devices } = this.settings;
    const rows = perScope((): Placed[] => []);
    (verbose ? guestsFirst : guestsAndHost)(sample, devices, (row, vm) => {
      if (row.scope !== 'agent_verdict') rows[row.scope].push([row, vm]);
    });
    return rows;
  }
}

function headline({ time, host }: Sample): string {
  return `${localTime(time)}  ${printable(host.row.texts[host_name] ?? '')}`.trimEnd();
}

function verdictLines({ agent }: Sample, width: number): string[] {
  return agent.verdicts
    .filter((row) => row.texts[verdict.state] !== 'ended')
    .flatMap((row) => wrap(printable(row.texts[verdict.text] ?? ''), '! ', width));
}
