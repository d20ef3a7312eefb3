import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { HostDisks } from '../../src/collectors/disk/disk-host.ts';
import { TestHost, Tree, byDevice, known, pick, stoppedClock } from './support.ts';

type Numbers = readonly number[];

/** Columns of diskstats: reads, merged, sectors, ms; the same of writes; in flight, ms busy, ms weighted. */
const idle: Numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/** A host with two disks, a partition, two device-mapper devices and a loop device. */
class Machine {
  readonly host = new TestHost();
  readonly disks: HostDisks;
  readonly tree: Tree;
  private readonly at: (seconds: number) => void;

  constructor(t: TestContext, storedev?: readonly string[], devices = true, rows?: readonly string[]) {
    this.tree = new Tree(t);
    this.at = stoppedClock(t);
    for (const disk of ['sda', 'sdb', 'nvme0n1']) this.tree.write(`sys/class/block/${disk}/device`, '');
    this.tree.write('sys/class/block/sda1/partition', '1\n');
    this.tree.write('sys/class/block/dm-0/dm/uuid', 'LVM-0123456789abcdef\n');
    this.tree.write('sys/class/block/dm-0/dm/name', 'pve-vm--100--disk--0\n');
    this.tree.write('sys/class/block/dm-1/dm/uuid', 'mpath-3600000001\n');
    this.tree.write('sys/class/block/dm-1/dm/name', 'mpatha\n');
    this.disks = new HostDisks(this.tree.paths, { verbose: true, devices }, storedev, rows);
    t.after(() => {
      this.disks.close();
    });
  }

  /** Gives dm-0 to another logical volume. */
  reuse(uuid: string, name: string): void {
    this.tree.write('sys/class/block/dm-0/dm/uuid', `LVM-${uuid}\n`);
    this.tree.write('sys/class/block/dm-0/dm/name', `${name}\n`);
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
    disk_commands: 80,
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
  const {
    row,
    tree: { disks },
  } = machine.cycle(12, { sda: busy });
  assert.deepEqual(known(row), { ...expected, disk_count: 1 });
  assert.deepEqual(byDevice(disks), { sda: { ...expected, disk_type: 'physical' } });
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
  const {
    row,
    tree: { disks },
  } = machine.cycle(12, {
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
  const types = Object.entries(byDevice(disks)).map(([device, values]) => [
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
  const {
    row,
    tree: { disks },
  } = machine.cycle(12, { sda: busy, 'dm-0': idle, loop0: busy });
  assert.deepEqual(pick(row, 'disk_count', 'disk_reads'), [2, 50]);
  assert.deepEqual(disks, []);
});

test('a disk that is plugged in, one that goes, and counters that start anew', (t) => {
  const machine = new Machine(t);
  const ids = ['disk_count', 'disk_reads'];
  machine.cycle(10, { sda: idle });
  assert.deepEqual(pick(machine.cycle(11, { sda: idle, sdb: busy }).row, ...ids), [2, 0]);
  const more: Numbers = [110, ...busy.slice(1)];
  assert.deepEqual(pick(machine.cycle(12, { sda: idle, sdb: more }).row, ...ids), [2, 10]);
  assert.deepEqual(pick(machine.cycle(13, { sdb: more }).row, ...ids), [1, 0]);
  const {
    row,
    tree: { disks },
  } = machine.cycle(14, { sdb: [5, ...more.slice(1)] });
  assert.deepEqual(pick(row, ...ids, 'disk_writes'), [1, undefined, 0]);
  assert.equal(byDevice(disks)['sdb']?.['disk_reads'], undefined);
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

const reads = (count: number, sectors = 8 * count): Numbers => [count, 0, sectors, 0, 0, 0, 0, 0, 0, 0, 0];

test('a logical volume that gets the number of another one within an interval has its own name and no rate of the other', (t) => {
  const machine = new Machine(t);
  const shown = (time: number, counters: Numbers): unknown[] => {
    const row = byDevice(machine.cycle(time, { 'dm-0': counters }).tree.disks)['dm-0'];
    return [row?.['disk_dmname'], row?.['disk_reads'], row?.['disk_sectors_read']];
  };
  const [one, two] = ['pve-vm--100--disk--0', 'pve-vm--200--disk--0'];
  shown(10, reads(500));
  assert.deepEqual(shown(11, reads(600)), [one, 100, 800]);
  machine.reuse('bbbb', two);
  // Of its counters one is already larger than that of the volume before.
  assert.deepEqual(shown(12, reads(10, 90_000)), [two, undefined, undefined]);
  assert.deepEqual(shown(13, reads(1010, 98_000)), [two, 1000, 8000]);
  assert.deepEqual(
    shown(14, reads(0)),
    [two, undefined, undefined],
    'the same one, that was switched off and on',
  );
});

test('it is looked again every minute what a device is called, at every reading where these are further apart', (t) => {
  const machine = new Machine(t);
  t.mock.method(Math, 'random', () => 1);
  const shown = (time: number, counters: Numbers): unknown[] => {
    const row = byDevice(machine.cycle(time, { 'dm-0': counters }).tree.disks)['dm-0'];
    return [row?.['disk_dmname'], row?.['disk_reads']];
  };
  const [one, two, three] = ['pve-vm--100--disk--0', 'pve-renamed', 'pve-vm--300--disk--0'];
  shown(10, reads(0));
  machine.reuse('0123456789abcdef', two);
  assert.deepEqual(shown(69, reads(590)), [one, 10]);
  assert.deepEqual(shown(70, reads(600)), [two, 10], 'renamed: the rate goes on');
  machine.reuse('cccc', three);
  assert.deepEqual(shown(140, reads(7000)), [three, undefined], 'another one, though it did more');
});

test('a disk in place of another one counts as plugged in', (t) => {
  const machine = new Machine(t, undefined, false);
  for (const disk of ['sda', 'sdb']) machine.tree.write(`sys/class/block/${disk}/diskseq`, `${disk}1\n`);
  machine.cycle(10, { sda: reads(100), sdb: reads(1000) });
  machine.tree.write('sys/class/block/sdb/diskseq', '9\n');
  const { row } = machine.cycle(11, { sda: reads(150), sdb: reads(5, 9000) });
  assert.deepEqual(pick(row, 'disk_count', 'disk_reads', 'disk_sectors_read'), [2, 50, 400]);
});

const manyDevices = {
  sda: busy,
  sda1: busy,
  'dm-0': busy,
  'dm-1': busy,
  loop0: busy,
  zd16: busy,
  zd16p1: busy,
};

test('rows of the devices that somebody chose, by any of their names; the sum goes its own way', (t) => {
  const rowsOf = (...chosen: string[]): unknown => {
    const machine = new Machine(t, undefined, true, chosen.length === 0 ? undefined : chosen);
    machine.tree.write('sys/class/block/zd16p1/partition', '1\n');
    machine.cycle(10, manyDevices);
    const {
      row,
      tree: { disks },
    } = machine.cycle(11, manyDevices);
    assert.deepEqual(pick(row, 'disk_count', 'disk_reads'), [1, 0]);
    return Object.keys(byDevice(disks)).join(' ');
  };
  assert.equal(rowsOf(), 'sda sda1 dm-0 dm-1 zd16');
  assert.equal(rowsOf('sd?', 'loop*', 'zd16p1'), 'sda loop0 zd16p1');
  assert.equal(rowsOf('!zd*', '!pve-vm--*'), 'sda sda1 dm-1');
  assert.equal(rowsOf('*', '!sd*', '!loop0'), 'dm-0 dm-1 zd16 zd16p1');
  assert.equal(rowsOf('mpatha'), 'dm-1');
});

test('the sum runs over names with wildcards as well', (t) => {
  const machine = new Machine(t, ['sd?', '!sdb'], false);
  const { row } = machine.cycle(10, { sda: idle, sdb: idle, sdc: idle, sda1: idle });
  assert.deepEqual(pick(row, 'disk_count'), [2]);
});
