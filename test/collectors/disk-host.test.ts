import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { HostDisks } from '../../src/collectors/disk-host.ts';
import { TestHost, Tree, byDevice, known, pick, stoppedClock } from './support.ts';

type Numbers = readonly number[];

/** Columns of diskstats: reads, merged, sectors, ms; the same of writes; in flight, ms busy, ms weighted. */
const idle: Numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/** A host with two disks, a partition, two device-mapper devices and a loop device. */
class Machine {
  readonly host = new TestHost();
  readonly disks: HostDisks;
  private readonly tree: Tree;
  private readonly at: (seconds: number) => void;

  constructor(t: TestContext, storedev?: readonly string[], devices = true) {
    this.tree = new Tree(t);
    this.at = stoppedClock(t);
    for (const disk of ['sda', 'sdb', 'nvme0n1']) this.tree.write(`sys/class/block/${disk}/device`, '');
    this.tree.write('sys/class/block/sda1/partition', '1\n');
    this.tree.write('sys/class/block/dm-0/dm/uuid', 'LVM-0123456789abcdef\n');
    this.tree.write('sys/class/block/dm-0/dm/name', 'pve-vm--100--disk--0\n');
    this.tree.write('sys/class/block/dm-1/dm/uuid', 'mpath-3600000001\n');
    this.tree.write('sys/class/block/dm-1/dm/name', 'mpatha\n');
    this.disks = new HostDisks(this.tree.paths, { verbose: true, devices }, storedev);
    t.after(() => {
      this.disks.close();
    });
  }

  /** A cycle in which the kernel says this of the devices. */
  cycle(time: number, lines: Readonly<Record<string, Numbers>>): TestHost {
    this.at(time);
    const text = Object.entries(lines).map(
      ([name, columns], i) => `   8  ${i} ${name} ${columns.join(' ')}\n`,
    );
    this.tree.write('proc/diskstats', text.join(''));
    this.disks.collect(this.host.begin());
    return this.host;
  }
}

const busy: Numbers = [100, 10, 8192, 300, 60, 6, 4096, 180, 3, 500, 1500];

test('one device, by hand', (t) => {
  const machine = new Machine(t);
  assert.deepEqual(known(machine.cycle(10, { sda: idle }).row), { disk_count: 1, disk_queue_depth: 0 });
  const expected = {
    disk_reads: 50,
    disk_writes: 30,
    disk_read_mib: 2,
    disk_write_mib: 1,
    disk_util: 25,
    disk_queue_depth: 3,
    disk_queue_length: 0.75,
    disk_service_time: 3.125,
    disk_await: 3,
    disk_reads_merged: 5,
    disk_sectors_read: 4096,
    disk_time_reading: 150,
    disk_writes_merged: 3,
    disk_sectors_written: 2048,
    disk_time_writing: 90,
    disk_time_io: 250,
    disk_time_weighted: 750,
  };
  const { row, diskRows } = machine.cycle(12, { sda: busy });
  assert.deepEqual(known(row), { ...expected, disk_count: 1 });
  assert.deepEqual(byDevice(diskRows.rows), { sda: { ...expected, disk_type: 'physical' } });
  const still = machine.cycle(13, { sda: busy }).row;
  assert.deepEqual(
    pick(still, 'disk_reads', 'disk_util', 'disk_service_time', 'disk_await'),
    [0, 0, undefined, undefined],
    'no latency without operations',
  );
});

test('the host is the sum of its physical disks, as busy as the busiest', (t) => {
  const machine = new Machine(t);
  const all = { sda: idle, sda1: idle, nvme0n1: idle, 'dm-0': idle, 'dm-1': idle, loop0: idle };
  machine.cycle(10, all);
  assert.deepEqual(machine.disks.load, { busy: 0, bytes: 0 });
  const quiet: Numbers = [20, 0, 2048, 20, 20, 0, 0, 20, 1, 100, 100];
  const { row, diskRows } = machine.cycle(12, {
    sda: busy,
    sda1: busy,
    nvme0n1: quiet,
    'dm-0': busy,
    'dm-1': busy,
    loop0: busy,
  });
  assert.deepEqual(
    pick(row, 'disk_count', 'disk_reads', 'disk_read_mib', 'disk_util', 'disk_queue_depth', 'disk_await'),
    [2, 60, 2.5, 25, 4, 2.6],
  );
  const types = Object.entries(byDevice(diskRows.rows)).map(([device, values]) => [
    device,
    values['disk_type'],
    values['disk_dmname'],
  ]);
  assert.deepEqual(types, [
    ['sda', 'physical', undefined],
    ['sda1', 'partition', undefined],
    ['nvme0n1', 'physical', undefined],
    ['dm-0', 'lvm', 'pve-vm--100--disk--0'],
    ['dm-1', 'mpath', 'mpatha'],
  ]);
  assert.deepEqual(machine.disks.load, { busy: 0.5, bytes: (8192 + 4096 + 2048) * 512 });
});

test('the sum runs over the named devices instead, whatever they are; rows are not needed for it', (t) => {
  const machine = new Machine(t, ['dm-0', 'loop0', 'nosuch'], false);
  machine.cycle(10, { sda: idle, 'dm-0': idle, loop0: idle });
  const { row, diskRows } = machine.cycle(12, { sda: busy, 'dm-0': idle, loop0: busy });
  assert.deepEqual(pick(row, 'disk_count', 'disk_reads'), [2, 50]);
  assert.deepEqual(diskRows.rows, []);
});

test('a disk that is plugged in, one that goes, and counters that start anew', (t) => {
  const machine = new Machine(t);
  const ids = ['disk_count', 'disk_reads'];
  machine.cycle(10, { sda: idle });
  assert.deepEqual(pick(machine.cycle(11, { sda: idle, sdb: busy }).row, ...ids), [2, 0]);
  const more: Numbers = [110, ...busy.slice(1)];
  assert.deepEqual(pick(machine.cycle(12, { sda: idle, sdb: more }).row, ...ids), [2, 10]);
  assert.deepEqual(pick(machine.cycle(13, { sdb: more }).row, ...ids), [1, 0]);
  const { row, diskRows } = machine.cycle(14, { sdb: [5, ...more.slice(1)] });
  assert.deepEqual(pick(row, ...ids, 'disk_writes'), [1, undefined, 0]);
  assert.equal(byDevice(diskRows.rows)['sdb']?.['disk_reads'], undefined);
  machine.cycle(15, {});
  assert.deepEqual(
    pick(machine.cycle(16, { sda: busy }).row, ...ids),
    [1, undefined],
    'back after an absence',
  );
});

test('a host without physical disks has no load', (t) => {
  const machine = new Machine(t);
  machine.cycle(10, { loop0: idle });
  const { row } = machine.cycle(12, { loop0: busy });
  assert.deepEqual(known(row), { disk_count: 0 });
  assert.deepEqual(machine.disks.load, { busy: NaN, bytes: NaN });
});
