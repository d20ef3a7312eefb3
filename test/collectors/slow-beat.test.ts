import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlowBeat } from '../../src/collectors/slow-beat.ts';

/** The seconds, of 20, at which a read is due. */
function dues(): number[] {
  const beat = new SlowBeat(5);
  return Array.from({ length: 20 }, (_, second) => second).filter((second) => beat.due(second));
}

test('due at once, after a part of the interval, then every interval', (t) => {
  let share = 1;
  t.mock.method(Math, 'random', () => share);
  assert.deepEqual(dues(), [0, 5, 10, 15]);
  share = 0.4;
  assert.deepEqual(dues(), [0, 2, 7, 12, 17]);
  share = 0;
  assert.deepEqual(dues(), [0, 1, 6, 11, 16]);
});
