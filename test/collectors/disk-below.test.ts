import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskBelow, deriveBelow, reads, writes } from '../../src/collectors/disk/disk-below.ts';
import type { BelowReading, DiskReading } from '../../src/guests/guest.ts';
import { Counters } from '../../src/kernel/base/counters.ts';
import { diskStatsCounters } from '../../src/kernel/proc/proc-diskstats.ts';
import { zfsObjsetCounters } from '../../src/kernel/sys/zfs/zfs-objset.ts';
import { Row } from '../../src/catalogue/row.ts';
import { detailOf, pick, setCounters } from './support.ts';

const MS = 1e6;

/** What guest and device counted: operations, and ms of all of them. */
interface Counts {
  readonly asked?: readonly [operations: number, ms: number];
  readonly done?: readonly [operations: number, ms: number];
}

/** A disk with the same counts of reads and writes. */
function disk({ asked = [0, 0], done = [0, 0] }: Counts, below: Partial<BelowReading> = {}): DiskReading {
  const counters = new Counters(Object.keys(diskStatsCounters).length);
  const [operations, ms] = done;
  setCounters(counters, diskStatsCounters, {
    reads: operations,
    readMs: ms,
    writes: operations,
    writeMs: ms,
  });
  const [ops, time] = [asked[0], asked[1] * MS];
  const detail = detailOf(0, {
    scsi0: {
      rdOps: ops,
      wrOps: ops,
      rdTime: time,
      wrTime: time,
      below: { device: 'dm-5', isPrivate: true, isDirect: true, counters, ...below },
    },
  });
  return detail.disks[0] as DiskReading;
}

function derived(counts: Counts, below?: Partial<BelowReading>): (string | undefined)[] {
  return [reads, writes].map((direction) => {
    const values = deriveBelow(disk({}, below), disk(counts, below), direction);
    return values && `${values.device} ${values.above}`;
  });
}

test('the device takes its part of the latency, the rest is above it', () => {
  // The example measured with a limit of 8 operations a second: 88 ms, of which the device takes 0.5.
  assert.deepEqual(derived({ asked: [40, 3520], done: [40, 20] }), ['0.5 87.5', '0.5 87.5']);
});

test('of few operations, or little time in whole ms, the mean is not known', () => {
  assert.deepEqual(derived({ asked: [19, 190], done: [19, 190] }), [undefined, undefined]);
  assert.deepEqual(derived({ asked: [20, 200], done: [20, 200] }), ['10 0', '10 0']);
  assert.deepEqual(derived({ asked: [500, 40], done: [500, 9] }), [undefined, undefined]);
  assert.deepEqual(derived({ asked: [500, 40], done: [500, 10] }), ['0.02 0.06', '0.02 0.06']);
});

test('with the page cache in between the device tells only about itself', () => {
  assert.deepEqual(derived({ asked: [1000, 20], done: [100, 800] }, { isDirect: false }), ['8 NaN', '8 NaN']);
});

test('on a shared device only reads compare, and only while it gets those of the disk', () => {
  const shared = { isPrivate: false };
  assert.deepEqual(derived({ asked: [100, 300], done: [120, 240] }, shared), ['2 1', '2 NaN']);
  assert.deepEqual(derived({ asked: [100, 300], done: [121, 242] }, shared), ['2 NaN', '2 NaN']);
  assert.deepEqual(derived({ asked: [100, 300], done: [79, 158] }, shared), ['2 NaN', '2 NaN']);
});

test('a device that split or merged the requests of its disk is not compared', () => {
  assert.deepEqual(derived({ asked: [100, 300], done: [200, 400] }), ['2 NaN', '2 NaN']);
  assert.deepEqual(derived({ asked: [100, 300], done: [50, 100] }), ['2 NaN', '2 NaN']);
});

test('a device that takes a little longer than the guest waits is rounding, more than that is not known', () => {
  assert.deepEqual(derived({ asked: [100, 1000], done: [100, 1090] }), ['10.9 0', '10.9 0']);
  assert.deepEqual(derived({ asked: [100, 1000], done: [100, 1110] }), ['11.1 NaN', '11.1 NaN']);
});

test('another device, none, and counters that began anew tell nothing', () => {
  const [from, to] = [disk({}), disk({ asked: [100, 300], done: [100, 200] })];
  const moved = disk({ asked: [100, 300], done: [100, 200] }, { device: 'dm-6' });
  const { below: _, ...without } = to;
  for (const [one, other] of [
    [from, moved],
    [from, without],
    [without, to],
    [to, from],
  ] as const) {
    assert.equal(deriveBelow(one, other, reads), undefined);
  }
});

test('one that is asked too rarely keeps its values for the length of a window at most', () => {
  const below = new DiskBelow();
  const at = (time: number, operations: number, done = operations, device = 'dm-5'): unknown[] => {
    const now = disk({ asked: [operations, 2 * operations], done: [done, done] }, { device });
    below.take(now, time);
    const row = new Row('vm_disk');
    below.set(row, now);
    return pick(row, 'disk_device', 'disk_davg_rd', 'disk_kavg_rd', 'disk_davg_wr', 'disk_kavg_wr');
  };
  assert.deepEqual(at(0, 100), ['dm-5', undefined, undefined, undefined, undefined]);
  assert.deepEqual(at(1, 115), ['dm-5', undefined, undefined, undefined, undefined]);
  assert.deepEqual(at(2, 130), ['dm-5', 1, 1, 1, 1], 'together there are enough');
  assert.deepEqual(at(3, 131), ['dm-5', 1, 1, 1, 1]);
  assert.deepEqual(at(6, 132), ['dm-5', undefined, undefined, undefined, undefined]);
  assert.deepEqual(at(7, 172), ['dm-5', 1, 1, 1, 1]);
  assert.deepEqual(at(8, 212, 212, 'dm-6'), ['dm-6', undefined, undefined, undefined, undefined]);
  assert.deepEqual(at(9, 252, 252, 'dm-6'), ['dm-6', 1, 1, 1, 1]);
});

/** The values of the device below a disk after two readings, 2 s apart. */
function ratesOf(one: Partial<BelowReading>, other: Partial<BelowReading>): unknown[] {
  const below = new DiskBelow();
  below.take(disk({}, one), 0);
  const now = disk({}, other);
  below.take(now, 2);
  const row = new Row('vm_disk');
  below.set(row, now);
  return pick(
    row,
    'disk_device_reads',
    'disk_device_writes',
    'disk_device_read_mib',
    'disk_device_write_mib',
    'disk_davg_rd',
  );
}

const MIB = 2 ** 20;

test('what the device did, by the count of ZFS where there is one', () => {
  const block = (count: number): Counters => {
    const counters = new Counters(Object.keys(diskStatsCounters).length);
    const sectors = (count * MIB) / 512;
    setCounters(counters, diskStatsCounters, {
      ...{ reads: 40 * count, readMs: 80 * count, sectorsRead: 2 * sectors },
      ...{ writes: 20 * count, writeMs: 0, sectorsWritten: 4 * sectors },
    });
    return counters;
  };
  const zfs = (count: number): Counters => {
    const counters = new Counters(Object.keys(zfsObjsetCounters).length);
    const counts = { reads: 6 * count, writes: 8 * count, readBytes: 10 * count * MIB };
    setCounters(counters, zfsObjsetCounters, { ...counts, writeBytes: 12 * count * MIB });
    return counters;
  };
  assert.deepEqual(ratesOf({ counters: block(1) }, { counters: block(2) }), [20, 10, 1, 2, 2]);
  const zvol = (count: number): Partial<BelowReading> => ({ counters: block(count), objset: zfs(count) });
  assert.deepEqual(ratesOf(zvol(1), zvol(2)), [3, 4, 5, 6, 2], 'how long it took only the kernel tells');
  const file = (count: number): Partial<BelowReading> => ({ counters: undefined, objset: zfs(count) });
  assert.deepEqual(ratesOf(file(1), file(2)), [3, 4, 5, 6, undefined]);
  assert.deepEqual(ratesOf(zvol(1), { counters: block(2) }), [20, 10, 1, 2, 2], 'ZFS told nothing this time');
  const none = [undefined, undefined, undefined, undefined, undefined];
  assert.deepEqual(ratesOf(file(2), file(1)), none, 'it was mounted anew');
  assert.deepEqual(ratesOf(file(1), { ...file(2), device: 'rpool/other' }), none);
});
