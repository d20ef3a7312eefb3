import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LabDevices } from '../lab/block-devices.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import { image } from './disk-rows.ts';
import type { Cycle, Row } from './program.ts';
import { Stream, device, domain, num } from './program.ts';

const MIB = 2 ** 20;
const SIZE = 16 * MIB;
const missing = missingForLab();
if (!existsSync('/dev/loop-control') || !existsSync('/dev/fuse')) missing.push('loop devices and FUSE');
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
/** Operations a second of the guests: at each of the BIOS's 18.2 ticks so many reads and as many writes. */
const LOAD = 8;

describe('the device below a disk', { skip, timeout: 240_000 }, () => {
  let lab: Lab;
  let stream: Stream;
  const devices = new LabDevices();

  before(() => {
    lab = Lab.create();
    stream = Stream.start([
      ...lab.flags(),
      ...['--disk', '--devices', '--verbose', '--frequency=0.5', '--detail-interval=0.5'],
    ]);
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    await lab.close();
    await devices.close();
    assert.equal(code, 0, stderr);
  });

  /** A guest that reads and writes a disk on `file`. @param options of the drive, such as `format=raw,cache=none` */
  function run(file: string, options: string): Promise<LabVm> {
    const drive = `file=${file},if=none,id=drive-virtio9,${options}`;
    const args = ['-drive', drive, '-device', 'virtio-blk-pci,drive=drive-virtio9,id=virtio9'];
    return lab.run({ guest: 'disk', load: LOAD, args });
  }

  const disk = (cycle: Cycle, vm: LabVm): Row | undefined => device(domain(cycle, vm)?.disks, 'virtio9');
  const shown = async (vm: LabVm, what: string, wanted: (row: Row) => boolean): Promise<Row> => {
    const cycle = await stream.next(what, (each) => {
      const row = disk(each, vm);
      return row !== undefined && wanted(row);
    });
    return disk(cycle, vm) as Row;
  };
  /** NaN while it is not known. */
  const known = (row: Row, id: string): number => Number(row[id]);
  const both = (row: Row): boolean => row['disk_davg_rd'] !== undefined && row['disk_davg_wr'] !== undefined;

  /** What iostat would print: ms of a read and of a write, reads a second, from the counters that awk takes before and after. */
  function await_(name: string): () => [read: number, write: number, reads: number] {
    const look = (): number[] =>
      execFileSync('awk', [`$3 == "${name}" { print $4, $7, $8, $11 }`, '/proc/diskstats'], {
        encoding: 'utf8',
      })
        .split(' ')
        .map(Number);
    const from = look();
    const since = performance.now();
    return () => {
      const [reads = NaN, readMs = NaN, writes = NaN, writeMs = NaN] = look().map(
        (value, index) => value - (from[index] ?? NaN),
      );
      return [readMs / reads, writeMs / writes, (reads / (performance.now() - since)) * 1000];
    };
  }

  test('a slow device of its own: as slow as awk says', async () => {
    const path = await devices.slowLoop(join(lab.root, 'slow.img'), SIZE, 16);
    const vm = await run(path, 'format=raw,cache=none');
    const name = path.slice('/dev/'.length);
    await shown(vm, 'the device is measured', both);
    const until = await_(name);
    const first = await stream.next();
    const last = await stream.next('some seconds', (cycle) => cycle.seq >= first.seq + 16);
    const [read, write] = until();
    const rows = stream.between(first, last).map((cycle) => disk(cycle, vm) as Row);
    const mean = (id: string): number => meanOf(rows, id);
    assert.deepEqual([rows[0]?.['disk_device'], rows[0]?.['disk_device_use']], [name, 'private']);
    // Reads may come from the page cache of the file below the loop device; writes all go through.
    assert.ok(mean('disk_davg_wr') > 8, `the device is slow: ${mean('disk_davg_wr')} ms`);
    near(mean('disk_davg_rd'), read, 'reads, as awk has them');
    near(mean('disk_davg_wr'), write, 'writes, as awk has them');
    assert.ok(mean('disk_lat_wr') > mean('disk_davg_wr'), JSON.stringify(rows.at(-1)));
    await lab.stop(vm);
  });

  test('a limit of the disk: the device is fast, what the guest waits is above it', async () => {
    const path = devices.loop(image(join(lab.root, 'fast.img'), SIZE));
    const vm = await run(path, 'format=raw,cache=none,throttling.iops-total=100');
    // The first rows still have the guest's start in them.
    const row = await shown(
      vm,
      'the limit is used up, the device is fast, and what is waited lies above it',
      (each) =>
        known(each, 'disk_limit_used') > 80 &&
        known(each, 'disk_davg_rd') < known(each, 'disk_lat_rd') / 4 &&
        known(each, 'disk_kavg_rd') > known(each, 'disk_lat_rd') / 2,
    );
    assert.deepEqual([row['disk_device_use'], row['disk_iops_limit']], ['private', 100]);
    await lab.stop(vm);
  });

  test('a device that somebody else keeps busy is measured with that load, and does not compare with the disk', async () => {
    const path = await devices.slowLoop(join(lab.root, 'busy.img'), SIZE, 200);
    const vm = await run(path, 'format=raw,cache=none');
    const name = path.slice('/dev/'.length);
    // As many direct reads as the device has left.
    const loop = `while :; do dd if=${path} of=/dev/null bs=4096 iflag=direct status=none; done`;
    const other = spawn('sh', ['-c', loop], { stdio: 'inherit', detached: true });
    try {
      const busy = (row: Row): boolean => known(row, 'disk_device_reads') > 2 * known(row, 'disk_reads');
      await shown(vm, 'the device does more than the disk', (row) => busy(row) && both(row));
      const until = await_(name);
      const first = await stream.next();
      const last = await stream.next('some seconds', (cycle) => cycle.seq >= first.seq + 16);
      const [read, write, reads] = until();
      const rows = stream.between(first, last).map((cycle) => disk(cycle, vm) as Row);
      near(meanOf(rows, 'disk_davg_rd'), read, 'reads, as awk has them');
      near(meanOf(rows, 'disk_davg_wr'), write, 'writes, as awk has them');
      near(meanOf(rows, 'disk_device_reads'), reads, 'reads a second, as awk has them');
      for (const row of rows.filter(busy)) assert.equal(row['disk_kavg_rd'], undefined, JSON.stringify(row));
    } finally {
      process.kill(-Number(other.pid), 'SIGKILL');
    }
    await lab.stop(vm);
  });

  test('a file lies on the device of its file system; with the page cache the two do not compare', async (t) => {
    const qcow2 = join(lab.root, 'a.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', qcow2, String(SIZE)]);
    const name = execFileSync('findmnt', ['-no', 'SOURCE', '-T', qcow2], { encoding: 'utf8' }).trim();
    if (!name.startsWith('/dev/')) {
      t.skip('needs a temporary directory on a block device');
      return;
    }
    const direct = await run(qcow2, 'format=qcow2,cache=none');
    const cached = await run(image(join(lab.root, 'b.raw'), SIZE), 'format=raw,cache=writeback');
    for (const vm of [direct, cached]) {
      const row = await shown(vm, 'its device', (each) => each['disk_device'] !== undefined);
      assert.deepEqual([row['disk_device'], row['disk_device_use']], [name.slice('/dev/'.length), 'shared']);
    }
    const first = await stream.next();
    const last = await stream.next('some cycles', (cycle) => cycle.seq >= first.seq + 8);
    for (const cycle of stream.between(first, last)) {
      assert.equal(disk(cycle, cached)?.['disk_kavg_rd'], undefined);
      assert.equal(disk(cycle, cached)?.['disk_kavg_wr'], undefined);
      assert.equal(disk(cycle, direct)?.['disk_kavg_wr'], undefined, 'others write there too');
    }
  });
});

/** The mean of a value over the rows that have it. */
function meanOf(rows: readonly Row[], id: string): number {
  const known = rows.filter((row) => row[id] !== undefined).map((row) => num(row, id));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Means over nearly the same time: the readings are not taken at the same instant. */
function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= 0.25 * expected + 1, `${what}: ${actual} instead of ${expected}`);
}
