import type { DiskLimits, LimitName } from '../../qmp/throttle.ts';
import { limitNames } from '../../qmp/throttle.ts';
import { slots } from '../../catalogue/catalogue.ts';

const to = slots('disk', 'vm_disk');
const MIB = 2 ** 20;
const ALL = 100;

/** Where each limit and burst goes, in which unit, and the rates that it limits. */
const places: Readonly<
  Record<LimitName, { limit: number; burst: number; unit: number; rates: readonly number[] }>
> = {
  operations: {
    limit: to.disk_iops_limit,
    burst: to.disk_iops_burst,
    unit: 1,
    rates: [to.disk_reads, to.disk_writes],
  },
  reads: { limit: to.disk_reads_limit, burst: to.disk_reads_burst, unit: 1, rates: [to.disk_reads] },
  writes: { limit: to.disk_writes_limit, burst: to.disk_writes_burst, unit: 1, rates: [to.disk_writes] },
  bytes: {
    limit: to.disk_mib_limit,
    burst: to.disk_mib_burst,
    unit: MIB,
    rates: [to.disk_read_mib, to.disk_write_mib],
  },
  readBytes: {
    limit: to.disk_read_mib_limit,
    burst: to.disk_read_mib_burst,
    unit: MIB,
    rates: [to.disk_read_mib],
  },
  writeBytes: {
    limit: to.disk_write_mib_limit,
    burst: to.disk_write_mib_burst,
    unit: MIB,
    rates: [to.disk_write_mib],
  },
};

/** Sets the limits of a disk, and how near its rates, which are set before, come to the nearest of them. */
export function setLimits(values: Float64Array, limits: DiskLimits): void {
  let nearest = NaN;
  for (const name of limitNames) {
    const limit = limits[name];
    if (limit === undefined) continue;
    const place = places[name];
    const base = limit.base / place.unit;
    values[place.limit] = base;
    if (limit.burst !== undefined) values[place.burst] = limit.burst / place.unit;
    const rate = place.rates.reduce((sum, slot) => sum + (values[slot] as number), 0);
    const used = Math.min(ALL, (rate / base) * ALL);
    if (!(used <= nearest)) nearest = used;
  }
  values[to.disk_limit_used] = nearest;
}
