import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLimits } from '../../src/collectors/disk/disk-limits.ts';
import type { DiskLimits } from '../../src/qmp/throttle.ts';
import { slots } from '../../src/catalogue/catalogue.ts';
import { Row } from '../../src/catalogue/row.ts';
import { known } from './support.ts';

const MIB = 2 ** 20;
const to = slots('disk', 'vm_disk');

/** What is set beside the rates. */
function limited(rates: Readonly<Record<string, number>>, limits: DiskLimits): Record<string, unknown> {
  const row = new Row('vm_disk');
  for (const [id, rate] of Object.entries(rates)) row.values[to[id as keyof typeof to]] = rate;
  setLimits(row.values, limits);
  return Object.fromEntries(Object.entries(known(row)).filter(([id]) => !(id in rates)));
}

const rates = { disk_reads: 30, disk_writes: 10, disk_read_mib: 4, disk_write_mib: 1 };

test('without a limit nothing is set', () => {
  assert.deepEqual(limited(rates, {}), {});
});

test('the nearest limit counts', () => {
  assert.deepEqual(
    limited(rates, {
      operations: { base: 50, burst: 100 },
      readBytes: { base: 5 * MIB },
      writes: { base: 1000 },
    }),
    {
      disk_limit_used: 80,
      disk_iops_limit: 50,
      disk_iops_burst: 100,
      disk_read_mib_limit: 5,
      disk_writes_limit: 1000,
    },
  );
  assert.deepEqual(limited(rates, { bytes: { base: 10 * MIB }, reads: { base: 31 } }), {
    disk_limit_used: (30 / 31) * 100,
    disk_mib_limit: 10,
    disk_reads_limit: 31,
  });
});

test('a burst beyond the limit is all of it', () => {
  assert.equal(limited(rates, { writeBytes: { base: MIB / 2, burst: 8 * MIB } })['disk_limit_used'], 100);
});

test('limits are known without rates, how near they are is not', () => {
  assert.deepEqual(limited({}, { operations: { base: 50 } }), { disk_iops_limit: 50 });
});
