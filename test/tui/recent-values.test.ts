import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentValues } from '../../src/tui/analysis/recent-values.ts';
import { sparkline } from '../../src/tui/values/sparkline.ts';
import { sample, vm } from './samples.ts';

const start = Date.UTC(2026, 10, 22, 12);

function history(seconds: readonly number[], interval: number): RecentValues {
  const made = new RecentValues();
  for (const second of seconds)
    made.add(sample([vm('a', { cpu_total: second })], { time: start + second * 1000, interval }));
  return made;
}

function count(from: number, to: number, step = 1): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

test('two minutes at one sample a second, one step each', () => {
  assert.deepEqual(history(count(1, 200), 1).steps('a', 'cpu_total', 120), count(81, 200));
});

test('a step is the mean of what was measured in it', () => {
  const steps = history(count(1, 120), 1).steps('a', 'cpu_total', 60);
  assert.deepEqual(steps.slice(0, 3), [1.5, 3.5, 5.5]);
  assert.equal(steps.at(-1), 119.5);
});

test('a value stands until the next one, a gap stays a gap', () => {
  const steps = history([...count(5, 60, 5), ...count(100, 120, 5)], 5).steps('a', 'cpu_total', 120);
  assert.deepEqual(steps.slice(4, 10), [5, 5, 5, 5, 5, 10]);
  assert.ok(Number.isNaN(steps[80]), 'between 60 and 100 s');
  assert.ok(Number.isNaN(steps[0]), 'before the first sample');
  assert.equal(steps.at(-1), 120);
});

test('what is not known is not shown, nor a VM that is not there', () => {
  const made = history([1, 2, 3], 1);
  assert.ok(made.steps('a', 'disk_lat_avg', 10).every(Number.isNaN));
  assert.ok(made.steps('b', 'cpu_total', 10).every(Number.isNaN));
});

test('a recording that is wound back forgets what comes later', () => {
  const made = history([...count(1, 100), 50], 1);
  const steps = made.steps('a', 'cpu_total', 120);
  assert.equal(steps.at(-1), 50);
  assert.equal(steps.at(-2), 49);
});

test('bars, from the lowest to the highest', () => {
  assert.equal(sparkline([0, 12.5, 13, 50, 100, 200, NaN], 100, true), '▁▁▂▄██ ');
  assert.equal(sparkline([0, 100], 100, false), '_#');
  assert.equal(sparkline([0, 0], 0, true), '▁▁');
});
