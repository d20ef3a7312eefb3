import { columns as metricsOf } from '../../catalogue/catalogue.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Scope } from '../../catalogue/define.ts';
import { overview } from '../../catalogue/overview.ts';
import type { Row } from '../../catalogue/row.ts';
import { units } from '../../catalogue/units.ts';
import { printable } from '../../base/strings/printable.ts';
import { identityColumns, printedColumns } from '../shared/columns.ts';
import type { CollectorName } from '../../catalogue/catalogue.ts';
import type { Column } from '../shared/names.ts';
import type { PrinterSettings } from '../printer.ts';
import { human } from './human.ts';

/** A row, and where it is of a part of a VM, the row of that VM. */
export type Placed = readonly [row: Row, vm: Row | undefined];

const gap = '  ';
/** Characters of a text at most; a longer one ends with `~`. */
const longest = 32;
const unknown = '-';
/** What names a VM to people; its UUID and pid come last, if there is room. */
const spoken = ['vmid', 'name'];

/** A column, and how wide its cells were so far: it never becomes narrower, so that lines of two samples stand below each other. */
interface Aligned {
  readonly heading: string;
  readonly column: Column;
  readonly ofVm: boolean;
  width: number;
  /** Whether a value was known so far; without one it takes no room. */
  known: boolean;
}

/** The rows of one scope as aligned columns, as many as fit the width. */
export class AlignedTable {
  private readonly columns: readonly Aligned[];

  constructor(scope: Scope, settings: PrinterSettings, collectors: readonly CollectorName[]) {
    const ofVm = entityOf(scope).parent === 'vm';
    const owner = ofVm ? identityColumns('vm', settings).filter(isSpoken) : [];
    const own = printedColumns(scope, settings, collectors);
    this.columns = [
      ...ranked('vm', owner).map((column) => aligned('vm', column, settings, true)),
      ...ranked(scope, own).map((column) => aligned(scope, column, settings, false)),
    ];
  }

  /** The lines of a table: its headings, and a line for each row; none without rows. */
  lines(rows: readonly Placed[], interval: number, width: number): string[] {
    if (rows.length === 0) return [];
    const cells = rows.map(([row, vm]) =>
      this.columns.map((aligned) => {
        const cell = cellOf(aligned.column, aligned.ofVm ? vm : row, interval);
        aligned.width = Math.max(aligned.width, cell.length);
        aligned.known ||= cell !== unknown;
        return cell;
      }),
    );
    const fitting = this.fitting(width);
    const line = (texts: readonly string[]) =>
      fitting
        .map((index) => pad(texts[index] ?? unknown, this.columns[index]))
        .join(gap)
        .trimEnd();
    return [line(this.columns.map(({ heading }) => heading)), ...cells.map(line)];
  }

  /** The columns that there is room for; the first one always. */
  private fitting(width: number): number[] {
    const fitting: number[] = [];
    let room = width + gap.length;
    for (const [index, { known, width: wide }] of this.columns.entries()) {
      if (!known) continue;
      if (fitting.length > 0 && room < wide + gap.length) break;
      room -= wide + gap.length;
      fitting.push(index);
    }
    return fitting;
  }
}

function aligned(scope: Scope, column: Column, { names }: PrinterSettings, ofVm: boolean): Aligned {
  const title = metricsOf(scope)[column.slot]?.title ?? column.id;
  const heading = names === 'original' ? column.id : title;
  return { heading, column, ofVm, width: heading.length, known: false };
}

/** Those of a VM in the order of the overview, others as in the catalogue. */
function ranked(scope: Scope, columns: readonly Column[]): readonly Column[] {
  if (scope !== 'vm') return columns;
  const rank = ({ slot }: Column) => {
    const place = (overview as readonly string[]).indexOf(metricsOf(scope)[slot]?.id ?? '');
    return place < 0 ? overview.length : place;
  };
  return columns.toSorted((a, b) => rank(a) - rank(b));
}

function isSpoken({ slot }: Column): boolean {
  return spoken.includes(metricsOf('vm')[slot]?.id ?? '');
}

function cellOf(column: Column, row: Row | undefined, interval: number): string {
  const { text, slot, read } = column;
  if (row === undefined) return unknown;
  if (text) {
    const value = printable(row.texts[slot] ?? '');
    if (value === '') return unknown;
    return value.length > longest ? `${value.slice(0, longest - 1)}~` : value;
  }
  const value = read === undefined ? (row.values[slot] ?? NaN) : read(row.values, interval);
  return Number.isFinite(value) ? numberCell(value, column) : unknown;
}

/** Sizes with their unit; other numbers with the same decimals on each line, so that they stand below each other. */
function numberCell(value: number, { unit, whole }: Column): string {
  if (unit === 'KiB' || unit === 'bytes' || unit === 'bytes per second') return human(value, unit);
  // A mean of counts, such as CPUs in use, is no whole number.
  const { decimals, whole: rounded = false } = units[unit];
  return value.toFixed(whole || (rounded && unit !== 'count') ? 0 : decimals);
}

/** Texts begin at the left, numbers end at the right. */
function pad(cell: string, aligned: Aligned | undefined): string {
  const { width, column } = aligned ?? { width: 0, column: undefined };
  return column?.text === false ? cell.padStart(width) : cell.padEnd(width);
}
