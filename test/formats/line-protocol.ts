import assert from 'node:assert/strict';

/** A point as it was read from a line. */
export interface Point {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Integers as bigint, floats as number. */
  readonly fields: Readonly<Record<string, number | bigint | string>>;
  readonly time: bigint;
}

/**
 * Reads one line of line protocol strictly, and refuses what readers understand in different ways: a backslash that
 * escapes nothing, a key that occurs twice, tags out of order, a tag without value, no fields, no timestamp.
 */
export function parseLine(line: string): Point {
  let at = 0;
  const fail = (why: string): never => assert.fail(`${why} at ${at}: ${line.slice(0, 300)}`);
  /** Reads up to one of the characters that end a word. */
  const word = (escapable: string, ends: string): string => {
    let text = '';
    for (; at < line.length && !ends.includes(line[at]!); at++) {
      if (line[at] === '\\') {
        if (!escapable.includes(line[++at] ?? '\n')) fail('a backslash that escapes nothing');
      } else if (escapable.includes(line[at]!)) fail('a character that needs an escape');
      text += line[at]!;
    }
    return text === '' ? fail('an empty word') : text;
  };
  const expect = (character: string): void => {
    if (line[at++] !== character) fail(`no ${JSON.stringify(character)}`);
  };
  const add = <T>(object: Record<string, T>, key: string, value: T): void => {
    if (Object.hasOwn(object, key)) fail(`${key} occurs twice`);
    object[key] = value;
  };

  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line)) fail('a control character');
  const measurement = word(', ', ', ');
  const tags: Record<string, string> = {};
  while (line[at] === ',') {
    at++;
    const key = word(',= ', ',= ');
    expect('=');
    if (Object.keys(tags).some((earlier) => earlier >= key)) fail('tags out of order');
    add(tags, key, word(',= ', ',= '));
  }
  expect(' ');
  const fields: Record<string, number | bigint | string> = {};
  do {
    const key = word(',= ', ',= ');
    expect('=');
    if (line[at] === '"') {
      let text = '';
      for (at++; line[at] !== '"'; at++) {
        if (at >= line.length) fail('a string without end');
        if (line[at] === '\\' && !'\\"'.includes(line[++at] ?? '\n'))
          fail('a backslash that escapes nothing');
        text += line[at]!;
      }
      at++;
      add(fields, key, text);
    } else {
      const [number = '', digits = '', integer] =
        /^(-?\d+(?:\.\d+)?)(i)?(?=[, ])/.exec(line.slice(at)) ?? fail('no number');
      at += number.length;
      add(fields, key, integer === undefined ? Number(digits) : BigInt(digits));
    }
  } while (line[at++] === ',');
  at--;
  expect(' ');
  const time = /^-?\d+$/.exec(line.slice(at))?.[0] ?? fail('no timestamp');
  return { measurement, tags, fields, time: BigInt(time) };
}
