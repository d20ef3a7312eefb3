import { glyphs, isPlain } from '../../base/strings/glyphs.ts';
import { styleNumber } from './palette.ts';
import type { Line, Size } from './spans.ts';

/** Unchanged cells between two changed ones that are written anyway: moving the cursor costs about as much. */
const BRIDGE = 6;

const begin = '\x1b[?2026h';
const end = '\x1b[0m\x1b[?2026l';

/**
 * The cells of the screen: what they show now and what they are to show. Only those that differ are written, in one piece
 * that terminals which know it (mode 2026) show at once.
 *
 * A character of two columns has its text in the first cell and none in the second. After each that is not ASCII the
 * cursor is put where it belongs, because terminals disagree about widths; behind a run of blocks once.
 */
export class Cells {
  private dimensions: Size = { columns: 0, rows: 0 };
  private texts: string[] = [];
  private styles = new Uint8Array();
  private shownTexts: string[] = [];
  private shownStyles = new Uint8Array();
  private readonly switches: readonly string[];
  private readonly unicode: boolean;

  /**
   * @param switches to each style, by its number
   * @param unicode whether the terminal shows more than ASCII; a question mark stands for the rest otherwise
   */
  constructor(switches: readonly string[], unicode: boolean) {
    this.switches = switches;
    this.unicode = unicode;
  }

  get size(): Size {
    return this.dimensions;
  }

  /** Starts again with a screen of unknown content: everything will be written. */
  reset(size: Size): void {
    const count = size.columns * size.rows;
    this.dimensions = size;
    this.texts = new Array<string>(count).fill(' ');
    this.styles = new Uint8Array(count);
    this.shownTexts = new Array<string>(count).fill('\0');
    this.shownStyles = new Uint8Array(count);
  }

  /** Sets a whole row, from 0; rows beyond the screen are ignored. */
  set(row: number, line: Line): void {
    const { columns, rows } = this.dimensions;
    if (row < 0 || row >= rows) return;
    const last = (row + 1) * columns;
    let at = row * columns;
    for (const { text, style, reverse } of line) {
      const number = styleNumber(style, reverse);
      if (isPlain(text)) {
        for (let index = 0; index < text.length && at < last; index++)
          this.put(at++, text.charAt(index), number);
        continue;
      }
      for (const { text: glyph, width } of glyphs(text)) {
        if (at + width > last) break;
        const shown = this.unicode || isPlain(glyph) ? glyph : '?'.repeat(width);
        const split = shown.length === width;
        this.put(at, split ? shown.charAt(0) : shown, number);
        if (width === 2) this.put(at + 1, split ? shown.charAt(1) : '', number);
        at += width;
      }
    }
    for (; at < last; at++) this.put(at, ' ', 0);
  }

  /** What makes the terminal show the rows as they were set; '' where it does already. */
  changes(): string {
    const { columns, rows } = this.dimensions;
    let out = '';
    let style = -1;
    /** The cell where the terminal will write next; -1 where that is not sure. */
    let cursor = -1;
    for (let at = 0; at < columns * rows; at++) {
      if (!this.differs(at)) continue;
      const isNear = this.bridges(cursor, at);
      const from = isNear ? cursor : at;
      if (!isNear) out += `\x1b[${Math.floor(at / columns) + 1};${(at % columns) + 1}H`;
      for (let each = from; each <= at; each++) {
        const text = this.texts[each] ?? '';
        const number = this.styles[each] ?? 0;
        this.shownTexts[each] = text;
        this.shownStyles[each] = number;
        if (text === '') continue;
        if (number !== style) {
          out += this.switches[number] ?? '';
          style = number;
        }
        out += text;
        cursor = each + 1;
        if (!(isPlain(text) || isBlock(text)) || cursor % columns === 0) cursor = -1;
      }
    }
    return out === '' ? '' : begin + out + end;
  }

  /** Whether what is written on from one cell comes to another one as it should. */
  private bridges(cursor: number, at: number): boolean {
    if (cursor === -1 || at - cursor > BRIDGE || !sameRow(cursor, at, this.dimensions.columns)) return false;
    // Behind a block only another one is where it belongs in every terminal: blocks that are too wide stay a row of blocks.
    if (cursor > 0 && isBlock(this.texts[cursor - 1] ?? ''))
      return at === cursor && isBlock(this.texts[at] ?? '');
    for (let between = cursor; between < at; between++) if (!isPlain(this.texts[between] ?? '')) return false;
    return true;
  }

  private put(at: number, text: string, style: number): void {
    this.texts[at] = text;
    this.styles[at] = style;
  }

  private differs(at: number): boolean {
    return this.texts[at] !== this.shownTexts[at] || this.styles[at] !== this.shownStyles[at];
  }
}

/** Whether it is one of the blocks that sparklines and bars are made of: many of them follow each other. */
function isBlock(text: string): boolean {
  return text.length === 1 && text >= '\u2581' && text <= '\u2588';
}

function sameRow(one: number, other: number, columns: number): boolean {
  return Math.floor(one / columns) === Math.floor(other / columns);
}
