import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Limiter } from '../../src/qmp/limiter.ts';

test('runs no more than its limit at a time, in the order they came', async () => {
  const limiter = new Limiter(3);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const task = (i: number) => async (): Promise<number> => {
    started.push(i);
    await new Promise<void>((resolve) => (finish[i] = resolve));
    return i;
  };
  const results = [0, 1, 2, 3, 4].map((i) => limiter.run(task(i)));
  await turn();
  assert.deepEqual(started, [0, 1, 2]);
  finish[1]?.();
  // One that comes while a place changes hands must not overtake those that wait.
  const late = limiter.run(task(5));
  await turn();
  assert.deepEqual(started, [0, 1, 2, 3]);
  for (const i of [0, 2, 3]) finish[i]?.();
  await turn();
  assert.deepEqual(started, [0, 1, 2, 3, 4, 5]);
  for (const i of [4, 5]) finish[i]?.();
  assert.deepEqual(await Promise.all([...results, late]), [0, 1, 2, 3, 4, 5]);
});

test('a task that fails gives its place on', async () => {
  const limiter = new Limiter(1);
  const failed = limiter.run(() => Promise.reject(new Error('no')));
  const next = limiter.run(() => Promise.resolve('yes'));
  await assert.rejects(failed, /no/);
  assert.equal(await next, 'yes');
});
