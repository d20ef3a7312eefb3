import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cursor, HIGH_UNIT } from '../../src/kernel/base/cursor.ts';
import { cursorOf } from './support.ts';

test('reads unsigned numbers of any length, the part above 10^15 apart', () => {
  for (const digits of [
    '0',
    '7',
    '007',
    '4294967295',
    '999999999999999',
    '1000000000000000',
    '18446744073709551615',
  ]) {
    const cursor = cursorOf(digits);
    const value = BigInt(cursor.uint()) + BigInt(cursor.high) * BigInt(HIGH_UNIT);
    assert.equal(value, BigInt(digits));
    assert.ok(cursor.atEnd);
  }
});

test('high is that of the last number only', () => {
  const cursor = cursorOf('18446744073709551615 5');
  cursor.uint();
  assert.equal(cursor.high, 18446);
  assert.equal(cursor.uint(), 5);
  assert.equal(cursor.high, 0);
});

test('a line without more columns gives NaN, and nothing of the next line', () => {
  const cursor = cursorOf('1 \t2\n3');
  assert.equal(cursor.uint(), 1);
  assert.equal(cursor.uint(), 2);
  assert.equal(cursor.uint(), NaN);
  assert.equal(cursor.int(), NaN);
  assert.equal(cursor.decimal(), NaN);
  assert.equal(cursor.skipWord(), false);
  cursor.skipLine();
  assert.equal(cursor.uint(), 3);
});

test('never looks behind the end', () => {
  const bytes = Buffer.from('12345.678-9\n');
  for (let length = 0; length <= 5; length++) {
    assert.equal(
      new Cursor().reset(bytes, length).decimal(),
      length === 0 ? NaN : Number('12345'.slice(0, length)),
    );
  }
  assert.equal(new Cursor().reset(bytes, 6).decimal(), 12345);
  assert.equal(new Cursor().reset(bytes, 7).decimal(), 12345.6);
  assert.equal(new Cursor().reset(bytes, 4).take(Buffer.from('12345')), false);
  const atEnd = new Cursor().reset(bytes, 3);
  atEnd.skipLine();
  assert.equal(atEnd.pos, 3);
});

test('reads signed and decimal numbers', () => {
  const cursor = cursorOf('-1 42 0.00 12.50 -3.25 7. 100.05');
  assert.equal(cursor.int(), -1);
  assert.equal(cursor.int(), 42);
  for (const expected of [0, 12.5, -3.25, 7, 100.05]) assert.equal(cursor.decimal(), expected);
});

test('a decimal number is the nearest double, as it is written', () => {
  for (let hundredths = 0; hundredths <= 10000; hundredths++) {
    const text = (hundredths / 100).toFixed(2);
    assert.equal(cursorOf(text).decimal(), Number(text));
  }
  assert.equal(cursorOf('350735.47').decimal(), 350735.47);
});

test('a negative fraction below one keeps its sign', () => {
  assert.equal(cursorOf('-0.5').decimal(), -0.5);
});

test('take moves only behind a word that stands there', () => {
  const cursor = cursorOf('cpu0 1');
  assert.equal(cursor.take(Buffer.from('cpu ')), false);
  assert.equal(cursor.pos, 0);
  assert.equal(cursor.take(Buffer.from('cpu')), true);
  assert.equal(cursor.uint(), 0);
});

test('text decodes the bytes between two places', () => {
  const cursor = cursorOf('name: kvm-ä\n');
  cursor.skipWord();
  cursor.skipBlanks();
  const start = cursor.pos;
  cursor.skipWord();
  assert.equal(cursor.text(start), 'kvm-ä');
  assert.equal(cursor.text(0, 4), 'name');
});
