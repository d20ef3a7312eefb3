import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { parseNumber, parseNumberAt } from '../../src/kernel/base/number-file.ts';
import { assertSafeCuts, cursorOf, fixture, read } from './support.ts';

test('reads memory.current and pages_sharing', () => {
  const paths = fixture('linux-6.1');
  for (const path of [paths.cgroup('vm', 'memory.current'), paths.ksmPagesSharing]) {
    const content = read(path);
    assert.equal(parseNumberAt(cursorOf(content), path), Number(content));
    assertSafeCuts(content, (cursor) => parseNumberAt(cursor, path));
  }
  assert.equal(parseNumberAt(cursorOf('-1\n'), ''), -1);
});

test('refuses text that is not a whole number', () => {
  for (const content of ['', '\n', 'max\n', '12', '12.5\n', '1 2\n', '<unknown>\n']) {
    assert.throws(() => parseNumberAt(cursorOf(content), 'x'), KernelFormatError, content);
  }
});

test('of a text that may be missing or something else, what is no number is NaN', () => {
  assert.deepEqual(['2400000', '-1', '0'].map(parseNumber), [2400000, -1, 0]);
  for (const text of [undefined, '', ' ', '<unknown>', '0x10', '1e3', '1 2'])
    assert.equal(parseNumber(text), NaN);
});
