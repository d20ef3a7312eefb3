import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CgroupCpuStat,
  cgroupCpuStatCounters,
  parseCgroupCpuStat,
} from '../../src/kernel/sys/cgroup/cgroup-cpu-stat.ts';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { assertSafeCuts, cursorOf, fixture, read, table, valuesOf } from './support.ts';

function parse(cursor: Cursor): CgroupCpuStat {
  const record = new CgroupCpuStat();
  parseCgroupCpuStat(cursor, record, 'cpu.stat');
  return record;
}

test('reads the throttled cgroup of linux-6.1', () => {
  const content = read(fixture('linux-6.1').cgroup('vm', 'cpu.stat'));
  const lines = new Map(table(content).map(([name, value]) => [name, Number(value)]));
  const { counters } = parse(cursorOf(content));
  assert.deepEqual(
    valuesOf(counters),
    ['usage_usec', 'nr_periods', 'nr_throttled', 'throttled_usec'].map((name) => lines.get(name)),
  );
  assert.ok(counters.value(cgroupCpuStatCounters.throttledUsec) > 0);
  assertSafeCuts(content, parse);
});

test('without the cpu controller only the usage is known', () => {
  const content = read(fixture('linux-6.18').cgroup('unified', 'cpu.stat'));
  const { counters } = parse(cursorOf(content));
  assert.deepEqual(valuesOf(counters), [Number(table(content)[0]?.[1]), NaN, NaN, NaN]);
});

test('refuses text that is not cpu.stat', () => {
  for (const content of ['', 'usage_usecs 5\n', 'usage_usec 5']) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError);
  }
});
