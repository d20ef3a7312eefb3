import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { cgroupOf, parseCgroup } from '../../src/kernel/pid/proc-pid-cgroup.ts';
import { PID, fixture } from './support.ts';

test('reads a host with cgroup v2 alone, and one with both versions', () => {
  assert.equal(cgroupOf(fixture('linux-6.1'), PID), '/vm');
  assert.equal(cgroupOf(fixture('linux-6.18'), PID), '/');
  assert.equal(cgroupOf(fixture('linux-6.1'), 1), undefined);
});

test('takes paths with colons and blanks whole', () => {
  const group = '/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/a:b c';
  assert.equal(parseCgroup(`9:name=systemd:/x\n4:memory,cpu:/y\n0::${group}\n`, ''), group);
});

test('has none on a host with cgroup v1 alone, or when it was removed', () => {
  assert.equal(parseCgroup('9:name=systemd:/\n4:memory:/\n', ''), undefined);
  assert.equal(parseCgroup('0::/qemu.slice/100.scope (deleted)', ''), undefined);
  assert.equal(parseCgroup('', ''), undefined);
});

test('refuses text that is not a cgroup file', () => {
  for (const text of ['cpu 1 2 3', '0:', '0::', '0::x'])
    assert.throws(() => parseCgroup(text, ''), KernelFormatError, text);
});
