import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { option, parseCmdline, readCmdline } from '../../src/kernel/pid/proc-pid-cmdline.ts';
import { PID, fixture } from './support.ts';

test('reads the arguments of a live process, empty and odd ones too', async () => {
  const argv = ['-c', 'read x', 'sh', '', ' a b ', 'ä\n"', '-name', 'web,debug-threads=on', ''];
  const child = spawn('sh', argv, { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  try {
    assert.deepEqual(readCmdline(new Paths(defaultRoots), child.pid!), ['sh', ...argv]);
  } finally {
    child.kill();
  }
});

test('a process with more arguments than QEMU can have has none for us', async () => {
  for (const [bytes, found] of [
    [100_000, 6],
    [120_000, 0],
  ] as const) {
    const argv = ['-c', 'read x', ...Array.from({ length: 3 }, () => 'x'.repeat(bytes * 0.8))];
    const child = spawn('sh', argv, { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    assert.equal(readCmdline(new Paths(defaultRoots), child.pid!).length, found);
    child.kill();
  }
});

test('reads the captured process; one that is gone has none', () => {
  assert.equal(readCmdline(fixture('linux-6.1'), PID).at(0), 'sh');
  assert.deepEqual(readCmdline(fixture('linux-6.1'), 1), []);
});

test('an empty file has no arguments, and a missing last NUL is harmless', () => {
  assert.deepEqual(parseCmdline(''), []);
  assert.deepEqual(parseCmdline('\0'), ['']);
  assert.deepEqual(parseCmdline('kvm\0-m'), ['kvm', '-m']);
  assert.equal(parseCmdline('a\0'.repeat(4096)).length, 4096);
  assert.deepEqual(parseCmdline('a\0'.repeat(4097)), []);
});

test('finds the argument behind an option', () => {
  const argv = [
    'kvm',
    '-id',
    '100',
    '--name',
    'web',
    '-m',
    '512',
    '-m',
    '1024',
    '-pidfile',
    '/run/100.pid',
    '-S',
    '-smp',
  ];
  assert.equal(option(argv, 'name'), 'web');
  assert.equal(option(argv, 'm'), '1024');
  assert.equal(option(argv, 'pidfile'), '/run/100.pid');
  assert.equal(option(argv, 'smp'), undefined);
  assert.equal(option(argv, 'uuid'), undefined);
});
