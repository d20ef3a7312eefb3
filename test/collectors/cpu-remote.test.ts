import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RemoteCpu } from '../../src/collectors/cpu/cpu-remote.ts';
import type { VcpuReading } from '../../src/guests/guest.ts';
import { countersIn, pick, testTarget } from './support.ts';

const wanted = { verbose: false, devices: false };

/** What is known after two answers of libvirt about a VM with two vCPUs, 10 s apart. */
function between(first: readonly VcpuReading[], second: readonly VcpuReading[]): unknown[] {
  const { vm, target, begin } = testTarget();
  const cpu = new RemoteCpu();
  for (const [time, vcpus] of [
    [10, first],
    [20, second],
  ] as const) {
    vm.detail = { time, disks: [], vcpus, cpuTime: 3e9 + 2e8 * time };
    cpu.collect(begin(), wanted);
  }
  return [...pick(target.row, 'cpu_total', 'cpu_steal'), countersIn(target.row)['cpu_steal']];
}

const vcpu = (number: number, run: number, wait: number): VcpuReading => ({ number, run, wait });

test('the vCPUs of a VM elsewhere', () => {
  const first = [vcpu(0, 1e9, 1e8), vcpu(1, 1e9, 0)];
  assert.deepEqual(between(first, [vcpu(0, 2e9, 3e8), vcpu(1, 2e9, 0)]), [10, 1, 2e8]);
});

test('a kernel that keeps no statistics of waiting leaves the wait unknown, not 0', () => {
  const first = [vcpu(0, 1e9, 0), vcpu(1, 1e9, 0)];
  assert.deepEqual(between(first, [vcpu(0, 2e9, 0), vcpu(1, 2e9, 0)]), [10, undefined, undefined]);
});
