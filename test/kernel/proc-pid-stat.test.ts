import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { PidStat, parsePidStat, pidStatCounters } from '../../src/kernel/pid/proc-pid-stat.ts';
import { PID, assertSafeCuts, cursorOf, fixture, kernels, read, valuesOf } from './support.ts';

function parse(cursor: Cursor): PidStat {
  const record = new PidStat();
  parsePidStat(cursor, record, '/proc/1/stat');
  return record;
}

for (const kernel of kernels) {
  test(`reads the process named "(a b ) (c" of ${kernel}`, () => {
    const content = read(fixture(kernel).pid(PID, 'stat'));
    // Columns as proc(5) counts them: the name is 2.
    const text = content.toString();
    assert.ok(text.includes(' ((a b ) (c) '));
    const columns = ['', '', '', ...text.slice(text.indexOf(') (c) ') + 6).split(' ')];
    const record = parse(cursorOf(content));
    assert.equal(record.state, columns[3]);
    assert.deepEqual(
      [record.threads, record.startTime, record.vsize, record.rss],
      [20, 22, 23, 24].map((column) => Number(columns[column])),
    );
    assert.deepEqual(
      valuesOf(record.counters),
      [10, 11, 12, 13, 14, 15, 42].map((column) => Number(columns[column])),
    );
    assertSafeCuts(content, parse);
  });
}

test('agrees with ps and getconf about this process', () => {
  const record = parse(cursorOf(read(`/proc/${process.pid}/stat`)));
  const ps = (what: string) =>
    execFileSync('ps', ['-o', `${what}=`, '-p', String(process.pid)], { encoding: 'utf8' }).trim();
  assert.equal(record.vsize, 1024 * Number(ps('vsz')));
  assert.equal(record.threads, Number(ps('nlwp')));
  const pageSize = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
  const rss = process.memoryUsage().rss;
  assert.ok(Math.abs(record.rss * pageSize - rss) < 0.2 * rss, `${record.rss} pages, ${rss} bytes`);
  const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const cpu =
    (record.counters.value(pidStatCounters.utime) + record.counters.value(pidStatCounters.stime)) / ticks;
  const { user, system } = process.cpuUsage();
  assert.ok(Math.abs(cpu - (user + system) / 1e6) < 0.5, `${cpu} s`);
  const started = Number(read('/proc/uptime').toString().split(' ')[0]) - record.startTime / ticks;
  assert.ok(Math.abs(started - process.uptime()) < 2);
});

test('a name may hold all that looks like the columns behind it', () => {
  const rest = 'S 1 2 3 0 -1 4 10 11 12 13 14 15 16 17 20 0 7 0 22 23 24';
  for (const name of ['kvm', '', ')', '(((', ')))', ') S 1 1 1 (', 'a\nb) Z 1\n', '0 0 0 0 0', 'ä)ß']) {
    const record = parse(cursorOf(`77 (${name}) ${rest}\n`));
    assert.deepEqual([record.state, record.threads, record.startTime, record.rss], ['S', 7, 22, 24], name);
    assert.equal(record.counters.value(pidStatCounters.minflt), 10);
    assert.equal(record.counters.value(pidStatCounters.blkioTicks), NaN);
  }
});

test('refuses a line that ends before the columns that are always there', () => {
  for (const content of [
    '',
    '\n',
    '77 (kvm',
    '77 (kvm)\n',
    '77 (kvm) S 1 2 3 0 -1 4 10 11 12 13 14 15\n',
    'no name\n',
  ]) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError, content);
  }
});
