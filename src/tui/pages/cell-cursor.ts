import type { Metric } from '../../catalogue/catalogue.ts';
import type { Scope } from '../../catalogue/define.ts';
import type { Grade } from '../analysis/grade.ts';
import type { Line } from '../screen/spans.ts';

/** A value on a page. */
export interface PageCell {
  readonly metric: Metric;
  /** The scope of its row and the device that this is about, '' for none. */
  readonly path: readonly [scope: Scope, device: string];
  /** Index of the span that shows it. */
  readonly span: number;
  readonly grade: Grade;
}

/** A line of a page with the values in it, from the left to the right. */
export interface CellLine {
  readonly spans: Line;
  readonly cells: readonly PageCell[];
}

/** Which value of a page is chosen: none until a key moves to one; it is the same value wherever lines move to. */
export class CellCursor {
  private lines: readonly CellLine[] = [];
  private name: string | undefined;

  /** The chosen value; undefined where there is none. */
  get chosen(): PageCell | undefined {
    const { name } = this;
    return name === undefined ? undefined : this.all.find((cell) => nameOf(cell) === name);
  }

  /** The line of the chosen value. */
  get line(): number | undefined {
    const { chosen } = this;
    return chosen && this.lineOf(chosen);
  }

  /** The first red value, or else a yellow one, or else the first one. */
  worst(): PageCell | undefined {
    const { all } = this;
    return all.find(({ grade }) => grade === 'bad') ?? all.find(({ grade }) => grade === 'warn') ?? all[0];
  }

  /** Takes the lines as they are now. @returns them with the chosen value marked */
  place(lines: readonly CellLine[]): readonly Line[] {
    this.lines = lines;
    const { chosen } = this;
    return lines.map(({ spans, cells }) =>
      chosen !== undefined && cells.includes(chosen)
        ? spans.map((span, index) => (index === chosen.span ? { ...span, reverse: true } : span))
        : spans,
    );
  }

  /** Moves with arrows: to the worst value at first. Keys that scroll let go of it. @returns whether the key was an arrow */
  press(key: string): boolean {
    switch (key) {
      case 'left':
      case 'right':
        this.step(key === 'left' ? -1 : 1);
        return true;
      case 'up':
      case 'k':
      case 'down':
      case 'j':
        this.moveLine(key === 'up' || key === 'k' ? -1 : 1);
        return true;
      case 'pageup':
      case 'pagedown':
      case 'space':
      case 'home':
      case 'end':
      case 'wheelup':
      case 'wheeldown':
        this.name = undefined;
        return false;
      default:
        return false;
    }
  }

  private get all(): readonly PageCell[] {
    return this.lines.flatMap(({ cells }) => cells);
  }

  private lineOf(cell: PageCell): number {
    return this.lines.findIndex(({ cells }) => cells.includes(cell));
  }

  private choose(cell: PageCell | undefined): void {
    if (cell !== undefined) this.name = nameOf(cell);
  }

  private step(by: -1 | 1): void {
    const { chosen, all } = this;
    this.choose(chosen === undefined ? this.worst() : all[all.indexOf(chosen) + by]);
  }

  /** To the value of the next line that has any which stands at the same place, or to its last one. */
  private moveLine(by: -1 | 1): void {
    const { chosen, lines } = this;
    if (chosen === undefined) {
      this.choose(this.worst());
      return;
    }
    const from = this.lineOf(chosen);
    const column = lines[from]?.cells.indexOf(chosen) ?? 0;
    for (let at = from + by; at >= 0 && at < lines.length; at += by) {
      const { cells = [] } = lines[at] ?? {};
      if (cells.length === 0) continue;
      this.choose(cells[Math.min(column, cells.length - 1)]);
      return;
    }
  }
}

function nameOf({ metric, path }: PageCell): string {
  return `${path.join(' ')} ${metric.id}`;
}
