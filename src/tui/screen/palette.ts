import { styles } from './spans.ts';
import type { Style } from './spans.ts';

/** Colours a terminal can show, as Node's `getColorDepth` counts: bits a colour; 1 is none. */
export type Depth = 1 | 4 | 8 | 24;

/** Parameters of SGR (ECMA-48, 8.3.117) for each style, by what the terminal can show. */
type Palette = Readonly<Record<Style, string>>;

/** Judgement must be seen without colour too. */
const none: Palette = {
  normal: '',
  dim: '2',
  strong: '1',
  heading: '1;4',
  title: '1',
  key: '1',
  good: '',
  warn: '4',
  bad: '1;4',
};

/** The sixteen colours that every terminal lets its user choose. */
const sixteen: Palette = {
  normal: '',
  dim: '90',
  strong: '1',
  heading: '1;36',
  title: '1;32',
  key: '36',
  good: '32',
  warn: '33',
  bad: '1;31',
};

const indexed: Palette = {
  ...sixteen,
  dim: '38;5;244',
  heading: '1;38;5;80',
  title: '1;38;5;114',
  key: '38;5;80',
  good: '38;5;114',
  warn: '38;5;220',
  bad: '1;38;5;203',
};

const rgb: Palette = {
  ...sixteen,
  dim: '38;2;128;136;144',
  heading: '1;38;2;86;200;216',
  title: '1;38;2;126;211;133',
  key: '38;2;86;200;216',
  good: '38;2;126;211;133',
  warn: '38;2;240;200;60',
  bad: '1;38;2;255;95;95',
};

const palettes: Readonly<Record<Depth, Palette>> = { 1: none, 4: sixteen, 8: indexed, 24: rgb };

/** Added to the number of a style whose colours are swapped. */
const REVERSE = 16;

/** A style as one small number, to be compared quickly. */
export function styleNumber(style: Style = 'normal', reverse = false): number {
  return styles.indexOf(style) + (reverse ? REVERSE : 0);
}

/** What switches a terminal to each style, by its number, whatever it was switched to before. */
export function switches(depth: Depth): readonly string[] {
  const palette = palettes[depth];
  const found: string[] = [];
  for (const style of styles) {
    const parameters = ['0', palette[style]].filter((each) => each !== '');
    found[styleNumber(style)] = `\x1b[${parameters.join(';')}m`;
    found[styleNumber(style, true)] = `\x1b[${[...parameters, '7'].join(';')}m`;
  }
  return found;
}
