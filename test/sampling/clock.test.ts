import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mock, test } from 'node:test';
import { Clock, sleep } from '../../src/sampling/clock.ts';
import { logs } from '../delivery/helpers.ts';

const never = new AbortController().signal;

for (const interval of [50, 33.4]) {
  test(`ticks every ${interval} ms, never before its time and never twice`, async () => {
    const clock = new Clock(interval, logs().log);
    const start = Math.floor(Date.now() / interval);
    for (let ticks = 1; ticks <= 12; ticks++) {
      assert.ok(await clock.tick(never));
      // A tick may come half a millisecond before its time; late ones, on a busy machine, only add to what has passed.
      const passed = Math.floor((Date.now() + 0.5) / interval) - start;
      assert.ok(passed >= ticks, `tick ${ticks} after ${passed} multiples of the interval`);
    }
  });
}

test('a long wait lasts to the next whole multiple of the wall clock', async () => {
  const interval = 400;
  const next = (Math.floor(Date.now() / interval) + 1) * interval;
  assert.ok(await new Clock(interval, logs().log).tick(never));
  assert.ok(Date.now() >= next);
});

test('a wall clock that stands still does not end the ticks', async () => {
  const clock = new Clock(50, logs().log);
  const stop = AbortSignal.timeout(60_000);
  assert.ok(await clock.tick(stop));
  const { mock: stands } = mock.method(Date, 'now', () => 1_000_020);
  for (let tick = 0; tick < 3; tick++) assert.ok(await clock.tick(stop), 'not within a minute');
  stands.restore();
  assert.ok(await clock.tick(stop));
});

test('ticks that a blocked event loop missed are counted, and not made up for', async () => {
  const interval = 40;
  const { log, at } = logs();
  const clock = new Clock(interval, log);
  await clock.tick(never);
  const before = clock.missed;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 * interval);
  await clock.tick(never);
  const missed = clock.missed - before;
  assert.ok(missed >= 4, `${missed} missed`);
  assert.match(at('warn')[0] ?? '', new RegExp(`sampling is late: ${missed} interval.s. missed`));

  // The machine may be so busy that further ticks are late: all of them are one condition.
  for (let tick = 0; tick < 250 && at('info').length === 0; tick++) await clock.tick(never);
  assert.equal(at('warn').length, 1);
  assert.deepEqual(at('info'), [`sampling is on time again, ${clock.missed} interval(s) missed so far`]);
});

test('a stop ends the wait and leaves nothing behind', async () => {
  const stop = new AbortController();
  const tick = new Clock(3_600_000, logs().log).tick(stop.signal);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 1);
  stop.abort();
  assert.equal(await tick, false);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  assert.equal(await new Clock(3_600_000, logs().log).tick(stop.signal), false, 'stopped before');
  assert.equal(await sleep(3_600_000, stop.signal), false);
});

test('a wait that ends by itself leaves nothing behind', async () => {
  const { signal } = new AbortController();
  assert.equal(await sleep(1, signal), true);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
