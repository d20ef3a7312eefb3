import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyDecoder } from '../../../src/tui/screen/keys.ts';

/** Names of the keys in a text, sent in pieces of `size` bytes. */
function decode(text: string, size = Infinity): string[] {
  const names: string[] = [];
  const decoder = new KeyDecoder(({ name }) => names.push(name));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) decoder.write(bytes.subarray(at, at + size));
  decoder.close();
  return names;
}

const everything = '\x1b[A\x1bOBq\x1b[5~\x1b[1;2C日\r\x7f\x03 \x1b[<65;10;5Mé\x1b[H';
const names = [
  'up',
  'down',
  'q',
  'pageup',
  'right',
  '日',
  'enter',
  'backspace',
  'ctrl-c',
  'space',
  'wheeldown',
  'é',
  'home',
];

test('keys, the wheel and letters of any language, cut anywhere', () => {
  for (let size = 1; size <= 40; size++)
    assert.deepEqual(decode(everything, size), names, `pieces of ${size}`);
});

test('a click tells where, from 0', () => {
  const keys: unknown[] = [];
  new KeyDecoder((key) => keys.push(key)).write(Buffer.from('\x1b[<0;12;3M\x1b[<0;12;3m'));
  assert.deepEqual(keys, [{ name: 'click', at: { x: 11, y: 2 } }], 'and letting go of the button is no key');
});

test('an unknown sequence is not a key, and the next key counts', () => {
  assert.deepEqual(decode('\x1b[99~\x1b[?1;2cj'), ['j']);
});

test('Esc alone is a key, once nothing follows', async () => {
  const found: string[] = [];
  const decoder = new KeyDecoder(({ name }) => found.push(name));
  decoder.write(Buffer.from('\x1b'));
  assert.deepEqual(found, []);
  while (found.length === 0) await sleep(5);
  assert.deepEqual(found, ['escape']);
});

test('Esc and a letter at once are both keys', () => {
  assert.deepEqual(decode('\x1bj'), ['escape', 'j']);
});
