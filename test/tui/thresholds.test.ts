import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveThresholds } from '../../src/config/thresholds.ts';
import { judge } from '../../src/tui/analysis/grade.ts';
import { row } from '../formats/sample.ts';

const levels = resolveThresholds(new Map([['cpu_idle', { text: '20/5', origin: 'test' }]]));

test('a level counts from its value on, and what is not known is ok', () => {
  const vm = row('vm');
  const verdicts = [NaN, 0, 4.99, 5, 9.99, 10, 100].map((value) => judge(levels, 'cpu_steal', value, vm));
  assert.deepEqual(verdicts, ['ok', 'ok', 'ok', 'warn', 'warn', 'bad', 'bad']);
});

test('one level is bad, without a warning before', () => {
  const nic = row('vm_nic');
  const verdicts = [0, 0.99, 1].map((value) => judge(levels, 'net_rx_drop_percent', value, nic));
  assert.deepEqual(verdicts, ['ok', 'ok', 'bad']);
});

test('where the first level is the larger one, small values are bad', () => {
  const host = row('host');
  const verdicts = [100, 21, 20, 6, 5, 0, NaN].map((value) => judge(levels, 'cpu_idle', value, host));
  assert.deepEqual(verdicts, ['ok', 'ok', 'warn', 'warn', 'bad', 'bad', 'ok']);
});

test('memory counts in parts of the whole, load per CPU', () => {
  const host = row('host', { ram_total: 1000, cpu_cores: 4 });
  assert.deepEqual(
    [500, 100, 50, 40, 0].map((value) => judge(levels, 'ram_available', value, host)),
    ['ok', 'warn', 'warn', 'bad', 'bad'],
  );
  assert.deepEqual(
    [3.9, 4, 8].map((value) => judge(levels, 'cpu_load1', value, host)),
    ['ok', 'warn', 'bad'],
  );
  assert.equal(judge(levels, 'ram_available', 0, row('host')), 'ok');
});

test('a metric without levels is ok', () => {
  assert.equal(judge(levels, 'disk_reads', 1e9, row('vm')), 'ok');
});
