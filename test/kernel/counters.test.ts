import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters, growth } from '../../src/kernel/base/counters.ts';
import { cursorOf } from './support.ts';

function counter(digits: string): Counters {
  const counters = new Counters(1);
  counters.read(0, cursorOf(digits));
  return counters;
}

test('growth is exact for every size of counter', () => {
  const pairs = [
    ['0', '0'],
    ['999999999999999', '1000000000000000'],
    ['9007199254740992', '9007199254740993'],
    ['18446744073709551000', '18446744073709551115'],
    ['17999999999999999999', '18000000000000000001'],
    ['0', '9007199254740991'],
  ] as const;
  for (const [before, after] of pairs) {
    assert.equal(
      growth(counter(before), counter(after), 0),
      Number(BigInt(after) - BigInt(before)),
      `${before} to ${after}`,
    );
  }
});

test('growth is not known when a counter went backwards or was not known', () => {
  assert.equal(growth(counter('5'), counter('4'), 0), NaN);
  assert.equal(growth(counter('18446744073709551115'), counter('18446744073709551000'), 0), NaN);
  assert.equal(growth(counter(''), counter('4'), 0), NaN);
  assert.equal(growth(counter('4'), counter(''), 0), NaN);
});

test('counters start unknown, can be set, copied and forgotten', () => {
  const counters = new Counters(2);
  assert.deepEqual([counters.value(0), counters.value(1)], [NaN, NaN]);
  counters.read(0, cursorOf('18446744073709551615'));
  counters.set(1, 3);
  const copy = new Counters(2);
  copy.copy(counters);
  assert.equal(copy.value(0), 18446744073709551615);
  counters.clear();
  assert.deepEqual([counters.value(0), copy.value(1)], [NaN, 3]);
});
