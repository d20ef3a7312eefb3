import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MinuteLimit } from '../../../src/base/pacing/minute-limit.ts';

test('up to the limit within a minute, and again in the next one', (t) => {
  let now = 5000;
  t.mock.method(performance, 'now', () => now);
  const one = new MinuteLimit();
  const three = new MinuteLimit(3);
  assert.deepEqual([one.due(), one.usedUp, one.due()], [true, true, false]);
  assert.deepEqual([three.usedUp, three.due(), three.due(), three.usedUp], [false, true, true, false]);
  assert.deepEqual([three.due(), three.usedUp, three.due()], [true, true, false]);
  now += 59_999;
  assert.deepEqual([one.due(), three.due()], [false, false]);
  now += 1;
  assert.deepEqual([one.due(), one.due(), three.due(), three.usedUp], [true, false, true, false]);
});
