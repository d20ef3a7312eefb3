import type { Thresholds } from '../../config/thresholds.ts';
import type { Sample } from '../../sampling/sample.ts';
import { blame } from '../analysis/blame.ts';
import { blameTable } from '../analysis/blame-table.ts';
import type { BlameTable, BlameCells } from '../analysis/blame-table.ts';
import { fit, textWidth } from '../screen/glyphs.ts';
import { line } from '../screen/spans.ts';
import type { Line, Size, Span } from '../screen/spans.ts';
import type { Page } from './page.ts';

/** Columns between the victims and the culprits. */
const BETWEEN = 4;
const LONGEST_CELL = 24;

/** Who suffers in the last interval, beside who takes most of the same. */
export class BlamePage implements Page {
  readonly title = 'blame';
  readonly keys = '';

  /** @param sample the last one */
  constructor(
    private readonly sample: () => Sample | undefined,
    private readonly thresholds: Thresholds,
  ) {}

  lines({ columns }: Size): readonly Line[] {
    const sample = this.sample();
    const shortages = sample === undefined ? [] : blame(sample, this.thresholds);
    if (shortages.length === 0)
      return [line('No VM or container suffers: no value of one is yellow or red.', 'good')];
    return [
      ...shortages.flatMap((shortage) => tableLines(blameTable(shortage), columns)),
      line('Who suffers, and who takes most at the same time: a hint, no proof.', 'dim'),
    ];
  }
}

/** Victims at the left and culprits at the right, or below each other where the screen is narrow. */
function tableLines({ title, victims, culprits, remarks }: BlameTable, columns: number): readonly Line[] {
  const left = block('Suffering', victims, 'bad');
  const right = block('Taking most', culprits, 'warn');
  const width = Math.max(...left.map(widthOf));
  const side = width + BETWEEN + Math.max(...right.map(widthOf)) <= columns;
  const body = side ? besides(left, right, width + BETWEEN) : [...left, ...right];
  return [line(title, 'heading'), ...body, ...remarks.map((remark) => line(remark, 'dim')), []];
}

function block(title: string, { heading, rows }: BlameCells, style: 'bad' | 'warn'): readonly Line[] {
  const widths = heading.map((text, index) =>
    Math.min(LONGEST_CELL, Math.max(textWidth(text), ...rows.map((row) => textWidth(row[index] ?? '')))),
  );
  const cells = (row: readonly string[]): string =>
    row.map((text, index) => fit(text, widths[index] ?? 0)).join(' ');
  return [
    line(title, style),
    line(cells(heading), 'dim'),
    ...(rows.length === 0 ? [line('nobody else', 'dim')] : rows.map((row) => line(cells(row)))),
  ];
}

function besides(left: readonly Line[], right: readonly Line[], width: number): readonly Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index): Line => {
    const own = left[index] ?? [];
    const filler: Span = { text: ' '.repeat(width - widthOf(own)) };
    return [...own, filler, ...(right[index] ?? [])];
  });
}

function widthOf(spans: Line): number {
  return spans.reduce((sum, { text }) => sum + textWidth(text), 0);
}
