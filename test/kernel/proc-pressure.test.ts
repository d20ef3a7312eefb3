import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { Pressure, parsePressure, pressureCounters } from '../../src/kernel/proc/proc-pressure.ts';
import { assertSafeCuts, cursorOf, fixture, kernels, read, valuesOf } from './support.ts';

function parse(cursor: Cursor, into = new Pressure()): Pressure {
  parsePressure(cursor, into, '/proc/pressure/cpu');
  return into;
}

/** All values of both lines in order, by a regular expression. */
function values(content: string | Buffer): number[] {
  return [...content.toString().matchAll(/=([\d.]+)/g)].map(([, value]) => Number(value));
}

for (const kernel of kernels) {
  test(`reads the pressure of ${kernel}`, () => {
    const paths = fixture(kernel);
    const group = kernel === 'linux-6.1' ? 'vm' : 'unified';
    for (const path of [
      ...['cpu', 'io', 'memory'].map((resource) => paths.proc(`pressure/${resource}`)),
      paths.cgroup(group, 'cpu.pressure'),
    ]) {
      const content = read(path);
      const record = parse(cursorOf(content));
      const [some10, some60, some300, some, full10, full60, full300, full] = values(content);
      assert.deepEqual([record.someAvg10, record.someAvg60, record.someAvg300], [some10, some60, some300]);
      assert.deepEqual([record.fullAvg10, record.fullAvg60, record.fullAvg300], [full10, full60, full300]);
      assert.deepEqual(valuesOf(record.counters), [some, full]);
      assertSafeCuts(content, (cursor) => parse(cursor));
    }
  });
}

test('the throttled cgroup of the captured guest was under pressure', () => {
  const record = parse(cursorOf(read(fixture('linux-6.1').cgroup('vm', 'cpu.pressure'))));
  assert.ok(record.someAvg10 > 1);
  assert.ok(record.counters.value(pressureCounters.someTotal) > 1e6);
});

test('a missing line or column is unknown, also in a record that knew it', () => {
  const record = parse(
    cursorOf(
      'some avg10=1.00 avg60=2.00 avg300=3.00 total=4\nfull avg10=5.00 avg60=6.00 avg300=7.00 total=8\n',
    ),
  );
  parse(cursorOf('some avg10=9.00 avg300=3.00 total=4\n'), record);
  assert.deepEqual([record.someAvg10, record.someAvg60, record.fullAvg10], [9, NaN, NaN]);
  assert.equal(record.counters.value(pressureCounters.fullTotal), NaN);
  parse(cursorOf('full avg10=5.00 avg60=6.00 avg300=7.00 total=8 more=9\n'), record);
  assert.deepEqual([record.someAvg10, record.fullAvg300], [NaN, 7]);
});

test('refuses text that is not a pressure file', () => {
  for (const content of ['', '\n', 'cpu 1 2\n', 'some avg10=1.00']) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError);
  }
});
