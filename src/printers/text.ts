import { scopes } from '../metrics/define.ts';
import type { Scope } from '../metrics/define.ts';
import type { Row } from '../metrics/row.ts';
import type { Sample } from '../sampling/sample.ts';
import { ByteWriter } from './byte-writer.ts';
import { PerCollectors, identityColumns, printedColumns } from './columns.ts';
import { human } from './human.ts';
import type { Column } from './names.ts';
import type { Printer, PrinterSettings } from './printer.ts';
import { eachRow } from './rows.ts';
import { TextCache } from './text-cache.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const UNKNOWN = 0x2d;

/** Control characters, C0 and C1; invisible ones, among them those of writing direction; separators of lines; halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** How the rows of one scope are printed. */
interface Table {
  readonly header: string;
  /** What names the VM of a device; empty in other scopes. */
  readonly identity: readonly Column[];
  readonly columns: readonly Column[];
}

/**
 * Lines of tab-separated cells: the scope of the row, the time, for a device of a VM whose it is, then the columns of
 * the scope; `-` for what is not known. The first line of a scope is its header, which starts with the scope too, so
 * that `grep ^vm` and a tab yields a whole table; it comes again only when the columns change. Headers are ids, because
 * titles occur twice in scope vm.
 *
 * With layout `cycle` a sample is one record, with `event` a line is.
 */
export class TextPrinter implements Printer {
  readonly #settings: PrinterSettings;
  readonly #out = new ByteWriter();
  readonly #cells = new TextCache(cell);
  readonly #tables: PerCollectors<Readonly<Record<Scope, Table>>>;
  readonly #headers = new Map<Scope, string>();

  constructor(settings: PrinterSettings) {
    this.#settings = settings;
    this.#tables = new PerCollectors((collectors) => {
      const tables = scopes.map(
        (scope) => [scope, table(scope, settings, printedColumns(scope, settings, collectors))] as const,
      );
      return Object.fromEntries(tables) as Record<Scope, Table>;
    });
  }

  print(sample: Sample): readonly Buffer[] {
    const out = this.#out;
    const tables = this.#tables.get(sample.collectors);
    const { interval } = sample;
    const time = `\t${new Date(sample.time).toISOString()}`;
    const ends: number[] = [];
    eachRow(sample, this.#settings.devices, (row, vm) => {
      const { header, identity, columns } = tables[row.scope];
      if (columns.length === 0) return;
      if (this.#headers.get(row.scope) !== header) {
        this.#headers.set(row.scope, header);
        out.text(header);
        ends.push(out.length);
      }
      out.text(row.scope);
      out.text(time);
      if (vm !== undefined) this.#row(identity, vm, interval);
      this.#row(columns, row, interval);
      out.byte(NEWLINE);
      ends.push(out.length);
    });
    const lines = out.take();
    if (this.#settings.layout === 'cycle') return [lines];
    return ends.map((end, index) => lines.subarray(ends[index - 1] ?? 0, end));
  }

  #row(columns: readonly Column[], { values, texts }: Row, interval: number): void {
    const out = this.#out;
    for (const { text, slot, read, unit } of columns) {
      out.byte(TAB);
      if (text) {
        const value = texts[slot];
        if (value === undefined || value === '') out.byte(UNKNOWN);
        else out.append(this.#cells.bytes(value));
      } else {
        const value = read === undefined ? (values[slot] ?? NaN) : read(values, interval);
        if (!Number.isFinite(value)) out.byte(UNKNOWN);
        else if (this.#settings.human) out.text(human[unit](value));
        else out.number(value);
      }
    }
  }
}

function table(scope: Scope, settings: PrinterSettings, columns: readonly Column[]): Table {
  const identity = /^vm_/.test(scope) ? identityColumns('vm', settings) : [];
  const header = [scope, 'time', ...[...identity, ...columns].map(({ id }) => id)].join('\t') + '\n';
  return { header, identity, columns };
}

/** A text without what would break the line or what a terminal obeys. */
function cell(text: string): string {
  return text.replace(unprintable, '?');
}
