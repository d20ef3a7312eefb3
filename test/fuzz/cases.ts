/** What a target's inputs are made of. */
export interface Grammar {
  /** Inputs as they should be. */
  readonly seeds: readonly (string | Buffer)[];
  /** Words of the format: keys, separators, brackets, beginnings of messages. */
  readonly words: readonly string[];
  /** Bytes of the largest input that can reach the parser; without it 64 KiB. */
  readonly largest?: number;
}

/** Random numbers from 0 to below 1 that a seed determines (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number for a text, to make a seed of (FNV-1a). */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

/** Bytes of the largest input where nothing else is said. */
export const USUAL = 64 * 1024;
/** Words that are hostile in any format. In latin1, as inputs are handled here: any byte may come. */
const strange = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '\0',
  '\x1b]0;x\x07',
  '\xc2\x9b',
  '\xe2\x80\xae',
  '\xed\xa0\x80',
  '\xff\xfe',
  '\r\n',
  '\n',
  '\r',
  '\t',
  ' ',
  '"',
  "'",
  '\\',
  '%',
  '..',
  '/',
  ',',
  ';',
  ':',
  '=',
  '#',
].map(String);
const numbers = [
  '0',
  '-1',
  '-0',
  '1e999',
  'NaN',
  'Infinity',
  '0x10',
  '1.5',
  '9007199254740993',
  '18446744073709551615',
  '18446744073709551616',
  '4294967296',
  '-9223372036854775809',
  '00000000000000000001',
  '9'.repeat(400),
];
const pairs = ['[]', '{}', '()', '<>', '""', "''", '[{', '{"a":'];

/**
 * Makes an input: one of the seeds after a few changes that keep most of its structure. The same random numbers give the
 * same input.
 */
export function makeCase({ seeds, words, largest = USUAL }: Grammar, random: () => number): Buffer {
  const whole = (below: number): number => Math.floor(random() * below);
  const pick = <T>(from: readonly T[]): T => from[whole(from.length)] as T;
  const word = (): string => pick(random() < 0.6 && words.length > 0 ? words : strange);
  /** How often something is repeated: mostly a few times, sometimes until the input is full. */
  const often = (length: number): number => {
    const most = Math.max(1, Math.floor(largest / Math.max(1, length)));
    return random() < 0.1 ? most : Math.min(most, Math.ceil(2 ** (random() * 8)));
  };
  const latin1 = (seed: string | Buffer): string => Buffer.from(seed as string).toString('latin1');

  const changes: readonly ((text: string, at: number, end: number) => string)[] = [
    (text, at) => text.slice(0, at) + word() + text.slice(at),
    (text, at, end) => text.slice(0, at) + word() + text.slice(end),
    (text, at, end) => text.slice(0, at) + text.slice(end),
    (text, at, end) => text.slice(0, at) + text.slice(at, end).repeat(often(end - at)) + text.slice(end),
    (text, at) => {
      const repeated = word();
      return text.slice(0, at) + repeated.repeat(often(repeated.length)) + text.slice(at);
    },
    (text, at) => {
      const repeated = word() + word();
      return text.slice(0, at) + repeated.repeat(often(repeated.length)) + text.slice(at);
    },
    (text, at) => {
      const [open = '', close = ''] = pick(pairs);
      const depth = often(2);
      return text.slice(0, at) + open.repeat(depth) + close.repeat(depth) + text.slice(at);
    },
    (text, at, end) => text.slice(0, at) + latin1(pick(seeds)).slice(at, end + whole(200)) + text.slice(end),
    (text, at) => text.slice(0, at) + String.fromCharCode(whole(256)) + text.slice(at + 1),
    (text, at) =>
      text.slice(0, at) +
      pick(['\0\0\0\0', '\xff\xff\xff\xff', '\x7f\xff\xff\xff', '\0\x01\0\0']) +
      text.slice(at + 4),
    (text, at) => {
      const digits = /\d+/.exec(text.slice(at));
      if (digits === null) return text;
      return (
        text.slice(0, at + digits.index) + pick(numbers) + text.slice(at + digits.index + digits[0].length)
      );
    },
    (text, at) => text.slice(0, at),
    (text, at) => text.slice(at),
  ];
  let text = latin1(pick(seeds));
  for (let n = whole(8) + 1; n > 0; n--) {
    const at = whole(text.length + 1);
    const end = Math.min(text.length, at + Math.ceil(2 ** (random() * 8)));
    text = pick(changes)(text, at, end).slice(0, largest);
  }
  return Buffer.from(text, 'latin1');
}
