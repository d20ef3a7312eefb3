/** A key that was pressed, or the wheel that was turned. */
export interface Key {
  /** The character it stands for, or its name: `up`, `pagedown`, `enter`, `escape`, `ctrl-c`, `wheelup`, `click`, ... */
  readonly name: string;
  /** Where the mouse was, from 0; only for `wheelup`, `wheeldown` and `click`. */
  readonly at?: { readonly x: number; readonly y: number };
}

const ESC = '\x1b';

/** What follows ESC [ or ESC O, by key. Terminals differ in these; there is no clash between them. */
const sequences: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '7~': 'home',
  '4~': 'end',
  '8~': 'end',
  '3~': 'delete',
  '5~': 'pageup',
  '6~': 'pagedown',
  M: 'enter',
  '11~': 'f1',
  P: 'f1',
  Z: 'backtab',
};

const controls: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x7f': 'backspace',
  ' ': 'space',
  [ESC]: 'escape',
};

/** ESC [ or ESC O, parameters, a final character (ECMA-48, 5.4). */
const sequence = /^\x1b[[O]([0-?]*)[ -/]*([@-~])/;
/** A mouse report of mode 1006: button, column, row. */
const mouse = /^<(\d+);(\d+);(\d+)$/;
/** How long a started sequence may stay unfinished: then ESC was a key of its own. ms. */
const PATIENCE = 50;

/** Makes keys of what a terminal sends, in pieces of any size. */
export class KeyDecoder {
  private text = '';
  private timer: NodeJS.Timeout | undefined;
  private readonly decoder = new TextDecoder();

  /** @param press gets every key */
  constructor(private readonly press: (key: Key) => void) {}

  write(bytes: Uint8Array): void {
    clearTimeout(this.timer);
    this.text += this.decoder.decode(bytes, { stream: true });
    this.take();
    if (this.text === '') return;
    this.timer = setTimeout(() => {
      this.giveUp();
    }, PATIENCE);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private take(): void {
    while (this.text !== '') {
      const [key, length] = next(this.text);
      if (length === 0) return;
      this.text = this.text.slice(length);
      if (key !== undefined) this.press(key);
    }
  }

  /** What began like a sequence is none: its ESC counts as a key. */
  private giveUp(): void {
    this.text = this.text.slice(1);
    this.press({ name: 'escape' });
    this.take();
  }
}

/** The first key of a text and its length in it; 0 where more must come first, no key where none is known. */
function next(text: string): [key: Key | undefined, length: number] {
  if (text.startsWith(ESC) && (text.length === 1 || /^\x1b[[O]/.test(text))) return escaped(text);
  const [character = ''] = text;
  return [{ name: nameOf(character) }, character.length];
}

function escaped(text: string): [key: Key | undefined, length: number] {
  const match = sequence.exec(text);
  if (match === null) return [undefined, text.length > 32 ? 1 : 0];
  const [whole, parameters = '', final = ''] = match;
  if (parameters.startsWith('<')) return [mouseKey(parameters, final), whole.length];
  // Shift and the like are told by a second parameter, which makes no difference here.
  const [number = ''] = parameters.split(';');
  const name = sequences[final === '~' ? `${number}~` : final];
  return [name === undefined ? undefined : { name }, whole.length];
}

function mouseKey(report: string, final: string): Key | undefined {
  const [, button = '', column = '', row = ''] = mouse.exec(report) ?? [];
  const names: Readonly<Record<string, string>> = { 0: 'click', 64: 'wheelup', 65: 'wheeldown' };
  const name = names[button];
  if (name === undefined || final !== 'M') return undefined;
  return { name, at: { x: Number(column) - 1, y: Number(row) - 1 } };
}

function nameOf(character: string): string {
  const named = controls[character];
  if (named !== undefined) return named;
  const code = character.charCodeAt(0);
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : character;
}
