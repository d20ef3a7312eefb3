import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ThreadReading, deriveThread, grown } from '../../src/collectors/cpu/cpu-thread.ts';
import { CpuCollector } from '../../src/collectors/cpu/cpu.ts';
import { ThrottleReading, deriveThrottled } from '../../src/collectors/cpu/cpu-throttle.ts';
import { VmCpu } from '../../src/collectors/cpu/cpu-vm.ts';
import { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import { cgroupCpuStatCounters } from '../../src/kernel/sys/cgroup/cgroup-cpu-stat.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
import { parsePidSchedstat, schedstatCounters } from '../../src/kernel/pid/proc-pid-schedstat.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { cursorOf } from '../kernel/support.ts';
import {
  TestHost,
  Tree,
  byDevice,
  countersIn,
  pick,
  setCounters,
  stoppedClock,
  testTarget,
  sourcesOf,
} from './support.ts';
import { openUnder } from '../lab/descriptors.ts';

const { run, wait } = schedstatCounters;
const wanted = { verbose: true, devices: true };

function reading(time: number, schedstat: string): ThreadReading {
  const result = new ThreadReading();
  result.time = time;
  parsePidSchedstat(cursorOf(`${schedstat}\n`), result.schedstat, 'schedstat');
  return result;
}

function percent(previous: ThreadReading, current: ThreadReading, counter: number): number {
  return deriveThread(grown(previous, current, counter), previous, current);
}

test('a thread that ran a quarter and waited an eighth of two seconds', () => {
  const previous = reading(10, '1000000000 3000000000 5');
  const current = reading(12, '1500000000 3250000000 9');
  assert.equal(percent(previous, current, run), 25);
  assert.equal(percent(previous, current, wait), 12.5);
});

test('a thread of a year keeps its nanoseconds', () => {
  const previous = reading(10, '31536000000000001 0 1');
  const current = reading(11, '31536000500000001 0 1');
  assert.equal(percent(previous, current, run), 50);
});

test('without a reading before, or with a counter that went backwards, nothing is known', () => {
  const current = reading(12, '500 500 1');
  assert.ok(Number.isNaN(percent(new ThreadReading(), current, run)));
  assert.ok(Number.isNaN(percent(reading(10, '501 400 1'), current, run)));
  assert.equal(percent(reading(10, '501 500 1'), current, wait), 0);
});

test('a limit that held the cgroup back for half a second of two', () => {
  const at = (time: number, throttledUsec?: number): ThrottleReading => {
    const result = new ThrottleReading();
    result.time = time;
    setCounters(result.cpuStat.counters, cgroupCpuStatCounters, {
      usageUsec: time,
      ...(throttledUsec !== undefined && { throttledUsec }),
    });
    return result;
  };
  assert.equal(deriveThrottled(at(10, 1_000_000), at(12, 1_500_000)), 25);
  assert.ok(Number.isNaN(deriveThrottled(at(10, 5), at(12, 4))));
  assert.ok(Number.isNaN(deriveThrottled(at(10), at(12))), 'no cpu controller');
});

/** The values of a VM, in the order used/ready of the vCPUs, used/ready of the other threads. */
const vmIds = ['cpu_total', 'cpu_steal', 'cpu_other_total', 'cpu_other_steal'];

/** CPUs used in all, the worst vCPU, the busiest other thread. */
const worstIds = ['cpu_used', 'cpu_total_max', 'cpu_steal_max', 'cpu_other_max', 'cpu_other_busiest'];

test('vCPUs are a mean, other threads a sum, from the second cycle on', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  tree.process(100, ['kvm', 'CPU 0/KVM', 'CPU 1/KVM', 'IO mon_iothread']);
  const process = Process.open(tree.paths, 100)!;
  process.threads.forEach((thread) => {
    thread.vcpu = thread.tid === 101 ? 0 : thread.tid === 102 ? 1 : undefined;
  });
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, undefined);
  cpu.collect(begin(), wanted);
  assert.deepEqual(pick(target.row, ...vmIds), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(byDevice(target.tree.vcpus), { 0: {}, 1: {} });

  at(2);
  tree.write('proc/100/task/100/schedstat', '200000000 20000000 1\n'); // 10 %, 1 %
  tree.write('proc/100/task/101/schedstat', '1500000000 0 1\n'); // 75 %, 0 %
  tree.write('proc/100/task/102/schedstat', '500000000 1000000000 1\n'); // 25 %, 50 %
  tree.write('proc/100/task/103/schedstat', '2000000000 40000000 1\n'); // 100 %, 2 %
  cpu.collect(begin(), wanted);
  assert.deepEqual(pick(target.row, ...vmIds), [50, 25, 110, 3]);
  assert.deepEqual(pick(target.row, ...worstIds), [2.1, 75, 50, 100, 'IO mon_iothread']);
  assert.deepEqual(byDevice(target.tree.vcpus), {
    0: { cpu_total: 75, cpu_steal: 0 },
    1: { cpu_total: 25, cpu_steal: 50 },
  });
  const counters = { cpu_total: 2e9, cpu_steal: 1e9, cpu_other_total: 2.2e9, cpu_other_steal: 6e7 };
  assert.deepEqual(countersIn(target.row), counters);
  assert.deepEqual(target.tree.vcpus.map(countersIn), [
    { cpu_total: 1.5e9, cpu_steal: 0 },
    { cpu_total: 5e8, cpu_steal: 1e9 },
  ]);

  at(3);
  tree.write('proc/100/task/102/schedstat', '0 0 0\n');
  cpu.collect(begin(), { verbose: false, devices: false });
  assert.deepEqual(pick(target.row, ...vmIds), [undefined, undefined, 0, 0], 'the counter went backwards');
  assert.deepEqual(pick(target.row, ...worstIds), [undefined, undefined, undefined, 0, undefined]);
  assert.deepEqual(target.tree.vcpus, []);
  assert.deepEqual(countersIn(target.row), counters, 'that of the VM does not fall');
  process.close();
});

test('limit and weight: of the cgroup, else of the configuration; waiting without what the limit held back', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  tree.process(100, ['CPU 0/KVM', 'CPU 1/KVM']);
  const process = Process.open(tree.paths, 100)!;
  process.threads.forEach((thread, index) => {
    thread.vcpu = index;
  });
  tree.write('sys/fs/cgroup/cgroup.controllers', 'cpu\n');
  const ids = ['cpu_limit', 'cpu_limit_used', 'cpu_weight', 'cpu_steal', 'cpu_contention'];
  const { begin, vm, target } = testTarget({ cpuLimit: 2, cpuWeight: 300 });
  /** Two seconds in which each vCPU ran for a quarter and waited for a half. */
  const seconds = (
    files: Readonly<Record<string, string>>,
    group = new Cgroup(tree.paths, '/vm'),
  ): unknown[] => {
    const cpu = new VmCpu(process, group);
    for (const time of [1, 3]) {
      at(time);
      const line = `${time * 25e7} ${time * 5e8} 1\n`;
      for (const tid of [100, 101]) tree.write(`proc/100/task/${tid}/schedstat`, line);
      for (const [file, text] of Object.entries(files)) tree.write(`sys/fs/cgroup/vm/${file}`, text);
      tree.write('sys/fs/cgroup/vm/cpu.stat', `usage_usec 5\nthrottled_usec ${time * 400_000}\n`);
      cpu.collect(begin(), wanted);
    }
    group.close();
    return pick(target.row, ...ids);
  };
  assert.deepEqual(seconds({ 'cpu.max': '100000 100000\n', 'cpu.weight': '50\n' }), [1, 50, 50, 50, 30]);
  assert.deepEqual(seconds({ 'cpu.max': 'max 100000\n' }), [undefined, undefined, 50, 50, 30]);
  assert.deepEqual(seconds({}, new Cgroup(tree.paths, '/none')), [2, 25, 300, 50, 50]);
  vm.cpuLimit = vm.cpuWeight = undefined;
  assert.deepEqual(seconds({}, new Cgroup(tree.paths, '/none')), [undefined, undefined, undefined, 50, 50]);
  // Limits of libvirt for each vCPU: how long these held back stands in groups that are not read.
  vm.vcpus = 2;
  vm.vcpuLimit = 0.5;
  assert.deepEqual(seconds({ 'cpu.max': 'max 100000\n' }), [1, 50, 50, 50, undefined]);
  assert.deepEqual(seconds({ 'cpu.max': '25000 50000\n' }), [0.5, 100, 50, 50, undefined]);
  process.close();
});

test('of a VM that is expanded each thread that runs no vCPU and has run is told', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  tree.process(100, ['kvm', 'CPU 0/KVM', 'IO iothread0', 'worker', 'worker', 'vhost-100']);
  const process = Process.open(tree.paths, 100)!;
  process.threads.find(({ tid }) => tid === 101)!.vcpu = 0;
  const { begin, target } = testTarget({ key: 'one' });
  const cpu = new VmCpu(process, undefined);
  const second = (time: number, expanded: string[]): unknown => {
    at(time);
    for (const [tid, percent] of [
      [101, 50],
      [102, 30],
      [104, 20],
      [105, 10],
    ] as const)
      tree.write(`proc/100/task/${tid}/schedstat`, `${time * percent * 1e7} ${time * 5e7} 1\n`);
    cpu.collect(begin(), { ...wanted, threads: new Set(expanded) });
    return byDevice(target.rows.threads ?? []);
  };
  assert.deepEqual(second(1, []), {});
  assert.deepEqual(second(2, ['other']), {});
  const thread = (cpu_total: number): unknown => ({ cpu_total, cpu_steal: 5 });
  const busy = { 'IO iothread0 102': thread(30), 'worker 104': thread(20), 'vhost-100 105': thread(10) };
  const resting = { cpu_total: 0, cpu_steal: 0 };
  assert.deepEqual(second(3, ['one']), { 'kvm 100': resting, ...busy, 'worker 103': resting });
  assert.deepEqual(second(9, ['one']), { 'kvm 100': resting, ...busy }, 'without those that sleep');
  assert.deepEqual(second(10, []), {});
  process.close();
});

test('of a sum nothing is known while one of its threads cannot be read', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  tree.process(100, ['CPU 0/KVM', 'CPU 1/KVM', 'worker', 'worker']);
  const process = Process.open(tree.paths, 100)!;
  process.threads.forEach((thread) => {
    thread.vcpu = thread.tid < 102 ? thread.tid - 100 : undefined;
  });
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, undefined);
  /** Seconds 1, 2, ...: all threads ran half of the time; the one with this id cannot be read. */
  const second = (time: number, damaged?: number): unknown[] => {
    at(time);
    for (let tid = 100; tid < 104; tid++)
      tree.write(`proc/100/task/${tid}/schedstat`, tid === damaged ? '' : `${time * 5e8} 0 1\n`);
    cpu.collect(begin(), wanted);
    return pick(target.row, 'cpu_total', 'cpu_other_total');
  };
  second(1);
  assert.deepEqual(second(2), [50, 100]);
  assert.deepEqual(second(3, 101), [undefined, 100]);
  assert.deepEqual(Object.keys(byDevice(target.tree.vcpus)), ['0']);
  assert.deepEqual(second(4, 102), [50, undefined]);
  assert.deepEqual(second(5), [50, 100]);
  assert.deepEqual(countersIn(target.row)['cpu_other_total'], 4e9, 'nothing that it ran is lost');
  process.close();
});

test('of more threads than a VM has only vCPUs and the oldest are kept open', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const names = Array.from({ length: 400 }, () => 'worker');
  tree.process(1000, names);
  const process = Process.open(tree.paths, 1000)!;
  process.threads.find(({ tid }) => tid === 1399)!.vcpu = 0;
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, undefined);
  for (let time = 1; time < 4; time++) {
    at(time);
    tree.write('proc/1000/task/1399/schedstat', `${time * 5e8} 0 1\n`);
    cpu.collect(begin(), wanted);
  }
  assert.deepEqual(pick(target.row, ...vmIds), [50, 0, undefined, undefined]);
  assert.deepEqual(Object.keys(countersIn(target.row)), ['cpu_total', 'cpu_steal']);
  assert.equal(openUnder(tree.root).length, 1 + 257, 'stat, and so many threads');
  process.close();
});

/**
 * A VM with a thread beside its vCPU that has not run for long: from 3 s on it is dormant; it is 5 s. What it shows
 * a second later, percent and count, when that thread has run for so many ns.
 */
function dormantThread(t: TestContext): (time: number, ran: number, ticks?: number) => [number, unknown] {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  t.mock.method(Math, 'random', () => 0.9); // when the five seconds begin: the next reading is at 8 s
  const names = ['CPU 0/KVM', 'call_rcu'];
  tree.process(100, names);
  const process = Process.open(tree.paths, 100)!;
  t.after(() => {
    process.close();
  });
  process.threads.find(({ tid }) => tid === 100)!.vcpu = 0;
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, undefined);
  const second = (time: number, ran: number, ticks = 0): [number, unknown] => {
    at(time);
    tree.process(100, names, { utime: 50 * time + ticks });
    tree.write('proc/100/task/100/schedstat', `${time * 5e8} 0 1\n`);
    tree.write('proc/100/task/101/schedstat', `${ran} 0 1\n`);
    assert.ok(process.refresh());
    cpu.collect(begin(), wanted);
    return [Number(pick(target.row, 'cpu_other_total')[0]), countersIn(target.row)['cpu_other_total']];
  };
  for (let time = 0; time <= 5; time++) second(time, 0);
  return second;
}

test('a dormant thread is read every five seconds, and nothing that it ran is lost', (t) => {
  const second = dormantThread(t);
  assert.deepEqual(second(6, 1e7, 1), [0, 0]);
  assert.deepEqual(second(7, 2e7, 2), [0, 0]);
  assert.deepEqual(second(8, 2e7, 2), [2, 2e7]);
  assert.deepEqual(second(9, 2.5e7, 2), [0.5, 2.5e7], 'awake again');
});

test('a dormant thread is read at once when the process used CPU time that no other thread did', (t) => {
  const second = dormantThread(t);
  assert.deepEqual(second(6, 5e7, 5), [5, 5e7]);
});

test('so it is when it uses a little in every cycle', (t) => {
  const second = dormantThread(t);
  assert.deepEqual(second(6, 1.5e7, 1), [0, 0]);
  assert.deepEqual(second(7, 3e7, 3), [3, 3e7]);
});

test('a kernel that writes zeros for threads that run keeps no statistics, and an idle VM is none', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const names = ['kvm', 'CPU 0/KVM'];
  tree.process(100, names, { utime: 0 });
  const process = Process.open(tree.paths, 100)!;
  t.after(() => {
    process.close();
  });
  process.threads.find(({ tid }) => tid === 101)!.vcpu = 0;
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, undefined);
  const cycle = (time: number, utime: number): unknown => {
    at(time);
    tree.process(100, names, { utime });
    assert.ok(process.refresh());
    cpu.collect(begin(), wanted);
    return [pick(target.row, ...vmIds), countersIn(target.row), byDevice(target.tree.vcpus)];
  };
  const nothing = [[undefined, undefined, undefined, undefined], {}, { 0: {} }];
  cycle(1, 0);
  assert.notDeepEqual(cycle(2, 0), nothing, 'it may really be idle');
  assert.deepEqual(cycle(3, 100), nothing);
  assert.deepEqual(cycle(4, 100), nothing, 'nor is anything known while it uses no time');
});

/** A host on which a kernel thread works for the VM; procfs as a kernel before 6.4 has it, made by hand. */
function vhostMachine(t: TestContext): { tree: Tree; cycle: (time: number) => unknown[] } {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  tree.process(4242, ['kvm', 'CPU 0/KVM']);
  tree.process(5000, ['vhost-4242']);
  tree.write('proc/5000/stat', '5000 (vhost-4242) S 2 0 0 0 -1 2129984 0 0 0 0 0 80 0 0 20 0 1 0 9 0 0\n');
  // A process of a tenant may call itself what it likes.
  tree.process(6000, ['vhost-4242']);
  tree.write('proc/6000/stat', '6000 (vhost-4242) S 1 0 0 0 -1 2129984 0 0 0 0 0 80 0 0 20 0 1 0 9 0 0\n');
  const process = Process.open(tree.paths, 4242)!;
  process.threads.find(({ tid }) => tid === 4243)!.vcpu = 0;
  const { begin, target } = testTarget({ sources: sourcesOf(process) });
  const collector = new CpuCollector(tree.paths, wanted);
  t.after(() => {
    collector.close();
    process.close();
  });
  const cycle = (time: number): unknown[] => {
    at(time);
    tree.write('proc/4242/task/4242/schedstat', `${time * 1e8} 0 1\n`);
    tree.write('proc/5000/task/5000/schedstat', `${time * 8e8} ${time * 1e7} 1\n`);
    tree.write('proc/6000/task/6000/schedstat', `${time * 9e8} 0 1\n`);
    collector.collect(new TestHost(), [begin()]);
    return [
      ...pick(target.row, 'cpu_other_total', 'cpu_other_steal'),
      countersIn(target.row)['cpu_other_total'],
    ];
  };
  return { tree, cycle };
}

test('the kernel threads that carry the packets of a VM count as its other threads', (t) => {
  const { tree, cycle } = vhostMachine(t);
  cycle(10);
  assert.deepEqual(cycle(11), [90, 1, 9e8]);
  tree.remove('proc/5000');
  // Its open file tells nothing any more; that of a real thread gives ESRCH.
  cycle(22);
  assert.deepEqual(cycle(23), [10, 0, 9e8 + 1.2e9]);
});

test('they are found in the list of kernel threads where the kernel has one', (t) => {
  const { tree, cycle } = vhostMachine(t);
  tree.write('proc/2/task/2/children', '3 4 5000 ');
  tree.write('proc/3/stat', '3 (rcu_gp) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 0 -20 1 0 2 0 0\n');
  cycle(10);
  assert.deepEqual(cycle(11), [90, 1, 9e8]);
});

test('throttling needs the cpu controller and two readings', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  tree.process(100, ['kvm']);
  tree.write(
    'sys/fs/cgroup/a/cpu.stat',
    'usage_usec 1\nnr_periods 10\nnr_throttled 5\nthrottled_usec 1000000\n',
  );
  const process = Process.open(tree.paths, 100)!;
  const cgroup = new Cgroup(tree.paths, '/a');
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, cgroup);
  const throttled = (time: number): unknown => {
    at(time);
    cpu.collect(begin(), wanted);
    return pick(target.row, 'cpu_throttled')[0];
  };
  assert.equal(throttled(1), undefined);
  tree.write(
    'sys/fs/cgroup/a/cpu.stat',
    'usage_usec 1\nnr_periods 20\nnr_throttled 6\nthrottled_usec 1100000\n',
  );
  assert.equal(throttled(2), 10);
  tree.write('sys/fs/cgroup/a/cpu.stat', 'usage_usec 1\n');
  assert.equal(throttled(3), undefined);
  cgroup.close();
  process.close();
});

test('without a limit in force its file is read every 5 s, and every cycle from when there is one', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const write = (periods: number, throttled: number): void => {
    const text = `usage_usec 1\nnr_periods ${periods}\nnr_throttled ${periods}\nthrottled_usec ${throttled}\n`;
    tree.write('sys/fs/cgroup/a/cpu.stat', text);
  };
  tree.process(100, ['kvm']);
  write(0, 0);
  const process = Process.open(tree.paths, 100)!;
  const cgroup = new Cgroup(tree.paths, '/a');
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, cgroup);
  const throttled = (time: number): unknown => {
    at(time);
    cpu.collect(begin(), wanted);
    return pick(target.row, 'cpu_throttled')[0];
  };
  assert.deepEqual([1, 2, 3].map(throttled), [undefined, 0, 0]);
  // Half the time from the third second on.
  const values = [4, 5, 6, 7, 8, 9, 10, 11].map((time) => {
    write(time * 10, (time - 3) * 500_000);
    return throttled(time);
  });
  const seen = values.findIndex((value) => value !== 0);
  assert.ok(seen >= 0 && seen < 5, `seen after ${seen} s`);
  assert.deepEqual(
    values.slice(seen + 1),
    values.slice(seen + 1).map(() => 50),
  );
  assert.equal(throttled(12), 0);
  cgroup.close();
  process.close();
});

/** A real thread of this process that has used 50 ms of CPU and then sleeps until it is ended. */
async function realThread(t: TestContext): Promise<{ tid: number; end: () => Promise<unknown> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const { readlinkSync } = require('node:fs');
     const start = performance.now();
     while (performance.now() - start < 50);
     parentPort.postMessage(Number(readlinkSync('/proc/thread-self').split('/').at(-1)));
     setInterval(() => undefined, 1e6);`,
    { eval: true },
  );
  const end = (): Promise<unknown> => worker.terminate();
  t.after(end);
  const tid = await new Promise<number>((resolve) => worker.once('message', resolve));
  return { tid, end };
}

test('a thread that was born in the interval counts from 0, one that ended counts no more', async (t) => {
  const schedstatOf = (tid: number): number =>
    Number(readFileSync(`/proc/self/task/${tid}/schedstat`, 'utf8').split(' ')[0]);
  const process = Process.open(new Paths(defaultRoots), globalThis.process.pid)!;
  const mark = (tid: number, vcpu: number): void => {
    process.threads.find((thread) => thread.tid === tid)!.vcpu = vcpu;
  };
  mark(globalThis.process.pid, 0);
  const { begin, target } = testTarget();
  const cpu = new VmCpu(process, undefined);
  const earliest = performance.now();
  cpu.collect(begin(), wanted);
  const latest = performance.now();

  const { tid, end } = await realThread(t);
  assert.ok(process.refresh());
  mark(tid, 1);
  const [ranAtLeast, since] = [schedstatOf(tid), performance.now() - latest];
  cpu.collect(begin(), wanted);
  const [ranAtMost, longest] = [schedstatOf(tid), performance.now() - earliest];
  const vcpus = byDevice(target.tree.vcpus);
  assert.deepEqual(Object.keys(vcpus), ['0', '1']);
  const used = Number(vcpus[1]?.['cpu_total']);
  const percent = (ns: number, ms: number): number => Math.min(100, (ns / 1e6 / ms) * 100);
  assert.ok(used >= percent(ranAtLeast, longest) && used <= percent(ranAtMost, since), `${used} %`);

  await end();
  cpu.collect(begin(), wanted);
  assert.deepEqual(Object.keys(byDevice(target.tree.vcpus)), ['0']);
  assert.notEqual(pick(target.row, 'cpu_total')[0], undefined);
  const next = await realThread(t); // there are as many threads as before
  assert.ok(process.refresh());
  const tids = process.threads.map((thread) => thread.tid);
  assert.deepEqual([tids.includes(tid), tids.includes(next.tid)], [false, true], 'they were listed again');
  process.close();
});
