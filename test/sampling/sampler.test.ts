import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Collector } from '../../src/collectors/collector.ts';
import { slots } from '../../src/catalogue/catalogue.ts';
import type { ObservedOutput } from '../../src/sampling/output-status.ts';
import { Sampler } from '../../src/sampling/sampler.ts';
import { SinceStart } from '../../src/sampling/since-start.ts';
import { Tree, known, pick, stoppedClock, testVm } from '../collectors/support.ts';
import { idleStatus, logs } from '../delivery/helpers.ts';
import { TestInventory, noOutputs, testCollector } from './support.ts';
import { openUnder } from '../lab/descriptors.ts';

const load = slots('cpu', 'host').cpu_load1;
const uptime = slots('host', 'host').host_uptime;

function sampler(t: TestContext, inventory: TestInventory, collectors: readonly Collector[]) {
  const tree = new Tree(t);
  tree.write('proc/sys/kernel/hostname', 'pve1\n');
  const { log, at } = logs();
  return { sampler: new Sampler(tree.paths, inventory, collectors, log), at };
}

test('one collector that fails leaves the values of the others', (t) => {
  let broken = true;
  const failing = testCollector('cpu', ({ row }) => {
    if (broken) throw new Error('no such thing');
    row.values[load] = 2;
  });
  const working = testCollector('host', ({ row }) => {
    row.values[uptime] = 7;
  });
  const { sampler: cycles, at } = sampler(t, new TestInventory(), [failing, working]);
  const cycle = (): unknown[] => {
    const { host, agent, runs } = cycles.sample(0, noOutputs);
    assert.deepEqual(
      runs.map(({ name, failed }) => [name, failed]),
      [
        ['cpu', broken],
        ['host', false],
      ],
    );
    for (const { duration } of runs) assert.ok(duration >= 0);
    return [known(host.row), pick(agent.row, 'collector_errors')[0]];
  };
  assert.deepEqual(cycle(), [{ host_name: 'pve1', host_uptime: 7 }, 1]);
  assert.deepEqual(cycle(), [{ host_name: 'pve1', host_uptime: 7 }, 2]);
  assert.deepEqual(at('error'), ['collector cpu failed']);
  broken = false;
  assert.deepEqual(cycle(), [{ host_name: 'pve1', host_uptime: 7, cpu_load1: 2 }, 2]);
  cycle();
  assert.deepEqual(at('info'), ['collector cpu works again']);
  broken = true;
  assert.deepEqual(
    cycle(),
    [{ host_name: 'pve1', host_uptime: 7 }, 3],
    'nothing is left of the cycle before',
  );
  assert.equal(at('error').length, 2);
});

test('somebody who watches is attended to every 10 ms of a cycle, which goes on as if nobody had been', (t) => {
  const steps: string[] = [];
  const at = stoppedClock(t);
  const collectors = [
    testCollector('cpu', (_host, _vms, look) => {
      for (const ms of [9, 10, 12, 20]) {
        at(ms / 1000);
        look?.();
        steps.push(`${ms} ms`);
      }
    }),
    testCollector('host', () => steps.push('host')),
  ];
  const { paths } = new Tree(t);
  const attend = (): unknown => steps.push('attend');
  const cycles = new Sampler(paths, new TestInventory(), collectors, logs().log, new SinceStart(), attend);
  cycles.sample(0, noOutputs);
  assert.deepEqual(steps, ['attend', '9 ms', 'attend', '10 ms', '12 ms', 'attend', '20 ms', 'host']);
});

test('an inventory that fails costs the rows of the VMs, and our own figures theirs', (t) => {
  const inventory = new TestInventory([testVm({ name: 'a' })]);
  let broken = true;
  t.mock.method(inventory, 'guests', () => {
    if (broken) throw new Error('EIO: i/o error, scandir');
    return inventory.vms;
  });
  // Stands for an output whose status cannot be read.
  const output: ObservedOutput = {
    name: 'a',
    get status(): ObservedOutput['status'] {
      throw new Error('no status');
    },
  };
  const { sampler: cycles, at } = sampler(t, inventory, []);
  for (let n = 0; n < 2; n++) {
    const { host, guests } = cycles.sample(0, [output]);
    assert.deepEqual([known(host.row), guests], [{ host_name: 'pve1' }, []]);
  }
  assert.deepEqual(at('error'), ['the inventory of VMs failed', 'what proxtop tells of itself failed']);
  broken = false;
  const { guests, agent } = cycles.sample(0, noOutputs);
  assert.equal(guests.length, 1);
  assert.deepEqual(pick(agent.row, 'collector_errors'), [4]);
  assert.deepEqual(at('info'), [
    'the inventory of VMs works again',
    'what proxtop tells of itself works again',
  ]);
});

test('another sampler goes on counting where the one before ended, and no descriptor is left', (t) => {
  const tree = new Tree(t);
  tree.write('proc/sys/kernel/hostname', 'pve1\n');
  const since = new SinceStart();
  const failing = testCollector('cpu', () => {
    throw new Error('no such thing');
  });
  for (const nth of [1, 2, 3]) {
    const inventory = new TestInventory();
    inventory.failures = 5;
    const cycles = new Sampler(tree.paths, inventory, [failing], logs().log, since);
    assert.deepEqual(pick(cycles.sample(0, noOutputs).agent.row, 'collector_errors', 'qmp_failures'), [
      nth,
      5 * nth,
    ]);
    cycles.close();
  }
  assert.deepEqual(openUnder(tree.root), []);
});

test('what a sample says of itself', (t) => {
  const at = stoppedClock(t);
  const inventory = new TestInventory([testVm({ name: 'a' })]);
  const collectors = [testCollector('mem', () => undefined), testCollector('io', () => undefined)];
  const { sampler: cycles } = sampler(t, inventory, collectors);
  at(10);
  cycles.prime();
  at(10.5);
  const before = Date.now();
  const { time, run, seq, interval, guests, collectors: names } = cycles.sample(0, noOutputs);
  assert.ok(time >= before && time <= Date.now());
  assert.match(run, /^[\da-f]{12}$/);
  assert.deepEqual([seq, interval, names], [1, 0.5, ['mem', 'io']]);
  assert.deepEqual(
    guests.map(({ guest }) => guest.name),
    ['a'],
  );
  inventory.vms = [];
  at(11.5);
  const second = cycles.sample(0, noOutputs);
  assert.deepEqual([second.run, second.seq, second.interval, second.guests], [run, 2, 1, []]);
  cycles.close();
  assert.ok(inventory.closed);
});

test('without a reading before there is no interval', (t) => {
  const { sampler: cycles } = sampler(t, new TestInventory(), []);
  assert.ok(Number.isNaN(cycles.sample(0, noOutputs).interval));
});

test('what the agent says of the program', (t) => {
  const inventory = new TestInventory();
  inventory.failures = 3;
  const { sampler: cycles } = sampler(t, inventory, []);
  const idle = idleStatus();
  const droppedBy = { ...idle.droppedBy, queue_full: 4 };
  const queued = { queued: 1, queuedBytes: 200, sent: 30, dropped: 4, droppedBy, reconnects: 5 };
  const spooled = {
    spooled: 6,
    spooledBytes: 5000,
    unconfirmed: 9,
    resent: 2,
    oldest: Date.now() - 60_000,
    lastError: 'gone',
  };
  const outputs: ObservedOutput[] = [
    { name: 'first', status: { ...idle, ...queued, state: 'down' } },
    { name: 'second', status: { ...idle, ...spooled } },
  ];
  const { cycle_ms, cpu_ms, ram_rss, ...first } = known(cycles.sample(6, outputs).agent.row);
  assert.deepEqual([cycle_ms, cpu_ms], [undefined, undefined], 'there is no sample before');
  assert.ok(Number(ram_rss) > 2 ** 20);
  assert.deepEqual(first, {
    missed_ticks: 6,
    collector_errors: 0,
    qmp_failures: 3,
    queued: 7,
    queued_bytes: 200,
    sent: 30,
    dropped: 4,
    reconnects: 5,
  });
  const [one = {}, two = {}] = cycles.sample(6, outputs).agent.outputs.map(known);
  assert.deepEqual(
    [one['name'], one['state'], one['queued'], one['dropped_queue_full']],
    ['first', 'down', 1, 4],
  );
  assert.ok(!('oldest_age' in one) && !('last_error' in one));
  assert.deepEqual(
    [two['state'], two['spooled'], two['spooled_bytes'], two['unconfirmed'], two['resent']],
    ['up', 6, 5000, 9, 2],
  );
  assert.ok(Number(two['oldest_age']) >= 60 && Number(two['oldest_age']) < 70);
  assert.equal(two['last_error'], 'gone');
  assert.deepEqual(
    cycles
      .sample(6, outputs.slice(1))
      .agent.outputs.map(known)
      .map(({ name }) => name),
    ['second'],
  );
  cycles.agent.cycleTook(12.5);
  const start = process.cpuUsage();
  while (process.cpuUsage(start).user < 20_000);
  const second = known(cycles.sample(6, outputs).agent.row);
  assert.equal(second['cycle_ms'], 12.5);
  assert.ok(Number(second['cpu_ms']) >= 20);
});
