import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FaultReading,
  VmMem,
  deriveFaults,
  deriveGuestMemory,
  deriveSwap,
} from '../../src/collectors/mem-vm.ts';
import type { BalloonReading, Detail } from '../../src/connectors/connector.ts';
import { pidStatCounters } from '../../src/kernel/proc-pid-stat.ts';
import { Row } from '../../src/metrics/row.ts';
import { known, pick, setCounters, testTarget } from './support.ts';

const GIB = 2 ** 30;

function faults(time: number, values: Record<string, number>): FaultReading {
  const reading = new FaultReading();
  reading.time = time;
  setCounters(reading.counters, pidStatCounters, values);
  return reading;
}

test('page faults per second; one that went backwards is omitted', () => {
  const row = new Row('vm');
  deriveFaults(
    faults(10, { minflt: 1000, majflt: 7, cminflt: 4, cmajflt: 9 }),
    faults(14, { minflt: 3000, majflt: 9, cminflt: 4, cmajflt: 8 }),
    row,
  );
  assert.deepEqual(known(row), { ram_minflt: 500, ram_majflt: 0.5, ram_cminflt: 0 });
  row.clear();
  deriveFaults(new FaultReading(), faults(14, { minflt: 3000 }), row);
  assert.deepEqual(known(row), {});
});

function guest(balloon: BalloonReading | undefined, configured: number | undefined): Record<string, unknown> {
  const row = new Row('vm');
  deriveGuestMemory(balloon, configured, row);
  return known(row);
}

test('memory of a guest that reports all', () => {
  assert.deepEqual(guest({ actual: 3 * GIB, max: 4 * GIB, total: 2 * GIB, free: GIB / 2 }, 4 * GIB), {
    ram_total: 2 * GIB,
    ram_free: GIB / 2,
    ram_used: 1.5 * GIB,
    ram_active: 75,
    ram_actual: 3 * GIB,
    ram_max: 4 * GIB,
  });
});

test('free memory without what the guest sees in all gives no used memory', () => {
  assert.deepEqual(guest({ free: GIB }, 4 * GIB), { ram_total: 4 * GIB, ram_free: GIB });
});

test('a guest that reports nothing has its configured memory, a VM without even that has none', () => {
  assert.deepEqual(guest({ actual: GIB }, 4 * GIB), { ram_total: 4 * GIB, ram_actual: GIB });
  assert.deepEqual(guest({ total: GIB }, undefined), { ram_total: GIB });
  assert.deepEqual(guest(undefined, undefined), {});
});

const swapped = (time: number, swapIn?: number): Detail => ({
  time,
  disks: [],
  balloon: swapIn === undefined ? {} : { swapIn, swapOut: 2 * swapIn },
});

test('swap rates by the time of the answers', () => {
  assert.equal(deriveSwap(swapped(10, 4096), swapped(12, 12288), 'swapIn'), 4096);
  assert.equal(deriveSwap(swapped(10, 4096), swapped(12, 12288), 'swapOut'), 8192);
  assert.ok(Number.isNaN(deriveSwap(swapped(10, 4096), swapped(12, 0), 'swapIn')), 'the guest booted');
  assert.ok(Number.isNaN(deriveSwap(swapped(10), swapped(12, 5), 'swapIn')));
  assert.ok(Number.isNaN(deriveSwap({ time: 10, disks: [] }, swapped(12, 5), 'swapIn')));
});

test('swap rates stand until the next answer and are gone with the monitor', () => {
  const { vm, target, begin } = testTarget();
  const mem = new VmMem(4096);
  const rate = (detail: Detail | undefined): unknown => {
    vm.detail = detail;
    mem.collect(begin(), { verbose: true, devices: false });
    return pick(target.row, 'ram_swapin')[0];
  };
  const second = swapped(15, 5000);
  assert.equal(rate(undefined), undefined);
  assert.equal(rate(swapped(10, 0)), undefined);
  assert.equal(rate(second), 1000);
  assert.equal(rate(second), 1000);
  assert.equal(rate(undefined), undefined);
  assert.equal(rate(swapped(20, 10000)), undefined, 'what was before the silence is not used');
  assert.equal(rate(swapped(25, 20000)), 2000);
});
