import stringWidth from 'string-width';
import { printable } from './printable.ts';

/** What a user takes for one character, and the columns that it takes: 1 or 2. */
interface Glyph {
  readonly text: string;
  readonly width: number;
}

/** The characters that take one column each, everywhere. */
const plain = /^[\x20-\x7e]*$/;
const segmenter = new Intl.Segmenter();
/** UTF-16 units of a glyph that are shown: names may pile up combining marks without end. */
const LONGEST = 16;
/** Texts whose glyphs are remembered: finding them costs 100 times what looking them up does. */
const REMEMBERED = 5000;
const known = new Map<string, readonly Glyph[]>();

/** Whether every character of a text is printable ASCII. */
export function isPlain(text: string): boolean {
  return plain.test(text);
}

/** A text as glyphs, with a question mark for each character that a terminal would obey or not show. */
export function glyphs(text: string): readonly Glyph[] {
  const before = known.get(text);
  if (before !== undefined) return before;
  const found = Array.from(segmenter.segment(printable(text)), ({ segment }) => glyph(segment));
  if (known.size >= REMEMBERED) known.clear();
  known.set(text, found);
  return found;
}

function glyph(segment: string): Glyph {
  const text = segment.slice(0, LONGEST);
  const width = stringWidth(text);
  // A mark without a letter before it has no column of its own.
  return width === 0 ? { text: '?', width: 1 } : { text, width: Math.min(width, 2) };
}

/** Columns that a text takes on the screen. */
export function textWidth(text: string): number {
  if (isPlain(text)) return text.length;
  return glyphs(text).reduce((sum, { width }) => sum + width, 0);
}

/** The beginning of a text that fits into so many columns, filled with blanks up to there. */
export function fit(text: string, columns: number): string {
  if (isPlain(text)) return text.length > columns ? text.slice(0, columns) : text.padEnd(columns);
  let used = 0;
  let fitting = '';
  for (const { text: each, width } of glyphs(text)) {
    if (used + width > columns) break;
    fitting += each;
    used += width;
  }
  return fitting + ' '.repeat(columns - used);
}
