import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { KernelFormatError } from '../../src/kernel/errors.ts';
import { cpusAllowed, parsePidStatusSwap } from '../../src/kernel/proc-pid-status.ts';
import { PID, assertSafeCuts, cursorOf, fixture, kernels, read } from './support.ts';

for (const kernel of kernels) {
  test(`finds VmSwap of ${kernel}`, () => {
    const content = read(fixture(kernel).pid(PID, 'status'));
    assert.equal(parsePidStatusSwap(cursorOf(content), ''), 0);
    const swapped = content.toString().replace(/(VmSwap:\s+)0 kB/, '$1123456 kB');
    assert.equal(parsePidStatusSwap(cursorOf(swapped), ''), 123456 * 1024);
    assertSafeCuts(swapped, (cursor) => parsePidStatusSwap(cursor, ''));
  });
}

test('agrees with awk about this process', () => {
  const path = `/proc/${process.pid}/status`;
  const kilobytes = execFileSync('awk', ['/^VmSwap:/ { print $2 }', path], { encoding: 'utf8' });
  assert.equal(parsePidStatusSwap(cursorOf(read(path)), path), Number(kilobytes) * 1024);
});

test('a process without memory of its own has no such line', () => {
  assert.equal(parsePidStatusSwap(cursorOf('Name:\tkthreadd\nState:\tS (sleeping)\n'), ''), NaN);
});

test('a name cannot pretend to be the line', () => {
  assert.equal(parsePidStatusSwap(cursorOf('Name:\tVmSwap: 5 kB\nVmSwap:\t       7 kB\n'), ''), 7 * 1024);
});

test('refuses what is no status file', () => {
  for (const content of ['', 'VmSwap: 5 kB\n', 'Name:\tkvm']) {
    assert.throws(() => parsePidStatusSwap(cursorOf(content), ''), KernelFormatError);
  }
});

test('the CPUs that a task may run on, as taskset pins it and awk sees it', () => {
  const program = "cat /proc/self/status; awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status";
  const shown = execFileSync('taskset', ['-c', '0', 'sh', '-c', program], { encoding: 'utf8' });
  assert.equal(cpusAllowed(shown), shown.trim().split('\n').at(-1));
  assert.equal(cpusAllowed('Name:\tCpus_allowed_list: 5\n'), undefined);
});
