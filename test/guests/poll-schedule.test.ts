import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PollSchedule } from '../../src/guests/poll-schedule.ts';

/** The ticks, of `count` ones that come every `tick` seconds, at which a monitor is visited. */
function visits(schedule: PollSchedule, tick: number, count: number, duration = 0.001): number[] {
  const ticks: number[] = [];
  for (let i = 0; i < count; i++) {
    if (!schedule.due(i * tick)) continue;
    ticks.push(i);
    schedule.visited(i * tick, duration);
  }
  return ticks;
}

const fixed = (random: number) => (): number => random;

test('a monitor that was never visited is due', () => {
  assert.ok(new PollSchedule(5, 1).due(0));
});

test('without jitter it is visited every interval', () => {
  assert.deepEqual(visits(new PollSchedule(5, 1, fixed(0.5)), 1, 21), [0, 5, 10, 15, 20]);
});

test('the jitter moves a visit by whole ticks, to both sides and no further than one', () => {
  assert.deepEqual(visits(new PollSchedule(5, 1, fixed(0)), 1, 13), [0, 4, 8, 12]);
  assert.deepEqual(visits(new PollSchedule(5, 1, fixed(0.999)), 1, 13), [0, 6, 12]);
  let seed = 1;
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const gaps = new Set(
    visits(new PollSchedule(5, 1, random), 1, 500).map((tick, i, all) => tick - (all[i - 1] ?? -5)),
  );
  assert.deepEqual([...gaps].sort(), [4, 5, 6]);
});

test('with short ticks it is a tenth of the interval', () => {
  assert.deepEqual(visits(new PollSchedule(5, 0.125, fixed(0)), 0.125, 73), [0, 36, 72]);
  assert.deepEqual(visits(new PollSchedule(5, 0.125, fixed(1)), 0.125, 89), [0, 44, 88]);
});

test('where every tick is asked for none is skipped, early or late as it may come', () => {
  for (const random of [0, 0.5, 0.999]) {
    const schedule = new PollSchedule(1, 1, fixed(random));
    for (const time of [0, 1.2, 2, 3.3, 4, 4.6, 5.4]) {
      assert.ok(schedule.due(time), `at ${time}`);
      schedule.visited(time, 0.01);
    }
  }
});

test('a visit takes at most a tenth of the time', () => {
  assert.deepEqual(visits(new PollSchedule(1, 1, fixed(0.5)), 1, 13, 0.4), [0, 4, 8, 12]);
  assert.deepEqual(visits(new PollSchedule(5, 1, fixed(0.5)), 1, 21, 0.5), [0, 5, 10, 15, 20]);
  assert.deepEqual(visits(new PollSchedule(5, 1, fixed(0.5)), 1, 21, 1), [0, 10, 20]);
});
