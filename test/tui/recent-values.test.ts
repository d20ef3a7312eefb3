import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentValues } from '../../src/tui/analysis/recent-values.ts';
import { sparkline } from '../../src/tui/values/sparkline.ts';
import { disk, sample, vm } from './samples.ts';

const start = Date.UTC(2026, 10, 22, 12);

function history(seconds: readonly number[], interval: number): RecentValues {
  const made = new RecentValues();
  for (const second of seconds)
    made.add(sample([vm('a', { cpu_total: second })], { time: start + second * 1000, interval }));
  return made;
}

/** The steps of one row. */
function stepsOf(
  made: RecentValues,
  { key = 'a', id = 'cpu_total', scope = 'vm' as 'vm' | 'vm_disk' },
  count: number,
  until?: number,
): readonly number[] {
  return made.steps({ scope, id }, [key], count, until)[0] ?? [];
}

function count(from: number, to: number, step = 1): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

test('two minutes at one sample a second, one step each', () => {
  assert.deepEqual(stepsOf(history(count(1, 200), 1), {}, 120), count(81, 200));
});

test('a step is the mean of what was measured in it', () => {
  const steps = stepsOf(history(count(1, 120), 1), {}, 60);
  assert.deepEqual(steps.slice(0, 3), [1.5, 3.5, 5.5]);
  assert.equal(steps.at(-1), 119.5);
});

test('a value lasts until the next one, a gap stays a gap', () => {
  const steps = stepsOf(history([...count(5, 60, 5), ...count(100, 120, 5)], 5), {}, 120);
  assert.deepEqual(steps.slice(4, 10), [5, 5, 5, 5, 5, 10]);
  assert.ok(Number.isNaN(steps[80]), 'between 60 and 100 s');
  assert.ok(Number.isNaN(steps[0]), 'before the first sample');
  assert.equal(steps.at(-1), 120);
});

test('steps begin at multiples of their length: only the last one changes until the next one begins', () => {
  const made = history(count(1, 200), 1);
  const until = (second: number): readonly number[] => stepsOf(made, {}, 30, start + second * 1000);
  assert.deepEqual(until(121).slice(0, -1), until(124).slice(0, -1));
  assert.deepEqual([until(121).at(-1), until(122).at(-1), until(124).at(-1)], [121, 121.5, 122.5]);
  assert.deepEqual(until(125).slice(0, -1), until(124).slice(1));
});

test('disks and NICs have their own, by the keys that they have in tables', () => {
  const made = new RecentValues();
  for (const second of [1, 2, 3]) {
    const disks = [disk('scsi0', { disk_lat_avg: second }), disk('scsi1', { disk_lat_avg: 10 * second })];
    // One is unplugged.
    const guests = [vm('a', {}, { disks: second === 2 ? disks.slice(1) : disks }), vm('b', {}, { disks })];
    made.add(sample(guests, { time: start + second * 1000, interval: 1 }));
  }
  const last = (key: string): readonly number[] =>
    stepsOf(made, { key, id: 'disk_lat_avg', scope: 'vm_disk' }, 120).slice(-3);
  assert.deepEqual(last('a/vm_disk/scsi0'), [1, 1, 3], 'one that is missed stands for a moment');
  assert.deepEqual(last('a/vm_disk/scsi1'), [10, 20, 30]);
  assert.deepEqual(last('b/vm_disk/scsi1'), [10, 20, 30]);
  assert.ok(last('a/vm_disk/scsi2').every(Number.isNaN));
  assert.ok(stepsOf(made, { id: 'no_such_metric' }, 10).every(Number.isNaN));
});

test('memory is bounded: the oldest is forgotten', () => {
  const made = new RecentValues({ time: 600_000, bytes: 4000 });
  for (const second of count(1, 120))
    made.add(sample([vm('a', { cpu_total: second })], { time: start + second * 1000, interval: 1 }));
  const steps = stepsOf(made, {}, 120);
  const known = steps.filter((step) => !Number.isNaN(step));
  assert.ok(known.length > 20 && known.length < 100, `${known.length}`);
  assert.deepEqual(known, count(121 - known.length, 120));
});

test('what is not known is not shown, nor a VM that is not there', () => {
  const made = history([1, 2, 3], 1);
  assert.ok(stepsOf(made, { id: 'disk_lat_avg' }, 10).every(Number.isNaN));
  assert.ok(stepsOf(made, { key: 'b' }, 10).every(Number.isNaN));
});

test('a recording that is wound back forgets what comes later', () => {
  const made = history([...count(1, 100), 50], 1);
  const steps = stepsOf(made, {}, 120);
  assert.equal(steps.at(-1), 50);
  assert.equal(steps.at(-2), 49);
});

test('bars, from the lowest to the highest', () => {
  assert.equal(sparkline([0, 12.5, 13, 50, 100, 200, NaN], 100, true), '▁▁▂▄██ ');
  assert.equal(sparkline([0, 100], 100, false), '_#');
  assert.equal(sparkline([0, 0], 0, true), '▁▁');
});
