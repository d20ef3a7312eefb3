import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { PidIo, parsePidIo, pidIoCounters } from '../../src/kernel/pid/proc-pid-io.ts';
import { PID, assertSafeCuts, cursorOf, fixture, kernels, read, table, valuesOf } from './support.ts';

function parse(cursor: Cursor): PidIo {
  const record = new PidIo();
  parsePidIo(cursor, record, '/proc/1/io');
  return record;
}

for (const kernel of kernels) {
  test(`reads all counters of ${kernel}`, () => {
    const content = read(fixture(kernel).pid(PID, 'io'));
    assert.deepEqual(
      valuesOf(parse(cursorOf(content)).counters),
      table(content).map(([, value]) => Number(value)),
    );
    assertSafeCuts(content, parse);
  });
}

test('counts what this process reads', () => {
  const path = `/proc/${process.pid}/io`;
  const before = parse(cursorOf(read(path))).counters.value(pidIoCounters.rchar);
  const bytes = read(import.meta.filename).length;
  const after = parse(cursorOf(read(path))).counters.value(pidIoCounters.rchar);
  assert.ok(after - before >= bytes && after - before < bytes + 4096);
});

test('order and unknown lines do not matter, a missing line is unknown', () => {
  const { counters } = parse(
    cursorOf('write_bytes: 5\nfuture: 9\nrchar: 18446744073709551615\nrchars: 8\nwchar:1\n'),
  );
  assert.deepEqual(valuesOf(counters), [18446744073709551615, 1, NaN, NaN, NaN, 5, NaN]);
});

test('refuses text that is not an io file', () => {
  for (const content of ['', '\n', 'x: 1\n', 'rchar: 12'])
    assert.throws(() => parse(cursorOf(content)), KernelFormatError);
});
