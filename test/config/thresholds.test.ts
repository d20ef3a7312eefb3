import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/file/file.ts';
import { resolveThresholds, thresholdKeys } from '../../src/config/thresholds.ts';
import type { Thresholds } from '../../src/config/thresholds.ts';
import { catalogue } from '../../src/catalogue/catalogue.ts';

function thresholds(...lines: string[]): Thresholds {
  return resolveThresholds(parseConfig(['[thresholds]', ...lines].join('\n'), 'x.conf').thresholds);
}

function error(...lines: string[]): string {
  try {
    thresholds(...lines);
  } catch (found) {
    return (found as Error).message;
  }
  throw new Error('expected an error');
}

test('without a section the levels are those of esxtop', () => {
  const levels = thresholds();
  assert.deepEqual(levels.get('cpu_steal'), { warn: 5, bad: 10 });
  assert.deepEqual(levels.get('cpu_throttled'), { warn: NaN, bad: 1 });
  assert.deepEqual(levels.get('disk_lat_avg'), { warn: 15, bad: 25 });
  assert.deepEqual(levels.get('net_rx_drop_percent'), { warn: NaN, bad: 1 });
  assert.deepEqual(levels.get('ram_swap'), { warn: 1, bad: 2 ** 20 });
});

test('every default is about a metric that is a number', () => {
  for (const id of thresholds().keys()) assert.ok(thresholdKeys.includes(id), id);
  assert.ok(!thresholdKeys.includes('name') && !thresholdKeys.includes('dropped'));
  assert.ok(catalogue.some(({ id }) => id === 'disk_reads') && thresholdKeys.includes('disk_reads'));
});

test('a file changes, adds and turns off', () => {
  const levels = thresholds('cpu_steal = 2/4.5', 'disk_reads=1000', 'disk_await = off', 'ram_rss = 1g/2G');
  assert.deepEqual(levels.get('cpu_steal'), { warn: 2, bad: 4.5 });
  assert.deepEqual(levels.get('disk_reads'), { warn: NaN, bad: 1000 });
  assert.equal(levels.has('disk_await'), false);
  assert.deepEqual(levels.get('ram_rss'), { warn: 2 ** 30, bad: 2 ** 31 });
  assert.deepEqual(levels.get('disk_lat_avg'), { warn: 15, bad: 25 });
});

test('what cannot be used is refused with its place', () => {
  assert.equal(
    error('cpu_steal = much'),
    'x.conf:2, [thresholds] cpu_steal: found "much", expected warn/bad (percent) such as 5/10, one level for bad alone, or off',
  );
  assert.match(error('ram_available = 1G/2G'), /expected warn\/bad \(percent of ram_total\) such as 5\/10/);
  assert.match(error('cpu_steal = 5/5'), /expected warn\/bad/);
  assert.match(error('cpu_steal = 1/2/3'), /expected warn\/bad/);
  assert.match(error('cpu_steal = -1'), /expected warn\/bad/);
  assert.match(error('cpu_stael = 1'), /unknown key; did you mean cpu_steal\?$/);
  assert.match(
    error('name = 1'),
    /unknown key; keys are metrics that are numbers, see proxtop --list-metrics$/,
  );
  assert.match(error('cpu_steal = 1', 'cpu_steal = 2'), /already set at x\.conf:2/);
});
