import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { EnergyCollector } from '../../src/collectors/energy.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import type { GuestTarget } from '../../src/collectors/collector.ts';
import {
  TestHost,
  Tree,
  byDevice,
  countersIn,
  known,
  pick,
  sourcesOf,
  stoppedClock,
  testTarget,
} from './support.ts';

// The trees are made up after Documentation/power/powercap/powercap.rst: no machine of ours has RAPL.

const RANGE = 262_143_328_850;
const CPUS = 4;
const cpuLines = Array.from({ length: CPUS }, (_, i) => `cpu${i} 0 0 0 0 0 0 0 0 0 0\n`).join('');

/** A host with zones, and the result of a reading. */
class Host {
  readonly tree: Tree;
  readonly at: (seconds: number) => void;
  readonly collector: EnergyCollector;
  readonly vms: GuestTarget[] = [];
  private readonly host = new TestHost();
  private readonly begins: (() => GuestTarget)[] = [];

  constructor(private readonly t: TestContext) {
    this.tree = new Tree(t);
    this.at = stoppedClock(t);
    this.collector = new EnergyCollector(this.tree.paths, { verbose: true, devices: true });
    t.after(() => {
      this.collector.close();
    });
    this.ticks(0, 0);
  }

  zone(entry: string, name: string, joules: number, range = RANGE): void {
    this.tree.write(`sys/class/powercap/${entry}/name`, `${name}\n`);
    this.tree.write(`sys/class/powercap/${entry}/max_energy_range_uj`, `${range}\n`);
    this.joules(entry, joules);
  }

  joules(entry: string, joules: number): void {
    this.tree.write(`sys/class/powercap/${entry}/energy_uj`, `${Math.round(joules * 1e6)}\n`);
  }

  /** What all CPUs did since the boot, in ticks. */
  ticks(used: number, idle: number): void {
    this.tree.write('proc/stat', `cpu  ${used} 0 0 ${idle} 0 0 0 0 0 0\n${cpuLines}intr 0\n`);
  }

  /** A VM whose QEMU has used so many ticks. @returns sets them */
  vm(pid: number): (ticks: number) => void {
    const run = (ticks: number): void => {
      this.tree.process(pid, ['kvm'], { utime: ticks });
    };
    run(0);
    const process = Process.open(this.tree.paths, pid);
    assert.ok(process !== undefined);
    this.t.after(() => {
      process.close();
    });
    const { target, begin } = testTarget({ sources: sourcesOf(process) });
    this.vms.push(target);
    this.begins.push(begin);
    return (ticks) => {
      run(ticks);
      process.refresh();
    };
  }

  /** A container of which cpu.stat tells. @returns sets its CPU time, in seconds */
  container(name: string): (seconds: number) => void {
    const use = (seconds: number): void => {
      this.tree.write(`sys/fs/cgroup/${name}/cpu.stat`, `usage_usec ${Math.round(seconds * 1e6)}\n`);
    };
    use(0);
    const cgroup = new Cgroup(this.tree.paths, `/${name}`);
    this.t.after(() => {
      cgroup.close();
    });
    const { sources } = testTarget().vm;
    const { target, begin } = testTarget({ sources: { ...sources, cpu: { kind: 'cgroup', cgroup } } });
    this.vms.push(target);
    this.begins.push(begin);
    return use;
  }

  cycle(): {
    readonly host: Record<string, unknown>;
    readonly zones: Record<string, unknown>;
    readonly guests: unknown[];
  } {
    const host = this.host.begin();
    for (const begin of this.begins) begin();
    this.collector.collect(host, this.vms);
    return {
      host: known(host.row),
      zones: byDevice(host.devices.zones.rows),
      guests: this.vms.map(({ row }) => pick(row, 'power_estimate')[0]),
    };
  }

  counters(): Record<string, number> {
    return countersIn(this.host.row);
  }
}

test('the active part is shared by CPU time; what is idle and what the host does is no guest’s', (t) => {
  const host = new Host(t);
  host.zone('intel-rapl:0', 'package-0', 1000);
  const runs = [host.vm(100), host.vm(200)];
  const use = host.container('lxc/300');
  host.at(100);
  assert.deepEqual(host.cycle(), {
    host: {},
    zones: { 'package-0': {} },
    guests: [undefined, undefined, undefined],
  });
  // 10 s of 4 CPUs: 1600 ticks busy, of them 800, 0 and 400 by guests and 400 by the host itself. 80 W.
  host.at(110);
  host.ticks(1600, 2400);
  host.joules('intel-rapl:0', 1800);
  runs[0]?.(800);
  use(4);
  const { host: row, zones, guests } = host.cycle();
  assert.deepEqual(row, { power: 80, power_active: 32, power_idle: 48 });
  assert.deepEqual(zones, { 'package-0': { power: 80 } });
  assert.deepEqual(guests, [16, 0, 8]);
  assert.deepEqual(host.counters(), { power: 800e6, power_active: 320e6, power_idle: 480e6 });
});

test('packages, dies and memory count; core, uncore, psys and the second way to a package do not', (t) => {
  const host = new Host(t);
  const zones: readonly (readonly [entry: string, name: string])[] = [
    ['intel-rapl:0', 'package-0'],
    ['intel-rapl:0:0', 'core'],
    ['intel-rapl:0:1', 'uncore'],
    ['intel-rapl:0:2', 'dram'],
    ['intel-rapl:1', 'package-1-die-0'],
    ['intel-rapl:1:0', 'dram'],
    ['intel-rapl:2', 'psys'],
    ['intel-rapl-mmio:0', 'package-0'],
  ];
  for (const [entry, name] of zones) host.zone(entry, name, 0);
  // The control type itself has a directory, too.
  host.tree.write('sys/class/powercap/intel-rapl/enabled', '1\n');
  host.at(100);
  host.cycle();
  host.at(110);
  host.ticks(0, 4000);
  zones.forEach(([entry], index) => {
    host.joules(entry, 10 * 10 ** index);
  });
  const { host: row, zones: rows } = host.cycle();
  assert.deepEqual(rows, {
    'package-0': { power: 1 },
    'package-0/dram': { power: 1000 },
    'package-1-die-0': { power: 10_000 },
    'package-1-die-0/dram': { power: 100_000 },
  });
  assert.deepEqual(row, { power: 111_001, power_active: 0, power_idle: 111_001 });
});

test('a counter that went round; one whose range nobody tells gives no value', (t) => {
  const host = new Host(t);
  host.zone('intel-rapl:0', 'package-0', RANGE / 1e6 - 100);
  host.at(100);
  host.cycle();
  host.at(110);
  host.ticks(4000, 0);
  host.joules('intel-rapl:0', 400);
  assert.equal(host.cycle().host['power'], 50);
  host.zone('intel-rapl:1', 'package-1', 300, 0);
  const other = new EnergyCollector(host.tree.paths, { verbose: true, devices: false });
  t.after(() => {
    other.close();
  });
  const rows = new TestHost();
  other.collect(rows, []);
  host.at(120);
  host.ticks(8000, 0);
  host.joules('intel-rapl:0', 800);
  host.joules('intel-rapl:1', 100);
  other.collect(rows.begin(), []);
  assert.deepEqual(known(rows.row), {});
});

test('values stand between two readings; after a long pause the counter may have gone round twice', (t) => {
  const host = new Host(t);
  host.zone('intel-rapl:0', 'package-0', 0);
  const step = (time: number, joules: number): unknown => {
    host.at(time);
    host.ticks(0, time * CPUS * 100);
    host.joules('intel-rapl:0', joules);
    return host.cycle().host['power'];
  };
  assert.equal(step(100, 0), undefined);
  assert.equal(step(110, 500), 50);
  assert.equal(step(111, 900), 50);
  assert.equal(step(120, 1000), 50);
  assert.equal(step(300, 1100), undefined);
  assert.equal(step(310, 1400), 30);
  assert.deepEqual(host.counters()['power'], 1300e6);
});

test('without zones nothing is read and nothing told; they are found when the driver is loaded', (t) => {
  const host = new Host(t);
  const run = host.vm(100);
  host.tree.remove('proc/stat');
  host.at(100);
  assert.deepEqual(host.cycle(), { host: {}, zones: {}, guests: [undefined] });
  host.ticks(0, 0);
  host.zone('intel-rapl:0', 'package-0', 0);
  host.at(170);
  host.cycle();
  host.at(180);
  host.ticks(1000, 3000);
  run(1000);
  host.joules('intel-rapl:0', 400);
  assert.deepEqual(host.cycle().guests, [10]);
});

test('rounded ticks never give guests more than the active part', (t) => {
  const host = new Host(t);
  host.zone('intel-rapl:0', 'package-0', 0);
  const runs = [host.vm(100), host.vm(200)];
  host.at(100);
  host.cycle();
  host.at(110);
  host.ticks(1000, 3000);
  for (const run of runs) run(501);
  host.joules('intel-rapl:0', 400);
  const { guests } = host.cycle();
  assert.deepEqual(guests, [5, 5]);
});

test('where a zone cannot be read its power and the sum are not known', (t) => {
  const host = new Host(t);
  host.zone('intel-rapl:0', 'package-0', 0);
  host.zone('intel-rapl:1', 'package-1', 0);
  host.at(100);
  host.cycle();
  host.at(110);
  host.ticks(1000, 3000);
  host.joules('intel-rapl:0', 400);
  host.tree.write('sys/class/powercap/intel-rapl:1/energy_uj', 'garbage\n');
  const { host: row, zones } = host.cycle();
  assert.deepEqual(row, {});
  assert.deepEqual(zones, { 'package-0': { power: 40 }, 'package-1': {} });
});
