import type { Page } from './page.ts';
import type { Key } from '../screen/keys.ts';
import type { Line, Size } from '../screen/spans.ts';

const WHEEL = 3;

/** A page on the screen, with the place that it is scrolled to. */
export class PageFrame {
  private top = 0;
  private height = 1;
  private length = 0;

  constructor(private readonly page: Page) {}

  get title(): string {
    return this.page.title;
  }

  /** What the last line says. */
  get keys(): Line {
    const scrolls =
      this.length > this.height && this.page.cursor === undefined ? 'arrows PgUp PgDn scroll  ' : '';
    const own = this.page.keys === '' ? `${scrolls}Esc q back` : this.page.keys;
    return [{ text: own, style: 'dim' }];
  }

  /** The part of the page that is on the screen. */
  lines(size: Size): readonly Line[] {
    const { cursor } = this.page;
    const all = this.page.lines(size);
    this.height = size.rows;
    this.length = all.length;
    this.top = Math.max(0, Math.min(this.top, all.length - size.rows));
    if (cursor !== undefined) this.top = Math.max(cursor - size.rows + 1, Math.min(this.top, cursor));
    return all.slice(this.top, this.top + size.rows);
  }

  /** @returns whether the page is to be closed */
  press(key: Key): boolean {
    const use = this.page.press?.(key) ?? 'unused';
    if (use !== 'unused') return use === 'close';
    switch (key.name) {
      case 'q':
      case 'h':
      case '?':
      case 'escape':
      case 'enter':
        return true;
      case 'down':
      case 'j':
        this.top += 1;
        return false;
      case 'up':
      case 'k':
        this.top -= 1;
        return false;
      case 'wheeldown':
        this.top += WHEEL;
        return false;
      case 'wheelup':
        this.top -= WHEEL;
        return false;
      case 'pagedown':
      case 'space':
        this.top += this.height;
        return false;
      case 'pageup':
        this.top -= this.height;
        return false;
      case 'home':
        this.top = 0;
        return false;
      case 'end':
        this.top = this.length;
        return false;
      default:
        return false;
    }
  }
}
