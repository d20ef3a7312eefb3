import type { Taker, Verdict, Victim } from '../../verdicts/verdict.ts';
import type { GuestRows } from '../../sampling/sample.ts';
import type { Moment } from '../moments/moment.ts';
import { fit, textWidth } from '../../base/strings/glyphs.ts';
import { line } from '../screen/spans.ts';
import type { Line, Size, Span } from '../screen/spans.ts';
import { verdictStyle, verdictText } from '../table/verdict-lines.ts';
import type { Page } from './page.ts';

/** Columns between the victims and those who take most. */
const BETWEEN = 4;
const LONGEST_CELL = 24;

/** A table of texts; every row has as many cells as the heading. */
interface Cells {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** All that is wrong: each verdict with who suffers, beside who takes most of what is short. */
export class BlamePage implements Page {
  readonly title = 'blame';
  readonly keys = '';

  /** @param found what was found of the moment that is shown; undefined before the first sample */
  constructor(private readonly found: () => Pick<Moment, 'verdicts' | 'isWarm'> | undefined) {}

  lines({ columns }: Size): readonly Line[] {
    const { verdicts: now = [], isWarm = false } = this.found() ?? {};
    const early = isWarm ? [] : [line('More can be said after ten seconds of samples.', 'dim')];
    if (now.length === 0 && isWarm) return [line('No VM or container suffers.', 'good')];
    return [
      ...now.flatMap((verdict) => verdictBlock(verdict, columns)),
      ...early,
      ...(now.some(({ takers }) => takers.length > 0)
        ? [line('Means over the last ten seconds. That both happen at a time is a hint, no proof.', 'dim')]
        : []),
    ];
  }
}

/** The sentence, and below it victims at the left and takers at the right, or below each other on a narrow screen. */
function verdictBlock(verdict: Verdict, columns: number): readonly Line[] {
  const head = line(verdictText(verdict), verdictStyle(verdict));
  const left = verdict.victims.length === 0 ? [] : block('Suffering', victimCells(verdict.victims));
  const right = verdict.takers.length === 0 ? [] : block('Taking most', takerCells(verdict.takers));
  const width = Math.max(0, ...left.map(widthOf));
  const side = width + BETWEEN + Math.max(0, ...right.map(widthOf)) <= columns;
  const body = side && left.length > 0 ? besides(left, right, width + BETWEEN) : [...left, ...right];
  return [head, ...body, []];
}

function victimCells(victims: readonly Victim[]): Cells {
  return {
    heading: ['VM', 'VMID', 'DEVICE', 'SUFFERS'],
    rows: victims.map(({ guest, device, suffers }) => [...nameCells(guest, ''), device ?? '', suffers]),
  };
}

function takerCells(takers: readonly Taker[]): Cells {
  return {
    heading: ['VM', 'VMID', 'SHARE', 'AMOUNT'],
    rows: takers.map(({ guest, name, share, amount }) => [
      ...nameCells(guest, `(${name === 'host' ? 'the host itself' : name})`),
      `${share.toFixed(0)}%`,
      amount,
    ]),
  };
}

function nameCells(guest: GuestRows | undefined, other: string): readonly [name: string, vmid: string] {
  return guest === undefined ? [other, ''] : [guest.guest.name, guest.guest.vmid ?? ''];
}

function block(title: string, { heading, rows }: Cells): readonly Line[] {
  const widths = heading.map((text, index) =>
    Math.min(LONGEST_CELL, Math.max(textWidth(text), ...rows.map((row) => textWidth(row[index] ?? '')))),
  );
  const cells = (row: readonly string[]): string =>
    row.map((text, index) => fit(text, widths[index] ?? 0)).join(' ');
  return [line(title, 'heading'), line(cells(heading), 'dim'), ...rows.map((row) => line(cells(row)))];
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
