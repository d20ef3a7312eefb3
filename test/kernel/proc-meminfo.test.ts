import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { MemInfo, parseMemInfo } from '../../src/kernel/proc/proc-meminfo.ts';
import { assertSafeCuts, cursorOf, fixture, kernels, read, table } from './support.ts';

const NAMES = ['HugePages_Total', 'Active(anon)', 'MemTotal', 'VmallocTotal', 'DirectMap1G', 'NoSuchLine'];

function parse(cursor: Cursor): MemInfo {
  const info = new MemInfo(NAMES);
  parseMemInfo(cursor, info, '/proc/meminfo');
  return info;
}

for (const kernel of kernels) {
  test(`reads every line of ${kernel}`, () => {
    const content = read(fixture(kernel).proc('meminfo'));
    const lines = table(content);
    const info = new MemInfo(lines.map(([name]) => name as string));
    for (let i = 0; i < 2; i++) {
      parseMemInfo(cursorOf(content), info, '');
      assert.deepEqual(
        [...info.values],
        lines.map(([, value, unit]) => Number(value) * (unit === 'kB' ? 1024 : 1)),
      );
    }
    assertSafeCuts(content, (cursor) => parse(cursor).values);
  });
}

test('agrees with awk about this host', () => {
  const total = execFileSync('awk', ['/^MemTotal:/ { printf "%.0f", $2 * 1024 }', '/proc/meminfo'], {
    encoding: 'utf8',
  });
  assert.equal(parse(cursorOf(read('/proc/meminfo'))).values[NAMES.indexOf('MemTotal')], Number(total));
});

test('lines may come, go and change places between two reads', () => {
  const info = new MemInfo(['A', 'B', 'C']);
  const reads = [
    ['A: 1 kB\nB: 2\nX: 9\nC: 3 kB\n', [1024, 2, 3072]],
    ['C: 4\nA: 5\n', [5, NaN, 4]],
    ['B:6\nX: 9\nC: 7\nA: 8\nY: 1 kB\n', [8, 6, 7]],
    ['', [NaN, NaN, NaN]],
    ['A: 1 kB\nB: 2\nX: 9\nC: 3 kB\n', [1024, 2, 3072]],
  ] as const;
  for (const [lines, expected] of reads) {
    parseMemInfo(cursorOf(`MemTotal: 5 kB\n${lines}`), info, '');
    assert.deepEqual([...info.values], expected);
  }
});

test('a name is matched whole', () => {
  const info = new MemInfo(['Active', 'Swap']);
  parseMemInfo(cursorOf('MemTotal: 1 kB\nActive: 2\nSwap: 3\n'), info, '');
  parseMemInfo(cursorOf('MemTotal: 1 kB\nActive(anon): 8\nSwapCached: 9\n'), info, '');
  assert.deepEqual([...info.values], [NaN, NaN]);
});

test('a line without a colon or number is unknown', () => {
  const info = new MemInfo(['A', 'B']);
  parseMemInfo(cursorOf('MemTotal: 1 kB\nA\nB: kB\n'), info, '');
  assert.deepEqual([...info.values], [NaN, NaN]);
});

test('refuses text that is not /proc/meminfo', () => {
  for (const content of ['', '\n', 'MemTotal: 5', 'cpu 1 2 3\n']) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError);
  }
});
