import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { PidMemory, cpusAllowed, ownerOf, parsePidMemory } from '../../src/kernel/pid/proc-pid-status.ts';
import { PID, assertSafeCuts, cursorOf, fixture, kernels, read } from './support.ts';

const memoryOf = (cursor: Cursor): Pick<PidMemory, 'shared' | 'swap' | 'hugetlb'> => {
  const memory = new PidMemory();
  parsePidMemory(cursor, memory, '');
  const { shared, swap, hugetlb } = memory;
  return { shared, swap, hugetlb };
};

for (const kernel of kernels) {
  test(`finds the memory lines of ${kernel}`, () => {
    const content = read(fixture(kernel).pid(PID, 'status'));
    assert.equal(memoryOf(cursorOf(content)).swap, 0);
    assert.equal(memoryOf(cursorOf(content)).hugetlb, 0);
    const changed = content
      .toString()
      .replace(/(VmSwap:\s+)0 kB/, '$1123456 kB')
      .replace(/(RssShmem:\s+)\d+ kB/, '$165536 kB')
      .replace(/(HugetlbPages:\s+)0 kB/, '$1131072 kB');
    assert.deepEqual(memoryOf(cursorOf(changed)), {
      shared: 65536 * 1024,
      swap: 123456 * 1024,
      hugetlb: 131072 * 1024,
    });
    assertSafeCuts(changed, memoryOf);
  });
}

test('agrees with awk about this process', () => {
  const path = `/proc/${process.pid}/status`;
  const program = '/^(RssShmem|VmSwap|HugetlbPages):/ { print $2 * 1024 }';
  const [shared, swap, hugetlb] = execFileSync('awk', [program, path], { encoding: 'utf8' }).split('\n');
  assert.deepEqual(memoryOf(cursorOf(read(path))), {
    shared: Number(shared),
    swap: Number(swap),
    hugetlb: Number(hugetlb),
  });
});

test('a process without memory of its own, and a kernel without huge pages, have no such lines', () => {
  const memory = memoryOf(cursorOf('Name:\tkthreadd\nState:\tS (sleeping)\n'));
  assert.deepEqual(memory, { shared: NaN, swap: NaN, hugetlb: NaN });
});

test('a name cannot pretend to be the line', () => {
  assert.equal(memoryOf(cursorOf('Name:\tVmSwap: 5 kB\nVmSwap:\t       7 kB\n')).swap, 7 * 1024);
});

test('refuses text that is not a status file', () => {
  for (const content of ['', 'VmSwap: 5 kB\n', 'Name:\tkvm']) {
    assert.throws(() => memoryOf(cursorOf(content)), KernelFormatError);
  }
});

test('the CPUs that a task may run on, as taskset pins it and awk sees it', () => {
  const program = "cat /proc/self/status; awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status";
  const shown = execFileSync('taskset', ['-c', '0', 'sh', '-c', program], { encoding: 'utf8' });
  assert.equal(cpusAllowed(Buffer.from(shown)), shown.trim().split('\n').at(-1));
  assert.equal(cpusAllowed(Buffer.from('Name:\tCpus_allowed_list:\t5\n')), undefined);
  assert.equal(cpusAllowed(Buffer.from('Name:\tkvm\nCpus_allowed_list:\t\n')), undefined);
});

test('the owner of a process, who is not known of a setuid program', () => {
  assert.equal(ownerOf(read(`/proc/${process.pid}/status`).toString()), process.geteuid?.());
  assert.equal(ownerOf('Name:\tUid:\t0\t0\t0\t0\nUid:\t1000\t1000\t1000\t1000\n'), 1000);
  for (const ids of ['1000\t0\t0\t0', '0\t0\t1000\t0', '0\t0\t0\t1000', '0\t0\t0', ''])
    assert.equal(ownerOf(`Name:\tkvm\nUid:\t${ids}\n`), undefined, ids);
});
