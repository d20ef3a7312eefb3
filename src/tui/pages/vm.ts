import { columns as metricsOf } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import type { Scope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import { deviceColumns } from '../table/view-columns.ts';
import { formatNumber } from '../values/format.ts';
import type { UnitMode } from '../values/format.ts';
import { ofPage } from '../analysis/recent-values.ts';
import type { Moment } from '../moments/moment.ts';
import { styleOf } from '../analysis/judge.ts';
import type { Judge } from '../analysis/judge.ts';
import { fit, textWidth } from '../../base/strings/glyphs.ts';
import { line } from '../screen/spans.ts';
import type { Line, Size, Span } from '../screen/spans.ts';
import { sparkline } from '../values/sparkline.ts';
import { metricOf, textOrBlank } from '../values/row-values.ts';
import { place } from '../table/table-layout.ts';
import { entryLine, headingLine } from '../table/table-lines.ts';
import type { Key } from '../screen/keys.ts';
import { CellCursor } from './cell-cursor.ts';
import type { CellLine, PageCell } from './cell-cursor.ts';
import type { KeyUse, Page } from './page.ts';

/** What the page of a VM is drawn from. */
interface VmSource {
  /** The one that is shown; undefined before the first sample. */
  moment(): Moment | undefined;
  units(): UnitMode;
  readonly judge: Judge;
  readonly unicode: boolean;
  /** Explains the value of a cell. @param row the one that it is in, of the moment that is shown; undefined where it is gone */
  explain(metric: Metric, row: () => Row | undefined): void;
}

/** Steps of a sparkline at most; one a second. */
const STEPS = 120;
/** Columns beside a sparkline. */
const BESIDE = 32;
const CELL = 26;

const sections: readonly (readonly [title: string, collector: Metric['collector']])[] = [
  ['CPU', 'cpu'],
  ['Memory', 'mem'],
  ['Disks', 'disk'],
  ['Network', 'net'],
  ['I/O of the process', 'io'],
  ['Pressure', 'pressure'],
];

/** Everything that is known of one VM, with the last two minutes of what matters most. */
export class VmPage implements Page {
  readonly title: string;
  readonly keys = 'arrows to a value, w why  PgUp PgDn scroll  Esc q back';
  private readonly cells = new CellCursor();

  constructor(
    name: string,
    private readonly key: string,
    private readonly source: VmSource,
  ) {
    this.title = `VM ${name}`;
  }

  /** The line of the chosen value. */
  get cursor(): number | undefined {
    return this.cells.line;
  }

  press({ name }: Key): KeyUse {
    if (name !== 'w') return this.cells.press(name) ? 'used' : 'unused';
    const cell = this.cells.chosen ?? this.cells.worst();
    if (cell === undefined) return 'used';
    const { metric, path } = cell;
    this.source.explain(metric, () => this.rowOf(path));
    return 'used';
  }

  /** The row of a cell in the moment that is shown. @param path its scope and its device, '' for the VM itself */
  private rowOf([scope, device]: PageCell['path']): Row | undefined {
    const vm = this.source.moment()?.sample.guests.find(({ guest }) => guest.key === this.key);
    if (vm === undefined || device === '') return vm?.row;
    const part = partsOf('vm').find((each) => each.scope === scope);
    return part && rowsOf(vm, part).find((row) => textOrBlank(row, 'device') === device);
  }

  lines({ columns }: Size): readonly Line[] {
    const moment = this.source.moment();
    const vm = moment?.sample.guests.find(({ guest }) => guest.key === this.key);
    if (moment === undefined || vm === undefined) return [line('It does not run.', 'warn')];
    const lines: CellLine[] = [
      ...plain(identity(vm.row, columns)),
      ...plain([[]]),
      ...plain(this.sparklines(moment, columns)),
      ...partsOf('vm').flatMap((part) => this.devices(part.scope, rowsOf(vm, part), columns)),
      ...sections.flatMap(([title, collector]) => this.section(title, collector, vm.row, columns)),
    ];
    return this.cells.place(lines);
  }

  private sparklines({ recent, time }: Moment, columns: number): readonly Line[] {
    const width = Math.max(10, Math.min(STEPS, columns - BESIDE));
    return [
      line('Last two minutes', 'heading'),
      ...ofPage.map((id): Line => {
        const metric = metricOf('vm', id);
        const [steps = []] = recent.steps({ scope: 'vm', id }, [this.key], width, time);
        const known = steps.filter((step) => !Number.isNaN(step));
        const most = known.length === 0 ? NaN : Math.max(...known);
        const show = (value: number): string =>
          metric === undefined ? '' : formatNumber(value, metric.unit, this.source.units());
        return [
          { text: (metric?.title ?? id).padEnd(9), style: 'dim' },
          { text: sparkline(steps, id === 'cpu_total' ? 100 : most, this.source.unicode), style: 'good' },
          { text: ` ${show(steps.at(-1) ?? NaN).padStart(8)}`, style: 'strong' },
          { text: ` max ${show(most)}`, style: 'dim' },
        ];
      }),
    ];
  }

  private section(
    title: string,
    collector: Metric['collector'],
    row: Row,
    columns: number,
  ): readonly CellLine[] {
    const known = metricsOf('vm').filter((metric) => metric.collector === collector && isKnown(metric, row));
    if (known.length === 0) return [];
    const perLine = Math.max(1, Math.floor(columns / CELL));
    const lines: CellLine[] = [];
    for (let at = 0; at < known.length; at += perLine) {
      const metrics = known.slice(at, at + perLine);
      const spans = metrics.map((metric) => this.cell(metric, row));
      // The label and the value of each stand before its blanks.
      const cells = metrics.map((metric, index) => this.cellAt(metric, row, index * 3 + 1));
      lines.push({ spans: spans.flat(), cells });
    }
    return [...plain([[], line(title, 'heading')]), ...lines];
  }

  private cell(metric: Metric, row: Row): Span[] {
    const { title, slot, kind, unit, id } = metric;
    const label: Span = { text: `${fit(title, 14)} `, style: 'dim' };
    if (kind === 'text') return [label, { text: fit(row.texts[slot] ?? '', CELL - 16) }, { text: ' ' }];
    const value = row.values[slot] ?? NaN;
    const text = formatNumber(value, unit, this.source.units());
    return [
      label,
      { text: text.padStart(9), style: styleOf(this.source.judge(id, value, row)) },
      { text: '  ' },
    ];
  }

  /** @param span index of the span that shows the value */
  private cellAt(metric: Metric, row: Row, span: number): PageCell {
    const device = row.scope === 'vm' ? '' : textOrBlank(row, 'device');
    const value = metric.kind === 'text' ? NaN : (row.values[metric.slot] ?? NaN);
    return { metric, path: [row.scope, device], span, grade: this.source.judge(metric.id, value, row) };
  }

  private devices(scope: Scope, rows: readonly Row[], columns: number): readonly CellLine[] {
    if (rows.length === 0) return [];
    const { judge } = this.source;
    const units = this.source.units();
    const placed = place(deviceColumns(scope), {
      width: columns,
      nameWidth: 0,
      longestName: 0,
      units,
      cursor: undefined,
    });
    return [
      ...plain([[], line(entityOf(scope).heading, 'heading'), headingLine(placed, '', undefined)]),
      ...rows.map((row) => ({
        spans: entryLine({ key: textOrBlank(row, 'device'), row }, placed, { units, judge, selected: false }),
        // Each value is followed by a blank; the device is no value.
        cells: placed.flatMap(({ column: { metric } }, index) =>
          metric.id === 'device' ? [] : [this.cellAt(metric, row, index * 2)],
        ),
      })),
    ];
  }
}

/** Lines without values to choose from. */
function plain(lines: readonly Line[]): CellLine[] {
  return lines.map((spans) => ({ spans, cells: [] }));
}

/** Who it is, in as many lines as that takes. */
function identity(row: Row, columns: number): readonly Line[] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const { id, title, kind, slot, unit } of metricsOf('vm').filter(
    ({ collector }) => collector === '-',
  )) {
    const value = row.values[slot] ?? NaN;
    const text =
      kind === 'text' ? (row.texts[slot] ?? '') : Number.isNaN(value) ? '' : formatNumber(value, unit);
    if (text === '') continue;
    const width = title.length + textWidth(text) + 3;
    if (used > 0 && used + width > columns) {
      lines.push([]);
      used = 0;
    }
    used += width;
    const style = id.startsWith('qmp') ? 'bad' : 'normal';
    lines.at(-1)?.push({ text: `${title} `, style: 'dim' }, { text, style }, { text: '  ' });
  }
  return lines;
}

function isKnown({ kind, slot }: Metric, { values, texts }: Row): boolean {
  return kind === 'text' ? (texts[slot] ?? '') !== '' : !Number.isNaN(values[slot] ?? NaN);
}
