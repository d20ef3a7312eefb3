import { perScope } from '../../catalogue/define.ts';
import type { Sample } from '../../sampling/sample.ts';
import { ByteWriter } from '../shared/byte-writer.ts';
import { PerCollectors, identityColumns, printedColumns } from '../shared/columns.ts';
import type { Column } from '../shared/names.ts';
import { JsonRow, jsonRows, quote, writeSampleMembers } from './json.ts';
import type { JsonRows } from './json.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { eachRow } from '../shared/rows.ts';
import { TextCache } from '../shared/text-cache.ts';

const openings = perScope((scope) => Buffer.from(`{"type":"${scope}"`));
const endOfLine = Buffer.from('}\n');
const quotationMark = Buffer.from('"');

/**
 * One line a row: a JSON object with the `type` of the row, the name of the host, for a device of a VM whose it is,
 * and an `event_id` (run-seq-row, rows counted from 1) by which a receiver can drop what it got twice. No line for the
 * agent under the original's names, which had none.
 */
export class JsonEventPrinter implements Printer {
  private readonly out = new ByteWriter();
  private readonly quoted = new TextCache(quote);
  private readonly devices: boolean;
  private readonly host: JsonRow;
  private readonly vm: JsonRow;
  private readonly rows: PerCollectors<JsonRows>;

  constructor(settings: PrinterSettings) {
    this.devices = settings.devices;
    const host = identityColumns('host', settings);
    this.host = new JsonRow(host, this.quoted);
    this.vm = new JsonRow(identityColumns('vm', settings), this.quoted);
    // Every line has the host's name already, and a name must not occur twice in an object.
    const isNew = ({ id }: Column) => !host.some((column) => column.id === id);
    this.rows = new PerCollectors((collectors) =>
      jsonRows((scope) => printedColumns(scope, settings, collectors).filter(isNew), this.quoted),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const out = this.out;
    const rows = this.rows.get(sample.collectors);
    const { interval } = sample;
    const head = this.head(sample);
    const ends: number[] = [];
    eachRow(sample, this.devices, (row, vm) => {
      const writer = rows[row.scope];
      if (writer.empty) return;
      out.append(openings[row.scope]);
      out.append(head);
      out.number(ends.length + 1);
      out.append(quotationMark);
      if (vm !== undefined) this.vm.write(out, vm, interval);
      writer.write(out, row, interval);
      out.append(endOfLine);
      ends.push(out.length);
    });
    const lines = out.take();
    return ends.map((end, index) => lines.subarray(ends[index - 1] ?? 0, end));
  }

  /** The members that all lines of a sample share, up to the row's number in `event_id`. */
  private head(sample: Sample): Buffer {
    writeSampleMembers(this.out, sample, this.quoted);
    this.host.write(this.out, sample.host.row, sample.interval);
    this.out.text(`,"event_id":${quote(`${sample.run}-${sample.seq}-`).slice(0, -1)}`);
    return this.out.take();
  }
}
