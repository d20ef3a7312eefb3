import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  FaultReading,
  VmMem,
  deriveFaults,
  deriveGuestMemory,
  deriveSwap,
} from '../../src/collectors/mem/mem-vm.ts';
import type { BalloonReading, Detail } from '../../src/guests/guest.ts';
import { pidStatCounters } from '../../src/kernel/pid/proc-pid-stat.ts';
import { Row } from '../../src/catalogue/row.ts';
import { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { Tree, known, pick, setCounters, stoppedClock, testTarget, sourcesOf } from './support.ts';

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
    ram_ballooned: GIB,
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

test('QEMU knows better than a configuration, and what the balloon leaves cannot be more than all', () => {
  assert.deepEqual(guest({ actual: GIB, max: GIB }, 2 * GIB), {
    ram_total: GIB,
    ram_actual: GIB,
    ram_max: GIB,
    ram_ballooned: 0,
  });
  assert.deepEqual(guest({ actual: 3 * GIB }, GIB), { ram_total: 3 * GIB, ram_actual: 3 * GIB });
  assert.deepEqual(guest({ actual: 3 * GIB }, undefined), { ram_actual: 3 * GIB });
});

test('the age of the report grows until the next answer', (t) => {
  const setClock = stoppedClock(t);
  const { vm, target, begin } = testTarget({ detail: { time: 10, disks: [], balloon: { age: 3 } } });
  const mem = new VmMem({ kind: 'told' }, 4096);
  const age = (time: number): unknown => {
    setClock(time);
    mem.collect(begin(), { verbose: true, devices: false });
    return pick(target.row, 'ram_guest_age')[0];
  };
  assert.equal(age(10), 3);
  assert.equal(age(14), 7);
  vm.detail = { time: 15, disks: [], balloon: {} };
  assert.equal(age(16), undefined);
  vm.detail = undefined;
  assert.equal(age(17), undefined);
});

describe('what the kernel says of the memory of a process', () => {
  const STAT_RSS = 261903 * 4096; // of Tree.process
  const PID = 4242;
  const lines = (shared: number, swap: number, hugetlb: number): string =>
    `Name:\tkvm\nRssShmem:\t${shared} kB\nVmSwap:\t${swap} kB\nHugetlbPages:\t${hugetlb} kB\n`;

  /** A VM with a process of its own; `read` gives resident and swapped bytes. */
  function started(t: TestContext, shared = false): { tree: Tree; read: (verbose?: boolean) => unknown[] } {
    const tree = new Tree(t);
    tree.process(PID, ['kvm']);
    tree.write(`proc/${PID}/status`, lines(0, 0, 0));
    const process = Process.open(tree.paths, PID)!;
    const cgroup = new Cgroup(tree.paths, '/100.scope');
    t.after(() => {
      process.close();
      cgroup.close();
    });
    const { target, begin } = testTarget();
    const mem = new VmMem(sourcesOf(process, cgroup, shared).memory, 4096);
    const read = (verbose = true): unknown[] => {
      mem.collect(begin(), { verbose, devices: false });
      return pick(target.row, 'ram_rss', 'ram_swap');
    };
    return { tree, read };
  }

  test('huge pages are resident', (t) => {
    const setClock = stoppedClock(t);
    const { tree, read } = started(t);
    tree.write(`proc/${PID}/status`, lines(0, 0, 131072));
    assert.deepEqual(read(false), [STAT_RSS + 2 ** 27, undefined]);
    tree.write(`proc/${PID}/status`, lines(0, 0, 65536));
    setClock(6);
    assert.deepEqual(read(false), [STAT_RSS + 2 ** 26, undefined], 'looked at every 5 s');
  });

  test('the status of a process without huge pages is seldom read where nothing else in it is wanted', (t) => {
    const setClock = stoppedClock(t);
    t.mock.method(Math, 'random', () => 1);
    const { tree, read } = started(t);
    assert.deepEqual(read(false), [STAT_RSS, undefined]);
    tree.write(`proc/${PID}/status`, lines(0, 0, 131072));
    setClock(59);
    assert.deepEqual(read(false), [STAT_RSS, undefined]);
    setClock(61);
    assert.deepEqual(read(false), [STAT_RSS + 2 ** 27, undefined]);
  });

  test('swapped memory is what the kernel counts for the process, where none is shared', (t) => {
    const { tree, read } = started(t);
    tree.write(`proc/${PID}/status`, lines(0, 2048, 0));
    tree.write('sys/fs/cgroup/100.scope/memory.swap.current', '4096\n');
    assert.deepEqual(read(), [STAT_RSS, 2 * 2 ** 20]);
  });

  for (const [what, shared, status] of [
    ['that is resident', false, lines(65536, 0, 0)],
    ['that was swapped out as a whole', true, lines(0, 0, 0)],
  ] as const) {
    test(`of shared memory ${what} the cgroup tells what is swapped`, (t) => {
      const { tree, read } = started(t, shared);
      tree.write(`proc/${PID}/status`, status);
      tree.write('sys/fs/cgroup/100.scope/memory.swap.current', '67108864\n');
      assert.deepEqual(read(), [STAT_RSS, 2 ** 26]);
    });

    test(`of shared memory ${what} nothing is known without a cgroup that counts`, (t) => {
      const { tree, read } = started(t, shared);
      tree.write(`proc/${PID}/status`, status);
      assert.deepEqual(read(), [STAT_RSS, undefined]);
    });
  }

  test('huge pages are shared and never swapped out', (t) => {
    const { tree, read } = started(t, true);
    tree.write(`proc/${PID}/status`, lines(0, 0, 131072));
    assert.deepEqual(read(), [STAT_RSS + 2 ** 27, 0]);
  });
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
  const mem = new VmMem({ kind: 'told' }, 4096);
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
