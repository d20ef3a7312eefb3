import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
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

test('agrees with ps and getconf about a process', async () => {
  // A shell that has used CPU and waits: unlike this process it changes nothing between two readings.
  const shell = spawn(
    'sh',
    ['-c', 'i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; echo used; read line'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  try {
    await once(shell.stdout, 'data');
    const ps = (what: string) =>
      Number(execFileSync('ps', ['-o', `${what}=`, '-p', `${shell.pid}`], { encoding: 'utf8' }));
    const getconf = (what: string) => Number(execFileSync('getconf', [what], { encoding: 'utf8' }));
    const record = parse(cursorOf(read(`/proc/${shell.pid}/stat`)));
    assert.equal(record.vsize, 1024 * ps('vsz'));
    assert.equal(record.threads, ps('nlwp'));
    // ps reads status: the kernel adds up what its CPUs have counted there, and not here (proc_pid_stat(5)).
    assert.ok(Math.abs(record.rss - (1024 * ps('rss')) / getconf('PAGESIZE')) < 128, `${record.rss} pages`);
    const { utime, stime } = pidStatCounters;
    const cpu = (record.counters.value(utime) + record.counters.value(stime)) / getconf('CLK_TCK');
    assert.ok(cpu > 0);
    assert.equal(Math.floor(cpu), ps('cputimes'));
    const bootTime = Number(/^btime (\d+)$/m.exec(read('/proc/stat').toString())?.[1]);
    const lstart = execFileSync('ps', ['-o', 'lstart=', '-p', `${shell.pid}`], { encoding: 'utf8' });
    const started = bootTime + record.startTime / getconf('CLK_TCK');
    assert.ok(Math.abs(started - Date.parse(lstart) / 1000) < 2, lstart);
  } finally {
    shell.kill();
  }
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
