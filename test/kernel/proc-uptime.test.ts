import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { parseUptime } from '../../src/kernel/proc/proc-uptime.ts';
import { assertSafeCuts, cursorOf, fixture, kernels, read, table } from './support.ts';

for (const kernel of kernels) {
  test(`reads the uptime of ${kernel}`, () => {
    const content = read(fixture(kernel).proc('uptime'));
    assert.equal(parseUptime(cursorOf(content), ''), Number(table(content)[0]?.[0]));
    assertSafeCuts(content, (cursor) => parseUptime(cursor, ''));
  });
}

test('refuses text that is not /proc/uptime', () => {
  for (const content of ['', '\n', 'up 5\n'])
    assert.throws(() => parseUptime(cursorOf(content), ''), KernelFormatError);
});
