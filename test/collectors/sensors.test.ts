import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { SensorCollector } from '../../src/collectors/sensors.ts';
import { TestHost, Tree, known, stoppedClock } from './support.ts';

// Chips are made up after Documentation/hwmon/sysfs-interface.rst: no machine of ours has one. One that hangs is a FIFO.

/** A collector on a tree, and its result in one cycle. */
function setUp(t: TestContext, devices = true) {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const collector = new SensorCollector(tree.paths, { verbose: true, devices });
  t.after(() => {
    collector.close();
  });
  const host = new TestHost();
  const cycle = () => {
    collector.collect(host.begin());
    return { host: known(host.row), sensors: host.devices.sensors.rows.map(known) };
  };
  return { tree, at, collector, cycle };
}

test('values stand between reads every 10 s; chips that come are found, those that go are forgotten', async (t) => {
  const { tree, at, collector, cycle } = setUp(t);
  at(100);
  assert.deepEqual(cycle(), { host: {}, sensors: [] });
  await collector.reading;
  tree.write('sys/class/hwmon/hwmon0/name', 'k10temp\n');
  tree.write('sys/class/hwmon/hwmon0/temp1_input', '45000\n');
  at(161);
  cycle();
  await collector.reading;
  const row = { device: 'k10temp/temp1', sensor_temp: 45 };
  assert.deepEqual(cycle(), { host: { sensor_temp: 45 }, sensors: [row] });

  tree.write('sys/class/hwmon/hwmon0/temp1_input', '46000\n');
  at(170.9);
  cycle();
  await collector.reading;
  assert.deepEqual(cycle().sensors, [row], 'read again too early');
  at(171);
  assert.deepEqual(cycle().sensors, [row], 'a cycle waited for a read');
  await collector.reading;
  assert.deepEqual(cycle().sensors, [{ ...row, sensor_temp: 46 }]);

  tree.remove('sys/class/hwmon/hwmon0');
  at(240);
  cycle();
  await collector.reading;
  assert.deepEqual(cycle(), { host: {}, sensors: [] });
});

test('the host has the sensor that is nearest to its limit, the hottest where none has one', async (t) => {
  const { tree, at, collector, cycle } = setUp(t, false);
  const add = (chip: number, files: Record<string, number>): void => {
    tree.write(`sys/class/hwmon/hwmon${chip}/name`, `c${chip}\n`);
    for (const [file, value] of Object.entries(files))
      tree.write(`sys/class/hwmon/hwmon${chip}/${file}`, `${value}\n`);
  };
  const next = async (seconds: number): Promise<unknown> => {
    at(seconds);
    cycle();
    await collector.reading;
    return cycle();
  };
  add(0, { temp1_input: 90_000, temp2_input: 95_000, fan1_input: 99_000 });
  assert.deepEqual(await next(100), { host: { sensor_temp: 95 }, sensors: [] });
  add(1, {
    temp1_input: 60_000,
    temp1_max: 70_000,
    temp2_input: 65_000,
    temp2_max: 80_000,
    temp2_crit: 100_000,
  });
  assert.deepEqual(await next(200), { host: { sensor_temp: 60, sensor_temp_limit: 70 }, sensors: [] });
});

test('a chip that hangs delays neither the cycle nor, for long, the others; its values get too old', async (t) => {
  const { tree, at, collector, cycle } = setUp(t);
  tree.write('sys/class/hwmon/hwmon0/name', 'stuck\n');
  const fifo = join(tree.root, 'sys/class/hwmon/hwmon0/temp1_input');
  execFileSync('mkfifo', [fifo]);
  tree.write('sys/class/hwmon/hwmon1/name', 'well\n');
  tree.write('sys/class/hwmon/hwmon1/fan1_input', '800\n');
  at(100);
  cycle();
  await collector.reading;
  assert.deepEqual(cycle().sensors, [{ device: 'well/fan1', sensor_fan: 800 }]);
  at(131);
  assert.deepEqual(cycle().sensors, [], 'told although nobody knows whether it still holds');
  await collector.reading;
  assert.deepEqual(cycle().sensors, [{ device: 'well/fan1', sensor_fan: 800 }]);
  // Lets the thread of the pool that hangs in open() go.
  closeSync(openSync(fifo, constants.O_RDWR));
});
