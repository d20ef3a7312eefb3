import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff } from '../../../src/base/pacing/backoff.ts';

const sequence = (random: number): number[] =>
  Array.from({ length: 10 }, (_, attempt) => backoff(attempt, () => random));

test('the ceiling doubles from 0.5 s to 30 s', () => {
  assert.deepEqual(sequence(1), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  assert.equal(
    backoff(5000, () => 1),
    30_000,
  );
});

test('the floor stays, and the jitter covers all between', () => {
  assert.deepEqual(sequence(0), new Array(10).fill(250));
  assert.equal(
    backoff(2, () => 0.5),
    1125,
  );
  for (let i = 0; i < 100; i++) {
    const delay = backoff(0);
    assert.ok(delay >= 250 && delay < 500);
  }
});
