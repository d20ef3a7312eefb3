import type { Detail, DiskReading, GuestDisk } from '../../guests/guest.ts';
import { diskCounters } from '../../guests/guest.ts';
import type { StorageSource } from '../../guests/sources.ts';
import { growth } from '../../kernel/base/counters.ts';
import { pidStatCounters } from '../../kernel/pid/proc-pid-stat.ts';
import type { Process } from '../../kernel/process/process.ts';
import { MS_PER_TICK } from '../../kernel/base/ticks.ts';
import { slots } from '../../catalogue/catalogue.ts';
import { Row } from '../../catalogue/row.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import { setLimits } from './disk-limits.ts';
import { DiskBelow } from './disk-below.ts';
import type { HostLoad } from './disk-host.ts';
import type { DiskPlaces } from './disk-places.ts';
import { DiskTails } from './disk-tails.ts';
import { Readings, Totals, meanPerOperation, now } from '../readings.ts';

const vmSlots = slots('disk', 'vm');
const MIB = 2 ** 20;
const NS_PER_MS = 1e6;
const COUNTERS = diskCounters.length;
const [READ_OPS, WRITE_OPS, FLUSH_OPS, READ_BYTES, WRITE_BYTES, READ_TIME, WRITE_TIME, FLUSH_TIME, FAILURES] =
  [0, 1, 2, 3, 4, 5, 6, 7, 8] as const satisfies readonly number[] & { length: typeof COUNTERS };

type DiskSlots = Readonly<Omit<typeof vmSlots, 'disk_util' | 'disk_blkio_delay' | `disk_root_${string}`>>;
const diskSlots: DiskSlots & { readonly disk_path: number; readonly disk_storage: number } = slots(
  'disk',
  'vm_disk',
);

/** The rate behind which each counter stands, in the order of the counters. */
const ratesIn = (to: DiskSlots): readonly number[] => [
  to.disk_reads,
  to.disk_writes,
  to.disk_flushes,
  to.disk_read_mib,
  to.disk_write_mib,
  to.disk_read_time,
  to.disk_write_time,
  to.disk_flush_time,
  to.disk_errors,
];
const vmRates = ratesIn(vmSlots);
/** What the monitor reports about a VM's disks; the delay comes from the kernel, in every cycle. */
const { disk_blkio_delay: _, ...standing } = vmSlots;
const standingSlots = Object.values(standing);
const diskRates = ratesIn(diskSlots);

/**
 * Sets rates and latencies of one virtual disk or a sum of them. A latency is time by operations, both over the
 * interval, and omitted without operations.
 * @param grown what each counter grew by, in the order of {@link diskCounters}; NaN where not known
 * @param elapsed seconds
 */
export function deriveDisk(grown: Float64Array, elapsed: number, values: Float64Array, to: DiskSlots): void {
  const [reads, writes, flushes] = [at(grown, READ_OPS), at(grown, WRITE_OPS), at(grown, FLUSH_OPS)];
  const operations = reads + writes + flushes;
  const readTime = at(grown, READ_TIME) / NS_PER_MS;
  const writeTime = at(grown, WRITE_TIME) / NS_PER_MS;
  const flushTime = at(grown, FLUSH_TIME) / NS_PER_MS;
  values[to.disk_reads] = reads / elapsed;
  values[to.disk_writes] = writes / elapsed;
  values[to.disk_flushes] = flushes / elapsed;
  values[to.disk_commands] = operations / elapsed;
  values[to.disk_read_mib] = at(grown, READ_BYTES) / MIB / elapsed;
  values[to.disk_write_mib] = at(grown, WRITE_BYTES) / MIB / elapsed;
  values[to.disk_read_time] = readTime / elapsed;
  values[to.disk_write_time] = writeTime / elapsed;
  values[to.disk_flush_time] = flushTime / elapsed;
  values[to.disk_errors] = at(grown, FAILURES) / elapsed;
  values[to.disk_lat_rd] = meanPerOperation(readTime, reads);
  values[to.disk_lat_wr] = meanPerOperation(writeTime, writes);
  values[to.disk_lat_fl] = meanPerOperation(flushTime, flushes);
  values[to.disk_lat_avg] = meanPerOperation(readTime + writeTime + flushTime, operations);
}

function at(numbers: Float64Array, index: number): number {
  return numbers[index] as number;
}

/** What is kept about one disk from answer to answer. */
interface KeptDisk {
  readonly below: DiskBelow;
  readonly tails: DiskTails;
}

/** The busiest physical disk and the bytes of all, summed up since the start: see {@link HostLoad}. */
interface Window {
  readonly detail: Detail;
  readonly hostBusy: number;
  readonly hostBytes: number;
}

/**
 * The virtual disks of one VM. Their counters come at the slower interval: a value is a true mean between the last two
 * answers of the monitor and stays until the next one.
 */
export class VmDisks {
  private previous: Window | undefined;
  private current: Window | undefined;
  private readonly delays = new Readings(() => ({ time: NaN, ticks: NaN }));
  private readonly grown = new Float64Array(COUNTERS);
  private readonly sum = new Float64Array(COUNTERS);
  /** Bytes of those disks that lie on disks of the host; NaN where there are none. */
  private onHost = NaN;
  private readonly totals = new Totals(COUNTERS);
  /** What stands until the monitor answers again. */
  private readonly standing = new Row('vm');
  private readonly rows: Row[] = [];
  /** By the name of the disk. */
  private kept = new Map<string, KeptDisk>();
  /** The disks of the configuration on which {@link rows} are based; undefined while there are none. */
  private configured: readonly GuestDisk[] | undefined;

  /** @param places tells which disks lie on disks of the host; without it all do */
  constructor(
    private readonly source: StorageSource,
    private readonly places?: DiskPlaces,
  ) {}

  collect(target: GuestTarget, wanted: Wanted, host: HostLoad): void {
    const { detail, disks } = target.guest;
    const isNew = detail !== this.current?.detail;
    if (isNew) {
      this.previous = this.current;
      this.current = detail && { detail, hostBusy: host.busy, hostBytes: host.bytes };
    }
    if (detail === undefined) {
      this.configured = undefined;
      this.setCapacities(target, wanted);
    } else {
      if (isNew || disks !== this.configured) this.setDisks(detail, target, wanted, isNew);
      else for (const row of this.rows) target.devices.disks.again(row);
      this.configured = disks;
      this.setStanding(target.row);
    }
    if (wanted.verbose && this.source.kind === 'process') this.setDelay(this.source.qemu, target.row);
  }

  private setStanding({ values, counters }: Row): void {
    for (const slot of standingSlots) {
      values[slot] = this.standing.values[slot] as number;
      counters[slot] = this.standing.counters[slot] as number;
    }
  }

  /** @param isNew whether this detail is seen for the first time, so that what the disks did counts */
  private setDisks(detail: Detail, target: GuestTarget, wanted: Wanted, isNew: boolean): void {
    const previous = this.previous?.detail;
    this.rows.length = 0;
    this.standing.clear();
    const { values, counters } = this.standing;
    const configured = new Map(target.guest.disks.map((disk) => [disk.device, disk]));
    const earlier = new Map(previous?.disks.map((disk) => [disk.device, disk]));
    const elapsed = previous === undefined ? NaN : detail.time - previous.time;
    const sizes = { capacity: new Total(), allocation: new Total(), physical: new Total() };
    const kept = new Map<string, KeptDisk>();
    let known = false;
    this.sum.fill(0);
    this.onHost = NaN;
    for (const disk of detail.disks) {
      const row = wanted.devices ? target.devices.disks.add(disk.device) : undefined;
      const { capacity: size, storage, limits } = configured.get(disk.device) ?? {};
      const capacity = disk.capacity ?? size;
      sizes.capacity.add(capacity);
      sizes.allocation.add(disk.allocation);
      sizes.physical.add(disk.physical);
      const ofDevice = this.kept.get(disk.device) ?? { below: new DiskBelow(), tails: new DiskTails() };
      kept.set(disk.device, ofDevice);
      if (isNew) {
        ofDevice.below.take(disk, detail.time);
        ofDevice.tails.take(disk);
      }
      if (row !== undefined) {
        this.rows.push(row);
        row.values[diskSlots.disk_capacity] = capacity ?? NaN;
        row.values[diskSlots.disk_allocation] = disk.allocation ?? NaN;
        row.values[diskSlots.disk_physical] = disk.physical ?? NaN;
        row.texts[diskSlots.disk_path] = disk.path;
        row.texts[diskSlots.disk_storage] = storage;
        ofDevice.below.set(row, disk);
        ofDevice.tails.set(row);
        for (let i = 0; i < COUNTERS; i++) row.counters[diskRates[i] as number] = disk.counters.value(i);
      }
      const before = earlier.get(disk.device);
      if (before !== undefined && this.grow(before, disk)) {
        known = true;
        this.place(disk);
        if (isNew) for (let i = 0; i < COUNTERS; i++) this.totals.add(i, at(this.grown, i));
        if (row !== undefined) deriveDisk(this.grown, elapsed, row.values, diskSlots);
      }
      if (row !== undefined) setLimits(row.values, disk.limits ?? limits ?? {});
    }
    this.kept = kept;
    values[vmSlots.disk_capacity] = sizes.capacity.value;
    values[vmSlots.disk_allocation] = sizes.allocation.value;
    values[vmSlots.disk_physical] = sizes.physical.value;
    for (let i = 0; i < COUNTERS; i++) {
      // Of a disk whose operations QEMU does not count nothing is known, and so nothing of a sum with it.
      counters[vmRates[i] as number] = Number.isNaN(at(this.sum, i)) ? NaN : this.totals.at(i);
    }
    if (!known) return;
    deriveDisk(this.sum, elapsed, values, vmSlots);
    values[vmSlots.disk_util] = this.util();
  }

  /** Puts what a disk did into `grown` and adds it to the sum; false when its counters started again. */
  private grow(before: DiskReading, disk: DiskReading): boolean {
    for (let i = 0; i < COUNTERS; i++) {
      const delta = growth(before.counters, disk.counters, i);
      const isKnown = !Number.isNaN(before.counters.value(i)) && !Number.isNaN(disk.counters.value(i));
      if (isKnown && Number.isNaN(delta)) return false;
      this.grown[i] = delta;
    }
    for (let i = 0; i < COUNTERS; i++) this.sum[i] = at(this.sum, i) + at(this.grown, i);
    return true;
  }

  private place({ path }: DiskReading): void {
    if (this.places?.onHost(path) === false) return;
    const bytes = at(this.grown, READ_BYTES) + at(this.grown, WRITE_BYTES);
    this.onHost = Number.isNaN(this.onHost) ? bytes : this.onHost + bytes;
  }

  /**
   * The VM's share of the busiest physical disk's time, by its share of the bytes: an estimate. NaN for a VM none of whose
   * disks lies on disks of the host.
   */
  private util(): number {
    if (this.previous === undefined || this.current === undefined) return NaN;
    const elapsed = this.current.detail.time - this.previous.detail.time;
    const hostBytes = this.current.hostBytes - this.previous.hostBytes;
    const busy = (this.current.hostBusy - this.previous.hostBusy) / elapsed;
    const bytes = this.onHost;
    if (Number.isNaN(hostBytes + bytes)) return NaN;
    return bytes === 0 ? 0 : Math.min(100, busy * 100 * Math.min(1, bytes / hostBytes));
  }

  /** Without an answer of the monitor only what is configured is known. */
  private setCapacities(target: GuestTarget, wanted: Wanted): void {
    const total = new Total();
    for (const { device, capacity, storage, path, limits } of target.guest.disks) {
      total.add(capacity);
      if (!wanted.devices) continue;
      const { values, texts } = target.devices.disks.add(device);
      values[diskSlots.disk_capacity] = capacity ?? NaN;
      texts[diskSlots.disk_storage] = storage;
      texts[diskSlots.disk_path] = path;
      setLimits(values, limits ?? {});
    }
    target.row.values[vmSlots.disk_capacity] = total.value;
  }

  /** Time the process waited for block devices. Source: Documentation/accounting/delay-accounting.rst. */
  private setDelay({ stat }: Process, row: Row): void {
    const { delays } = this;
    delays.spare.time = now();
    delays.spare.ticks = stat.counters.value(pidStatCounters.blkioTicks);
    delays.commit();
    const { previous, current } = delays;
    row.counters[vmSlots.disk_blkio_delay] = current.ticks;
    if (!delays.complete) return;
    const ticks = current.ticks - previous.ticks;
    const delay = (ticks * MS_PER_TICK) / (current.time - previous.time);
    row.values[vmSlots.disk_blkio_delay] = ticks >= 0 ? delay : NaN;
  }
}

/** A sum that is known only if every part is. */
class Total {
  private sum = 0;
  private parts = 0;

  add(part: number | undefined): void {
    this.sum += part ?? NaN;
    this.parts++;
  }

  get value(): number {
    return this.parts === 0 ? NaN : this.sum;
  }
}
