import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growth } from '../../src/kernel/base/counters.ts';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import {
  DiskStats,
  diskCounts,
  diskStatsCounters,
  parseBlockStat,
  parseDiskStats,
} from '../../src/kernel/proc/proc-diskstats.ts';
import { assertSafeCuts, cursorOf, fixture, kernels, read, table, valuesOf } from './support.ts';

function parse(cursor: Cursor, stats = new DiskStats()): DiskStats {
  parseDiskStats(cursor, stats, '/proc/diskstats');
  return stats;
}

for (const kernel of kernels) {
  test(`reads every device of ${kernel}`, () => {
    const content = read(fixture(kernel).proc('diskstats'));
    const stats = parse(cursorOf(content));
    const lines = table(content);
    assert.equal(stats.devices.length, lines.length);
    for (const [i, line] of lines.entries()) {
      const device = stats.devices[i]!;
      const [major, minor, ...columns] = line.map(Number);
      assert.deepEqual([device.major, device.minor, device.name], [major, minor, line[2]]);
      assert.deepEqual(valuesOf(device.counters), [...columns.slice(1, 9), ...columns.slice(10, 12)]);
      assert.equal(device.inFlight, columns[9]);
    }
    assertSafeCuts(
      content,
      (cursor) => new Map(parse(cursor).devices.map((device) => [device.name, device])),
    );
  });
}

test('the 17 columns of kernel 6.1 are known by their names', () => {
  const vda = parse(cursorOf(read(fixture('linux-6.1').proc('diskstats')))).get('vda')!;
  const ranges = { reads: [1, 1e4], sectorsRead: [4096, 1e6], writes: [1, 100] } as const;
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = vda.counters.value(diskStatsCounters[name as keyof typeof ranges]);
    assert.ok(value >= least && value <= most, `${name} ${value}`);
  }
});

test('reads lines of 11, 15, 17 and more columns alike', () => {
  const eleven = '8 0 sda 1 2 3 4 5 6 7 8 9 10 11';
  for (const more of ['', ' 12 13 14 15', ' 12 13 14 15 16 17', ' 12 13 14 15 16 17 18 19']) {
    const sda = parse(cursorOf(`${eleven}${more}\n`)).get('sda')!;
    assert.deepEqual(valuesOf(sda.counters), [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]);
    assert.equal(sda.inFlight, 9);
  }
});

test('the four columns that partitions once had are not taken for others', () => {
  const sda1 = parse(cursorOf('8 1 sda1 35486 38030 38030 38030\n')).get('sda1')!;
  assert.ok(valuesOf(sda1.counters).every(Number.isNaN));
  assert.equal(sda1.inFlight, NaN);
});

test('a device lasts from read to read, and is dropped when it is gone', () => {
  const line = (name: string, reads: string) => `8 0 ${name} ${reads} 2 3 4 5 6 7 8 9 10 11\n`;
  const stats = parse(cursorOf(line('sda', '18446744073709551000') + line('cciss/c0d0', '1')));
  const sda = stats.get('sda')!;
  const { counters } = parse(cursorOf(line('sda', '18446744073709551000'))).get('sda')!;
  parse(cursorOf(line('cciss/c0d0', '2') + line('sda', '18446744073709551115')), stats);
  assert.equal(stats.get('sda'), sda);
  assert.equal(growth(counters, sda.counters, diskStatsCounters.reads), 115);
  parse(cursorOf(line('cciss/c0d0', '2')), stats);
  assert.deepEqual(
    stats.devices.map(({ name }) => name),
    ['cciss/c0d0'],
  );
});

test('no disks is no error', () => {
  const stats = parse(cursorOf('8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n'));
  assert.deepEqual(parse(cursorOf(''), stats).devices, []);
});

test('refuses text that is not /proc/diskstats', () => {
  for (const content of ['\n', '8 0\n', '8 0 sda\n', 'cpu 1 2 3\n', '8 0 sda 1 2 3 4 5 6 7 8 9 10 11']) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError, content);
  }
});

function parseStat(cursor: Cursor): ReturnType<typeof diskCounts> {
  const counts = diskCounts();
  parseBlockStat(cursor, counts, '/sys/dev/block/7:0/stat');
  return counts;
}

test('the file of one device has the same columns', () => {
  const line =
    '     655       15    15302       99    18473     2138  3681036    35123        2    31692    49906\n';
  const { counters, inFlight } = parseStat(cursorOf(line));
  assert.deepEqual(valuesOf(counters), [655, 15, 15302, 99, 18473, 2138, 3681036, 35123, 31692, 49906]);
  assert.equal(inFlight, 2);
  const long = parseStat(
    cursorOf(line.replace('\n', '        0        0        0        0     5481    14684\n')),
  );
  assert.deepEqual(valuesOf(long.counters), valuesOf(counters));
  assertSafeCuts(line, parseStat);
  for (const content of ['', '\n', '655 15 15302 99\n']) {
    assert.throws(() => parseStat(cursorOf(content)), KernelFormatError);
  }
});
