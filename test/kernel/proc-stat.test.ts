import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { ProcStat, parseProcStat, procStatCounters } from '../../src/kernel/proc/proc-stat.ts';
import { assertSafeCuts, cursorOf, fixture, kernels, read, table, valuesOf } from './support.ts';

function parse(cursor: Cursor): ProcStat {
  const record = new ProcStat();
  parseProcStat(cursor, record, '/proc/stat');
  return record;
}

for (const kernel of kernels) {
  test(`reads the ticks and CPUs of ${kernel}`, () => {
    const content = read(fixture(kernel).proc('stat'));
    const [all] = table(content);
    const record = parse(cursorOf(content));
    assert.deepEqual(valuesOf(record.counters), all?.slice(1).map(Number));
    assert.equal(record.cpus, 2);
    const each = new ProcStat(true);
    parseProcStat(cursorOf(content), each, '/proc/stat');
    assert.deepEqual(
      each.each.map(({ number, counters }) => [number, ...valuesOf(counters)]),
      table(content)
        .slice(1, 3)
        .map(([name = '', ...numbers]) => [Number(name.slice(3)), ...numbers.map(Number)]),
    );
    assertSafeCuts(content, parse);
  });
}

test('counts the CPUs that the kernel says are online', () => {
  assert.equal(
    parse(cursorOf(read('/proc/stat'))).cpus,
    Number(execFileSync('getconf', ['_NPROCESSORS_ONLN'], { encoding: 'utf8' })),
  );
});

test('columns that an old kernel lacks are unknown, those of a newer one are skipped', () => {
  const old = parse(cursorOf('cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6 7\nintr 1\n'));
  assert.equal(old.counters.value(procStatCounters.softirq), 7);
  assert.equal(old.counters.value(procStatCounters.steal), NaN);
  const newer = parse(cursorOf('cpu  1 2 3 4 5 6 7 8 9 10 11\ncpu0 1 2 3 4 5 6 7 8 9 10 11\nintr 1\n'));
  assert.deepEqual(valuesOf(newer.counters), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('refuses text that is not /proc/stat, and says which file', () => {
  for (const content of [
    '',
    'cpu',
    'cpu  1 2 3\ncpu0 1 2 3\nintr 0\n',
    'MemTotal: 5 kB\n',
    'cpu  1 2 3 4 5\nintr 0\n',
  ]) {
    assert.throws(
      () => parse(cursorOf(content)),
      (error: Error) => {
        return error instanceof KernelFormatError && error.message.startsWith('/proc/stat: expected ');
      },
    );
  }
});
