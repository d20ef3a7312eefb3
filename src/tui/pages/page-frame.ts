import type { KeyUse, Page } from './page.ts';
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

  /** Scrolls and closes. @returns unused for a key that means nothing here */
  press(key: Key): KeyUse {
    const use = this.page.press?.(key) ?? 'unused';
    if (use !== 'unused') return use;
    switch (key.name) {
      case 'q':
      case 'h':
      case '?':
      case 'escape':
      case 'enter':
        return 'close';
      case 'down':
      case 'j':
        this.top += 1;
        return 'used';
      case 'up':
      case 'k':
        this.top -= 1;
        return 'used';
      case 'wheeldown':
        this.top += WHEEL;
        return 'used';
      case 'wheelup':
        this.top -= WHEEL;
        return 'used';
      case 'pagedown':
      case 'space':
        this.top += this.height;
        return 'used';
      case 'pageup':
        this.top -= this.height;
        return 'used';
      case 'left':
      case 'right':
        return 'used';
      case 'home':
        this.top = 0;
        return 'used';
      case 'end':
        this.top = this.length;
        return 'used';
      default:
        return 'unused';
    }
  }
}
