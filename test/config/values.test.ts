import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Refusal,
  bytes,
  choice,
  choices,
  decimal,
  integer,
  names,
  times,
  truth,
} from '../../src/config/values.ts';
import type { ValueType } from '../../src/config/values.ts';

function accepts<T>(type: ValueType<T>, cases: readonly (readonly [string, T])[]): void {
  for (const [text, value] of cases) assert.deepEqual(type.parse(text), value, text);
}

function refuses(type: ValueType<unknown>, texts: readonly string[]): void {
  for (const text of texts) {
    const refusal = type.parse(text);
    assert.ok(refusal instanceof Refusal, text);
    assert.ok(refusal.reason.includes(type.expected), refusal.reason);
  }
}

test('decimal', () => {
  const type = decimal(0.1, 60, 'seconds');
  accepts(type, [
    ['1', 1],
    ['0.1', 0.1],
    ['.5', 0.5],
    ['60', 60],
  ]);
  refuses(type, ['', '0', '-1', '0.01', '61', 'abc', '1e1', '0x10', '1,5', '1s', 'NaN', 'Infinity', ' 1']);
});

test('integer and times', () => {
  accepts(integer(1, 100), [['42', 42]]);
  refuses(integer(1, 100), ['0', '101', '1.5', '', 'x']);
  accepts(times, [
    ['1', 1],
    ['endless', Infinity],
    ['-1', Infinity],
  ]);
  refuses(times, ['0', '-2', 'x', '1.5', '', '99999999999999999999']);
});

test('truth', () => {
  for (const text of ['true', 'yes', 'on', '1', 'True']) assert.equal(truth.parse(text), true);
  for (const text of ['false', 'no', 'off', '0']) assert.equal(truth.parse(text), false);
  refuses(truth, ['', '2', 'maybe']);
});

test('bytes', () => {
  accepts(bytes('64K', '16G'), [
    ['65536', 65536],
    ['64k', 65536],
    ['64M', 64 * 1024 * 1024],
    ['16G', 16 * 1024 ** 3],
  ]);
  refuses(bytes('64K', '16G'), ['', '1', '63K', '17G', '64MB', '-1M', '1.5M', 'M']);
});

test('choice, choices and names', () => {
  accepts(choice(['json', 'text']), [['json', 'json']]);
  refuses(choice(['json', 'text']), ['', 'JSON', 'xml', 'constructor']);
  const letters = choices({ a: 1, b: 2, alias: 2 });
  accepts<readonly number[]>(letters, [
    ['a', [1]],
    ['b, a', [2, 1]],
    ['b alias,,b', [2]],
  ]);
  refuses(letters, ['', ' , ', 'a, x', 'constructor']);
  accepts<readonly string[]>(names, [['eno1, eno2 eno3', ['eno1', 'eno2', 'eno3']]]);
  refuses(names, ['', ',']);
});

test('a refusal quotes what was found, cut where it is long, and says what may be meant', () => {
  const refusal = choice(['json', 'text']).parse('jsno');
  assert.ok(refusal instanceof Refusal);
  assert.equal(refusal.reason, 'found "jsno", expected json or text; did you mean "json"?');
  const long = choice(['json', 'text']).parse(`\u001b${'x'.repeat(1000)}`);
  assert.ok(long instanceof Refusal);
  assert.ok(long.reason.length < 120);
  assert.ok(!long.reason.includes('\u001b'));
});
