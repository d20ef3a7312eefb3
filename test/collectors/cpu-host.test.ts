import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuReading, HostCpu, deriveShares } from '../../src/collectors/cpu/cpu-host.ts';
import { pinnedGuests } from '../../src/collectors/cpu/cpu-each.ts';
import type { PinnedGuests } from '../../src/collectors/cpu/cpu-each.ts';
import { procStatCounters } from '../../src/kernel/proc/proc-stat.ts';
import { Row } from '../../src/catalogue/row.ts';
import { TestHost, Tree, byDevice, countersIn, known, pick, setCounters, stoppedClock } from './support.ts';

const zero = {
  user: 0,
  nice: 0,
  system: 0,
  idle: 0,
  iowait: 0,
  irq: 0,
  softirq: 0,
  steal: 0,
  guest: 0,
  guestNice: 0,
};

const none: PinnedGuests = new Map();

/** A reading of a host with so many CPUs. @param time monotonic seconds */
function reading(values: Partial<typeof zero>, time = 0, cpus = 1): CpuReading {
  const result = new CpuReading();
  result.time = time;
  result.stat.cpus = cpus;
  setCounters(result.stat.counters, procStatCounters, values);
  return result;
}

/** What is known between two readings of one CPU. @param elapsed seconds; 0 where they do not matter */
function shares(
  previous: Partial<typeof zero>,
  current: Partial<typeof zero>,
  elapsed = 0,
): Record<string, unknown> {
  const row = new Row('host');
  deriveShares(reading(previous), reading(current, elapsed), row);
  return known(row);
}

test('shares of all CPU time; guest time is inside user and nice and not added again', () => {
  const current = {
    ...zero,
    user: 80,
    nice: 20,
    system: 40,
    idle: 50,
    iowait: 4,
    irq: 1,
    softirq: 2,
    steal: 3,
  };
  assert.deepEqual(shares(zero, { ...current, guest: 60, guestNice: 10 }), {
    cpu_user: 40,
    cpu_nice: 10,
    cpu_system: 20,
    cpu_idle: 25,
    cpu_iowait: 2,
    cpu_irq: 0.5,
    cpu_softirq: 1,
    cpu_steal: 1.5,
    cpu_guest: 30,
    cpu_guestnice: 5,
  });
});

test('iowait that went backwards is omitted and leaves the others right', () => {
  const { cpu_iowait, cpu_idle, cpu_user } = shares(
    { ...zero, iowait: 9 },
    { ...zero, iowait: 8, idle: 30, user: 10 },
  );
  assert.deepEqual([cpu_iowait, cpu_idle, cpu_user], [undefined, 75, 25]);
});

test('a part of the whole that went backwards leaves no share known', () => {
  const full = { user: 900, nice: 900, system: 900, idle: 900, irq: 900, softirq: 900, steal: 900 };
  for (const [name, ticks] of Object.entries(full)) {
    const before = { ...zero, ...full };
    assert.deepEqual(shares(before, { ...before, guest: 10, iowait: 5, [name]: ticks - 1 }), {}, name);
  }
  // As it was seen on a host that was 0.1 % busy, when one of its 8 CPUs was switched off.
  const before = { ...zero, user: 100_000, system: 50_000, idle: 64_000_000, iowait: 1000, softirq: 100 };
  const after = { ...before, user: 100_006, system: 50_002, idle: 63_999_390 };
  assert.deepEqual(shares(before, after, 1), {});
});

test('a whole that is not the time that passed leaves no share known', () => {
  const before = { ...zero, idle: 50_000 };
  const expected = { cpu_user: 20, cpu_idle: 80 };
  const { cpu_user, cpu_idle } = shares(before, { ...before, user: 20, idle: 50_080 }, 1);
  assert.deepEqual({ cpu_user, cpu_idle }, expected);
  assert.deepEqual(shares(before, { ...before, user: 20, idle: 550_080 }, 1), {}, 'idle leapt forward');
  assert.deepEqual(
    shares(before, { ...before, user: 200, idle: 50_100 }, 10),
    {},
    'idle fell back by less than it grew',
  );
});

test('a CPU that is switched off or on within the interval is no leap', () => {
  const row = new Row('host');
  const first = reading({ ...zero, idle: 1000 }, 10, 8);
  const second = reading({ ...zero, idle: 1600, user: 200 }, 12, 4);
  assert.equal(deriveShares(first, second, row), true);
  assert.deepEqual(pick(row, 'cpu_user', 'cpu_idle'), [25, 75]);
});

test('columns that the kernel lacks are omitted, and so is all when no time passed', () => {
  const { guest: _, guestNice: __, steal: ___, ...old } = zero;
  assert.deepEqual(Object.keys(shares(old, { ...old, idle: 4 })), [
    'cpu_user',
    'cpu_system',
    'cpu_idle',
    'cpu_iowait',
    'cpu_nice',
    'cpu_irq',
    'cpu_softirq',
  ]);
  assert.deepEqual(shares(zero, zero), {});
});

const statOf = (user: number, idle: number): string =>
  `cpu  ${user} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0\nintr 0\n`;

test('cores, load, frequencies and overcommitment', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  at(100);
  tree.write('proc/stat', statOf(0, 0));
  tree.write('proc/loadavg', '0.25 1.50 12.00 3/813 4242\n');
  for (const [cpu, khz] of [
    [0, 1_000_000],
    [1, 3_000_000],
  ] as const) {
    tree.write(`sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`, `${khz}\n`);
    tree.write(`sys/devices/system/cpu/cpu${cpu}/cpufreq/cpuinfo_min_freq`, '800000\n');
    tree.write(`sys/devices/system/cpu/cpu${cpu}/cpufreq/cpuinfo_max_freq`, '4200000\n');
  }
  tree.write('sys/devices/system/cpu/cpufreq/boost', '1\n');
  const target = new TestHost();
  const { row } = target;
  const host = new HostCpu(tree.paths, { verbose: true, devices: false });
  host.collect(target, 5, none);
  assert.deepEqual(known(row), {
    cpu_cores: 2,
    cpu_overcommit: 2.5,
    cpu_curfreq: 2000,
    cpu_minfreq: 800,
    cpu_maxfreq: 4200,
    cpu_load1: 0.25,
    cpu_load5: 1.5,
    cpu_load15: 12,
  });
  tree.write('proc/stat', statOf(30, 70));
  target.begin();
  host.collect(target, 0, none);
  assert.deepEqual(pick(row, 'cpu_user', 'cpu_idle', 'cpu_steal', 'cpu_overcommit'), [30, 70, 0, 0]);
  host.close();
});

test('the count of a share stands still over an interval whose whole is not known', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const target = new TestHost();
  const { row } = target;
  const host = new HostCpu(tree.paths, { verbose: true, devices: false });
  const cycle = (time: number, user: number, idle: number): unknown => {
    at(time);
    tree.write('proc/stat', statOf(user, idle));
    target.begin();
    host.collect(target, 0, none);
    return [countersIn(row)['cpu_user'], countersIn(row)['cpu_idle']];
  };
  cycle(10, 1000, 9000);
  assert.deepEqual(cycle(11, 1050, 9150), [50, 150]);
  assert.deepEqual(cycle(12, 1100, 900_000), [50, 150], 'idle leapt forward');
  assert.deepEqual(cycle(13, 1150, 900_150), [100, 300]);
  assert.deepEqual(cycle(14, 1200, 9300), [100, 300], 'and back');
  assert.deepEqual(cycle(15, 1250, 9450), [150, 450]);
  host.close();
});

test('without cpufreq the frequency is the mean of cpuinfo, and without both it is omitted', (t) => {
  const tree = new Tree(t);
  const cpuinfo = ['2000.000', '3000.500'].map((mhz) => `cpu MHz\t\t: ${mhz}\ncache size\t: 512 KB\n\n`);
  tree.write('proc/cpuinfo', cpuinfo.join(''));
  const target = new TestHost();
  const { row } = target;
  const quiet = { verbose: false, devices: false };
  new HostCpu(tree.paths, quiet).collect(target, 1, none);
  assert.deepEqual(known(row), { cpu_curfreq: 2500.25 });
  tree.remove('proc/cpuinfo');
  target.begin();
  new HostCpu(tree.paths, quiet).collect(target, 1, none);
  assert.deepEqual(known(row), {});
});

test('a row for each CPU, with the VMs that are pinned to it', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const target = new TestHost();
  const host = new HostCpu(tree.paths, { verbose: true, devices: true });
  t.after(() => {
    host.close();
  });
  const cycle = (time: number, ...cpus: string[]): unknown => {
    at(time);
    const lines = cpus.map((cpu) => `cpu${cpu} 0 0\n`);
    tree.write('proc/stat', `cpu  0 0 0 5 0 0 0 0 0 0\n${lines.join('')}intr 5\n`);
    host.collect(
      target.begin(),
      0,
      pinnedGuests(
        [
          ['pg', '2'],
          ['web', '1-2'],
          ['all', '1-3'],
          ['new', undefined],
        ],
        3,
      ),
    );
    return byDevice(target.tree.cpus);
  };
  cycle(10, '1 0 0 0 0 0 0 0 0', '2 0 0 0 0 0 0 0 0', '3 0 0 0 0 0 0 0 0');
  // user, nice, system, idle, iowait, irq, softirq, steal, guest
  assert.deepEqual(cycle(11, '1 40 0 10 20 10 5 5 10 30', '3 0 0 0 100 0 0 0 0 0'), {
    1: { cpu_busy: 60, cpu_guest: 30, cpu_steal: 10, cpu_irq: 5, cpu_softirq: 5, cpu_pinned: 'web' },
    // Another one stood in its place before.
    3: {},
  });
  assert.deepEqual(cycle(12, '1 40 0 10 9000 10 5 5 10 30', '3 0 0 0 200 0 0 0 0 0'), {
    1: { cpu_pinned: 'web' },
    3: { cpu_busy: 0, cpu_guest: 0, cpu_steal: 0, cpu_irq: 0, cpu_softirq: 0 },
  });
});

test('VMs that may run on all CPUs are pinned to none, and while it is not known how many there are', () => {
  const guests = [
    ['pg', '0'],
    ['web', '0-1'],
    ['all', '0-3'],
  ] as const;
  assert.deepEqual(
    pinnedGuests(guests, 4),
    new Map([
      [0, 'pg;web'],
      [1, 'web'],
    ]),
  );
  assert.deepEqual(pinnedGuests(guests, NaN), new Map());
});
