import { glyphs, textWidth } from '../src/base/strings/glyphs.ts';

/** Size of a character, in pixels. */
const WIDTH = 8.4;
const HEIGHT = 18;
const BASELINE = 13.5;
const MARGIN = 12;

const BACKGROUND = '#16191d';
const FOREGROUND = '#d5d9de';
const basic = ['#2b3036', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d5d9de'];
const bright = ['#7f8891', '#ff7b85', '#b3e08f', '#ffd98a', '#7cc4ff', '#dd8ff0', '#6fd3e0', '#ffffff'];

/** How a run of characters looks. */
interface Look {
  colour: string | undefined;
  bold: boolean;
  dim: boolean;
  underlined: boolean;
  reversed: boolean;
}

/**
 * A picture of a terminal.
 *
 * @param screen its lines with SGR sequences, as `tmux capture-pane -e` gives them
 */
export function terminalSvg(screen: string, columns: number): string {
  const lines = screen.replace(/\n+$/, '').split('\n');
  const width = Math.ceil(columns * WIDTH + 2 * MARGIN);
  const height = Math.ceil(lines.length * HEIGHT + 2 * MARGIN);
  const look: Look = { colour: undefined, bold: false, dim: false, underlined: false, reversed: false };
  const body = lines.map((line, row) => lineSvg(line, MARGIN + row * HEIGHT, look)).join('');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n` +
    `<rect width="${width}" height="${height}" rx="6" fill="${BACKGROUND}"/>\n` +
    `<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">\n${body}</g>\n</svg>\n`
  );
}

function lineSvg(line: string, top: number, look: Look): string {
  let column = 0;
  let svg = '';
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    const sequence = /^.\[([\d;]*)m$/.exec(part);
    if (sequence !== null) {
      change(look, (sequence[1] ?? '').split(';').map(Number));
    } else if (part !== '') {
      svg += runSvg(part, MARGIN + column * WIDTH, top, look);
      column += textWidth(part);
    }
  }
  return svg;
}

/** Glyphs that fonts may draw in another width get a place of their own. */
function runSvg(text: string, left: number, top: number, look: Look): string {
  const { colour = FOREGROUND, bold, dim, underlined, reversed } = look;
  const ink = reversed ? BACKGROUND : colour;
  const style =
    `fill="${ink}"` +
    (bold ? ' font-weight="bold"' : '') +
    (dim ? ' opacity="0.65"' : '') +
    (underlined ? ' text-decoration="underline"' : '');
  const columns = textWidth(text);
  const paper = reversed
    ? `<rect x="${round(left)}" y="${top}" width="${round(columns * WIDTH)}" height="${HEIGHT}" fill="${colour}"/>`
    : '';
  if (text.trim() === '') return paper === '' ? '' : `${paper}\n`;
  let column = 0;
  const places = glyphs(text).map(({ width }) => {
    const place = round(left + column * WIDTH);
    column += width;
    return place;
  });
  const characters = glyphs(text)
    .map(({ text: glyph }) => escaped(glyph))
    .join('');
  const isPlain = characters.length === text.length && columns === text.length;
  const at = isPlain
    ? `x="${round(left)}" textLength="${round(columns * WIDTH)}"`
    : `x="${places.join(' ')}"`;
  return `${paper}<text ${at} y="${top + BASELINE}" ${style}>${characters}</text>\n`;
}

/** Obeys SGR (ECMA-48, 8.3.117) as far as the view uses it. */
function change(look: Look, parameters: readonly number[]): void {
  for (let at = 0; at < parameters.length; at++) {
    const code = parameters[at] ?? 0;
    if (code === 0)
      Object.assign(look, { colour: undefined, bold: false, dim: false, underlined: false, reversed: false });
    else if (code === 1) look.bold = true;
    else if (code === 2) look.dim = true;
    else if (code === 4) look.underlined = true;
    else if (code === 7) look.reversed = true;
    else if (code === 39) look.colour = undefined;
    else if (code >= 30 && code <= 37) look.colour = basic[code - 30];
    else if (code >= 90 && code <= 97) look.colour = bright[code - 90];
    else if (code === 38 && parameters[at + 1] === 5) {
      look.colour = indexed(parameters[at + 2] ?? 0);
      at += 2;
    }
  }
}

/** A colour of the 256 of xterm: 16 basic ones, a cube of 6x6x6, greys. */
function indexed(index: number): string {
  if (index < 16) return (index < 8 ? basic[index] : bright[index - 8]) ?? FOREGROUND;
  if (index >= 232) return hex([8, 8, 8].map((base) => base + 10 * (index - 232)));
  const cube = index - 16;
  const level = (step: number): number => (step === 0 ? 0 : 55 + 40 * step);
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level));
}

function hex(colour: readonly number[]): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** With blanks that do not break: browsers no longer obey xml:space, and make one of several others. */
function escaped(text: string): string {
  return text
    .replaceAll(' ', '\u00a0')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
