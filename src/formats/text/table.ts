import { perScope } from '../../catalogue/define.ts';
import type { Scope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';
import { ByteWriter } from '../shared/byte-writer.ts';
import { PerCollectors, identityColumns, printedColumns } from '../shared/columns.ts';
import type { Column } from '../shared/names.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import type { EachRow } from '../shared/rows.ts';
import { TextCache } from '../shared/text-cache.ts';

/** How the lines of a table look. */
export interface TableStyle {
  /** One ASCII character. */
  readonly separator: string;
  readonly lineEnd: string;
  /** Stands for a value that is not known. */
  readonly unknown: string;
  /** Writes a text, not an empty one, as a cell. */
  readonly cell: (text: string) => string;
  /** Writes a finite number as a cell. */
  readonly number: (out: ByteWriter, value: number, unit: Column['unit']) => void;
  /** Names of the columns between the scope and those of the row: what is the same in all rows of a sample. */
  readonly common: readonly string[];
  /** The cells under these names. */
  readonly commonCells: (sample: Sample) => readonly string[];
  /** Which rows are printed, in which order. */
  readonly eachRow: EachRow;
}

/** How the rows of one scope are printed. */
interface Table {
  readonly header: string;
  /** What names the VM of a device; empty in other scopes. */
  readonly identity: readonly Column[];
  readonly columns: readonly Column[];
}

/**
 * Lines of cells: the scope of the row, what is common to the sample, for a device of a VM whose it is, then the columns
 * of the scope. The first line of a scope is its header, which starts with the scope too, so that picking the lines of a
 * scope yields a whole table; it comes again only when the columns change, or what is printed goes to a new place.
 * Headers are ids, because titles occur twice in scope vm.
 *
 * With layout `cycle` a sample is one record, with `event` a line is.
 */
export class TablePrinter implements Printer {
  private readonly settings: PrinterSettings;
  private readonly style: TableStyle;
  private readonly out = new ByteWriter();
  private readonly cells: TextCache;
  private readonly separator: number;
  private readonly lineEnd: Buffer;
  private readonly unknown: Buffer;
  private readonly tables: PerCollectors<Readonly<Record<Scope, Table>>>;
  private readonly headers = new Map<Scope, string>();

  constructor(settings: PrinterSettings, style: TableStyle) {
    this.settings = settings;
    this.style = style;
    this.cells = new TextCache(style.cell);
    this.separator = style.separator.charCodeAt(0);
    this.lineEnd = Buffer.from(style.lineEnd);
    this.unknown = Buffer.from(style.unknown);
    this.tables = new PerCollectors((collectors) =>
      perScope((scope) => this.table(scope, printedColumns(scope, settings, collectors))),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const out = this.out;
    const { separator, commonCells, eachRow } = this.style;
    const tables = this.tables.get(sample.collectors);
    const { interval } = sample;
    const common = commonCells(sample)
      .map((cell) => separator + cell)
      .join('');
    const ends: number[] = [];
    eachRow(sample, this.settings.devices, (row, vm) => {
      const { header, identity, columns } = tables[row.scope];
      if (columns.length === 0) return;
      if (this.headers.get(row.scope) !== header) {
        this.headers.set(row.scope, header);
        out.text(header);
        ends.push(out.length);
      }
      out.text(row.scope);
      out.text(common);
      if (vm !== undefined) this.row(identity, vm, interval);
      this.row(columns, row, interval);
      out.append(this.lineEnd);
      ends.push(out.length);
    });
    const lines = out.take();
    if (this.settings.layout === 'cycle') return [lines];
    return ends.map((end, index) => lines.subarray(ends[index - 1] ?? 0, end));
  }

  begin(): void {
    this.headers.clear();
  }

  private row(columns: readonly Column[], { values, texts }: Row, interval: number): void {
    const out = this.out;
    const { number } = this.style;
    for (const { text, slot, read, unit } of columns) {
      out.byte(this.separator);
      if (text) {
        const value = texts[slot];
        if (value === undefined || value === '') out.append(this.unknown);
        else out.append(this.cells.bytes(value));
      } else {
        const value = read === undefined ? (values[slot] ?? NaN) : read(values, interval);
        if (Number.isFinite(value)) number(out, value, unit);
        else out.append(this.unknown);
      }
    }
  }

  private table(scope: Scope, all: readonly Column[]): Table {
    const { separator, lineEnd, common } = this.style;
    const identity = entityOf(scope).parent === 'vm' ? identityColumns('vm', this.settings) : [];
    const columns = all.filter(({ id }) => !common.includes(id));
    const names = [scope, ...common, ...[...identity, ...columns].map(({ id }) => id)];
    return { header: names.join(separator) + lineEnd, identity, columns };
  }
}
