import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { LoadAvg, parseLoadAvg } from '../../src/kernel/proc/proc-loadavg.ts';
import { assertSafeCuts, cursorOf, fixture, kernels, read, table } from './support.ts';

function parse(cursor: Cursor): LoadAvg {
  const record = new LoadAvg();
  parseLoadAvg(cursor, record, '/proc/loadavg');
  return record;
}

for (const kernel of kernels) {
  test(`reads the loads of ${kernel}`, () => {
    const content = read(fixture(kernel).proc('loadavg'));
    const [line] = table(content);
    assert.deepEqual(Object.values(parse(cursorOf(content))), line?.slice(0, 3).map(Number));
    assertSafeCuts(content, parse);
  });
}

test('refuses text that is not /proc/loadavg', () => {
  for (const content of ['', '\n', '0.20 0.18\n', '0.20 0.18 x\n']) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError);
  }
});
