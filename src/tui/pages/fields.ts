import type { ViewColumn } from '../table/view-columns.ts';
import { fit } from '../../base/strings/glyphs.ts';
import type { Key } from '../screen/keys.ts';
import { line } from '../screen/spans.ts';
import type { Line, Size } from '../screen/spans.ts';
import { wrap } from '../../base/strings/wrap.ts';
import type { KeyUse, Page } from './page.ts';

/** Fields that PgUp and PgDn move by. */
const PAGE = 10;
/** Columns before the meanings. */
const BESIDE = 19;

/** Chooses the columns of a view and their order; every change shows at once and when the page is closed. */
export class FieldsPage implements Page {
  readonly title: string;
  readonly keys = 'space show or hide  j k move  J K move the field  r as at first  Esc done';
  private order: ViewColumn[];
  private shown: Set<string>;
  private at = 0;
  /** What is said below the field of the cursor. */
  private detail: readonly Line[] = [];

  /**
   * @param columns all there are
   * @param shown ids of those that are shown, in order
   * @param first ids of those that are shown at first, in order
   * @param change takes the ids to show
   */
  constructor(
    view: string,
    private readonly columns: readonly ViewColumn[],
    shown: readonly string[],
    private readonly first: readonly string[],
    private readonly change: (ids: readonly string[]) => void,
  ) {
    this.title = `fields of ${view}`;
    this.shown = new Set(shown);
    this.order = this.sorted(shown);
  }

  /** The last line about the field of the cursor, whose meaning takes several. */
  get cursor(): number {
    return this.at + this.detail.length;
  }

  lines({ columns }: Size): readonly Line[] {
    const chosen = this.order[this.at]?.metric;
    const text = chosen === undefined ? '' : `${chosen.meaning} (${chosen.id})`;
    this.detail = wrap(text, ' '.repeat(BESIDE), columns).map((each) => line(each, 'dim'));
    const all = this.order.map(({ id, heading, metric }, index): Line => {
      const shown = this.shown.has(id);
      const reverse = index === this.at;
      const meaning = index === this.at ? '' : metric.meaning;
      return [
        { text: shown ? ' [x] ' : ' [ ] ', style: shown ? 'good' : 'dim', reverse },
        { text: fit(heading, BESIDE - 5), style: shown ? 'strong' : 'normal', reverse },
        { text: meaning },
      ];
    });
    all.splice(this.at + 1, 0, ...this.detail);
    return all;
  }

  press({ name }: Key): KeyUse {
    switch (name) {
      case 'j':
      case 'down':
        this.at = Math.min(this.at + 1, this.order.length - 1);
        return 'used';
      case 'k':
      case 'up':
        this.at = Math.max(this.at - 1, 0);
        return 'used';
      case 'pagedown':
        this.at = Math.min(this.at + PAGE, this.order.length - 1);
        return 'used';
      case 'pageup':
        this.at = Math.max(this.at - PAGE, 0);
        return 'used';
      case 'home':
        this.at = 0;
        return 'used';
      case 'end':
        this.at = this.order.length - 1;
        return 'used';
      case 'space':
      case 'enter':
        this.toggle();
        return 'used';
      case 'J':
      case '>':
        this.move(1);
        return 'used';
      case 'K':
      case '<':
        this.move(-1);
        return 'used';
      case 'r':
        this.shown = new Set(this.first);
        this.order = this.sorted(this.first);
        this.changed();
        return 'used';
      case 'f':
      case 'o':
        return 'close';
      default:
        return 'unused';
    }
  }

  /** One column stays. */
  private toggle(): void {
    const id = this.order[this.at]?.id;
    if (id === undefined) return;
    if (!this.shown.delete(id)) this.shown.add(id);
    else if (this.shown.size === 0) this.shown.add(id);
    this.changed();
  }

  private move(by: number): void {
    const to = this.at + by;
    const [moved, other] = [this.order[this.at], this.order[to]];
    if (moved === undefined || other === undefined) return;
    this.order[to] = moved;
    this.order[this.at] = other;
    this.at = to;
    this.changed();
  }

  private changed(): void {
    this.change(this.order.map(({ id }) => id).filter((id) => this.shown.has(id)));
  }

  /** Those that are shown in their order, then the others. */
  private sorted(shown: readonly string[]): ViewColumn[] {
    const first = shown.flatMap((id) => this.columns.find((column) => column.id === id) ?? []);
    return [...first, ...this.columns.filter((column) => !first.includes(column))];
  }
}
