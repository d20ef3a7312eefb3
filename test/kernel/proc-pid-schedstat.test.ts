import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { Schedstat, parsePidSchedstat } from '../../src/kernel/pid/proc-pid-schedstat.ts';
import { PID, assertSafeCuts, cursorOf, fixture, kernels, read, table, valuesOf } from './support.ts';

function parse(cursor: Cursor): Schedstat {
  const record = new Schedstat();
  parsePidSchedstat(cursor, record, '/proc/1/schedstat');
  return record;
}

for (const kernel of kernels) {
  test(`reads the three columns of ${kernel}`, () => {
    const content = read(fixture(kernel).pid(PID, 'schedstat'));
    assert.deepEqual(valuesOf(parse(cursorOf(content)).counters), table(content)[0]?.map(Number));
    assertSafeCuts(content, parse);
  });
}

test('zeros of a kernel without statistics are left as they are, more columns are skipped', () => {
  assert.deepEqual(valuesOf(parse(cursorOf('0 0 0\n')).counters), [0, 0, 0]);
  assert.deepEqual(valuesOf(parse(cursorOf('1 2 3 4\n')).counters), [1, 2, 3]);
});

test('refuses text that is not schedstat', () => {
  for (const content of ['', '\n', '1 2\n', '1 2 3', 'x 2 3\n']) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError, content);
  }
});
