import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slots } from '../../src/catalogue/catalogue.ts';
import { Row } from '../../src/catalogue/row.ts';
import { DiskTails, quantile } from '../../src/collectors/disk/disk-tails.ts';
import type { DiskReading } from '../../src/guests/guest.ts';
import { boundaries } from '../../src/qmp/latency-histogram.ts';
import { detailOf, pick } from './support.ts';

const MS = 1e6;
const { disk_lat_rd_p99: READS } = slots('disk', 'vm_disk');
const tails = ['disk_lat_rd_p50', 'disk_lat_rd_p99', 'disk_lat_rd_max'];

/** A disk whose reads took so many ms each: counted as QEMU counts them. */
function disk(latencies: readonly number[], bounds = boundaries): DiskReading {
  const bins = Array<number>(bounds.length + 1).fill(0);
  let time = 0;
  for (const ms of latencies) {
    const above = bounds.findIndex((bound) => ms * MS < bound);
    const bin = above < 0 ? bounds.length : above;
    bins[bin] = (bins[bin] ?? 0) + 1;
    time += ms * MS;
  }
  const [reading] = detailOf(0, { scsi0: { rdOps: latencies.length, rdTime: time } }).disks;
  return { ...(reading as DiskReading), histograms: { rd: { boundaries: bounds, bins } } };
}

function many(count: number, ms: number): number[] {
  return Array<number>(count).fill(ms);
}

function shown(kept: DiskTails): Row {
  const row = new Row('vm_disk');
  kept.set(row);
  return row;
}

/** What two readings tell. */
function between(before: DiskReading, after: DiskReading): Row {
  const kept = new DiskTails();
  kept.take(before);
  kept.take(after);
  return shown(kept);
}

test('quantiles are within the bin that a sorted list of the latencies has them in', () => {
  const latencies = Array.from({ length: 1000 }, (_, i) => 0.03 * 1.01 ** i);
  const reading = disk(latencies);
  const bins = reading.histograms?.rd?.bins ?? [];
  for (const q of [0.01, 0.5, 0.9, 0.99]) {
    const exact = (latencies[Math.ceil(q * latencies.length) - 1] ?? NaN) * MS;
    const upper = boundaries.find((bound) => exact < bound) ?? Infinity;
    const lower = boundaries.findLast((bound) => exact >= bound) ?? 0;
    const found = quantile(boundaries, bins, latencies.length, q);
    assert.ok(found >= lower && found <= upper, `${q}: ${found} of ${lower} to ${upper}`);
  }
});

test('linear within a bin, and nothing beyond the last boundary', () => {
  assert.equal(quantile([10, 20], [0, 4, 0], 4, 0.5), 15);
  assert.equal(quantile([10, 20], [4, 0, 0], 4, 0.5), 5);
  assert.equal(quantile([10, 20], [0, 0, 4], 4, 0.5), 20);
  assert.equal(quantile([10, 20], [2, 0, 2], 4, 0.5), 10);
});

test('what two answers differ by counts, not what was before', () => {
  const slow = many(500, 400);
  const row = between(disk(slow), disk([...slow, ...many(198, 0.2), ...many(4, 30)]));
  const [p50 = NaN, p99 = NaN, max] = pick(row, ...tails).map(Number);
  assert.ok(p50 >= 0.1 && p50 <= 0.25, `${p50}`);
  assert.ok(p99 >= 25 && p99 <= 50, `${p99}`);
  assert.equal(max, 50);
});

test('a quantile of too few operations is not known; without any nothing is', () => {
  const from = disk([]);
  const known = (count: number): boolean[] =>
    pick(between(from, disk(many(count, 0.2))), ...tails).map((value) => value !== undefined);
  assert.deepEqual(known(0), [false, false, false]);
  assert.deepEqual(known(1), [false, false, true]);
  assert.deepEqual(known(20), [true, false, true]);
  assert.deepEqual(known(199), [true, false, true]);
  assert.deepEqual(known(200), [true, true, true]);
});

test('of the last bin, which has no upper end, the lower end', () => {
  const row = between(disk([]), disk(many(300, 60_000)));
  assert.deepEqual(pick(row, ...tails), [2500, 2500, 2500]);
});

test('counts that were set back tell nothing for one interval, and take nothing from the sums', () => {
  const kept = new DiskTails();
  kept.take(disk([]));
  kept.take(disk(many(300, 20)));
  kept.take(disk(many(250, 0.2)));
  assert.deepEqual(pick(shown(kept), ...tails), [undefined, undefined, undefined]);
  kept.take(disk(many(500, 0.2)));
  assert.notEqual(pick(shown(kept), 'disk_lat_rd_p99')[0], undefined);
  const total = shown(kept).histograms?.get(READS) ?? assert.fail('no histogram');
  const operations = total.counts.reduce((sum, count) => sum + count);
  assert.equal(operations, 550);
  assert.ok(Math.abs(total.sum - 6.05) < 1e-9, `${total.sum}`);
});

test('the sums begin at 0, whatever was counted before, in seconds', () => {
  const kept = new DiskTails();
  kept.take(disk(many(900, 5)));
  const total = (): { readonly bounds: readonly number[]; readonly counts: Float64Array; sum: number } =>
    shown(kept).histograms?.get(READS) ?? assert.fail('no histogram');
  assert.deepEqual([total().sum, Math.max(...total().counts)], [0, 0]);
  assert.deepEqual(total().bounds.slice(0, 5), [0.00005, 0.0001, 0.00025, 0.0005, 0.001]);
  kept.take(disk([...many(900, 5), ...many(2, 0.3)]));
  assert.deepEqual([...total().counts].slice(0, 5), [0, 0, 0, 2, 0]);
  assert.ok(Math.abs(total().sum - 0.0006) < 1e-12);
});

test('the boundaries of another tool are used; where they change, all begins anew', () => {
  const kept = new DiskTails();
  kept.take(disk([], [1 * MS, 2 * MS]));
  kept.take(disk(many(300, 1.5), [1 * MS, 2 * MS]));
  assert.deepEqual(pick(shown(kept), ...tails), [1.5, 1.99, 2]);
  kept.take(disk(many(600, 1.5), [1 * MS, 3 * MS]));
  assert.deepEqual(pick(shown(kept), ...tails), [undefined, undefined, undefined]);
  assert.equal(shown(kept).histograms?.get(READS)?.sum, 0);
});

test('where nobody has QEMU count there is nothing, and nothing stays when the counting ends', () => {
  const { histograms: _, ...plain } = disk(many(900, 5));
  const kept = new DiskTails();
  kept.take(plain);
  kept.take(plain);
  assert.equal(shown(kept).histograms, undefined);
  kept.take(disk([]));
  kept.take(disk(many(300, 20)));
  kept.take(plain);
  assert.deepEqual(pick(shown(kept), ...tails), [undefined, undefined, undefined]);
  assert.equal(shown(kept).histograms?.get(READS), undefined);
});
