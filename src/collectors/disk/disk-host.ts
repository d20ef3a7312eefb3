import type { BlockDeviceIdentity } from '../../kernel/sys/block-device.ts';
import { identifyBlockDevice } from '../../kernel/sys/block-device.ts';
import { Counters, growth, steppedBack } from '../../kernel/base/counters.ts';
import { KernelFile } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { DiskDevice } from '../../kernel/proc/proc-diskstats.ts';
import { DiskStats, diskStatsCounters as c, parseDiskStats } from '../../kernel/proc/proc-diskstats.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { HostTarget, Wanted } from '../collector.ts';
import { DeviceChoice } from '../device-choice.ts';
import { Totals, meanPerOperation, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const hostSlots = slots('disk', 'host');
const { disk_type: TYPE, disk_dmname: DM_NAME, ...diskSlots } = slots('disk', 'host_disk');
const SECTOR = 512;
const MIB = 2 ** 20;
const MS_PER_S = 1000;
const COUNTERS = Object.keys(c).length;
/** Seconds between two checks of what a device is: its name may be that of another one by now. */
const IDENTITY_BEAT = 60;

type DiskSlots = Readonly<Record<keyof typeof diskSlots, number>>;

/** The rate behind which each counter stands. */
const ratesIn = (to: DiskSlots): readonly (readonly [slot: number, counter: number])[] => [
  [to.disk_reads, c.reads],
  [to.disk_writes, c.writes],
  [to.disk_read_mib, c.sectorsRead],
  [to.disk_write_mib, c.sectorsWritten],
  [to.disk_time_reading, c.readMs],
  [to.disk_time_writing, c.writeMs],
  [to.disk_time_io, c.ioMs],
  [to.disk_time_weighted, c.weightedMs],
  [to.disk_reads_merged, c.readsMerged],
  [to.disk_writes_merged, c.writesMerged],
];
const hostRates = ratesIn(hostSlots);
const diskRates = ratesIn(diskSlots);

/**
 * Sets rates, latencies and load of one block device or a sum of them.
 * Source: Documentation/admin-guide/iostats.rst.
 * @param grown what each counter grew by; NaN where not known
 * @param elapsed seconds
 */
function deriveBlockDevice(grown: Float64Array, elapsed: number, values: Float64Array, to: DiskSlots): void {
  const at = (index: number) => grown[index] as number;
  const operations = at(c.reads) + at(c.writes);
  values[to.disk_reads] = at(c.reads) / elapsed;
  values[to.disk_writes] = at(c.writes) / elapsed;
  values[to.disk_commands] = operations / elapsed;
  values[to.disk_read_mib] = (at(c.sectorsRead) * SECTOR) / MIB / elapsed;
  values[to.disk_write_mib] = (at(c.sectorsWritten) * SECTOR) / MIB / elapsed;
  values[to.disk_util] = Math.min(100, (at(c.ioMs) / MS_PER_S / elapsed) * 100);
  values[to.disk_queue_length] = at(c.weightedMs) / MS_PER_S / elapsed;
  values[to.disk_service_time] = meanPerOperation(at(c.ioMs), operations);
  values[to.disk_await] = meanPerOperation(at(c.readMs) + at(c.writeMs), operations);
  values[to.disk_reads_merged] = at(c.readsMerged) / elapsed;
  values[to.disk_sectors_read] = at(c.sectorsRead) / elapsed;
  values[to.disk_time_reading] = at(c.readMs) / elapsed;
  values[to.disk_writes_merged] = at(c.writesMerged) / elapsed;
  values[to.disk_sectors_written] = at(c.sectorsWritten) / elapsed;
  values[to.disk_time_writing] = at(c.writeMs) / elapsed;
  values[to.disk_time_io] = at(c.ioMs) / elapsed;
  values[to.disk_time_weighted] = at(c.weightedMs) / elapsed;
}

/** What the disks of the host sum did since the start, for the share a VM has in it; NaN where there are none. */
export interface HostLoad {
  /** Seconds in which the busiest disk of each interval was busy. */
  readonly busy: number;
  readonly bytes: number;
}

/** The last reading of a device, and what it is. */
interface Known {
  what: BlockDeviceIdentity;
  inSum: boolean;
  inRows: boolean;
  readonly counters: Counters;
  time: number;
  readonly beat: SlowBeat;
}

/** The block devices of the host. */
export class HostDisks {
  readonly load = { busy: NaN, bytes: NaN };
  private readonly file: KernelFile;
  private readonly table = new DiskStats();
  private readonly known = new Map<DiskDevice, Known>();
  private readonly summed: DeviceChoice;
  private readonly shown: DeviceChoice;
  private readonly grown = new Float64Array(COUNTERS);
  private readonly sum = new Float64Array(COUNTERS);
  private readonly totals = new Totals(COUNTERS);

  /**
   * @param storedev the devices the sum runs over; undefined for all physical ones
   * @param rows the devices that have a row, by any of their names; undefined for all whose type is known
   */
  constructor(
    private readonly paths: Paths,
    private readonly wanted: Wanted,
    storedev: readonly string[] | undefined,
    rows?: readonly string[],
  ) {
    this.file = new KernelFile(paths.proc('diskstats'), true);
    this.summed = new DeviceChoice(storedev);
    this.shown = new DeviceChoice(rows);
  }

  collect(host: HostTarget): void {
    if (!readRecord(this.file, parseDiskStats, this.table)) return;
    const time = now();
    let elapsed = NaN;
    let summed = 0;
    let inFlight = 0;
    let busiest = 0;
    let devices = 0;
    this.sum.fill(0);
    for (const device of this.table.rows) {
      devices++;
      const last = this.known.get(device) ?? this.learn(device, time);
      if (last.inSum || last.inRows) this.grow(device, last, time);
      else if (!this.wanted.devices || !last.beat.due(time) || !this.renewed(device, last)) continue;
      const { inSum, inRows, what } = last;
      const row = inRows ? host.devices.disks.add(device.name) : undefined;
      if (row !== undefined) {
        row.texts[TYPE] = what.type;
        row.texts[DM_NAME] = what.name;
        row.values[diskSlots.disk_queue_depth] = device.inFlight;
        for (const [slot, counter] of diskRates) row.counters[slot] = device.counters.value(counter);
      }
      if (inSum) {
        summed++;
        inFlight += device.inFlight;
      }
      const since = time - last.time;
      last.time = time;
      last.counters.copy(device.counters);
      if (Number.isNaN(since)) continue;
      if (row !== undefined) deriveBlockDevice(this.grown, since, row.values, diskSlots);
      if (!inSum) continue;
      elapsed = since;
      busiest = Math.max(busiest, this.grown[c.ioMs] as number);
      for (let i = 0; i < COUNTERS; i++) {
        this.sum[i] = (this.sum[i] as number) + (this.grown[i] as number);
        this.totals.add(i, this.grown[i] as number);
      }
    }
    if (this.known.size > devices) this.prune();
    this.setSum(host.row, summed, inFlight, busiest, elapsed);
  }

  /**
   * Puts what the counters of a device grew by into `grown`. Where one went backwards, and now and then, it is looked
   * whether it still is the same device: a logical volume that starts may get the number of one that ended, within one
   * interval. The counters of another device tell nothing before the next reading.
   */
  private grow(device: DiskDevice, last: Known, time: number): void {
    let isOdd = false;
    for (let i = 0; i < COUNTERS; i++) {
      const delta = growth(last.counters, device.counters, i);
      this.grown[i] = delta;
      if (Number.isNaN(delta)) isOdd ||= steppedBack(last.counters, device.counters, i);
    }
    if (isOdd || (this.wanted.devices && last.beat.due(time))) this.renewed(device, last);
  }

  /** Looks again what a device is; whether it is another one, of which nothing was read yet. */
  private renewed(device: DiskDevice, last: Known): boolean {
    const { identity } = last.what;
    this.identify(device, last);
    if (last.what.identity === identity) return false;
    last.time = NaN;
    return true;
  }

  private setSum(
    { values, counters }: Row,
    summed: number,
    inFlight: number,
    busiest: number,
    elapsed: number,
  ): void {
    values[hostSlots.disk_count] = summed;
    if (summed === 0) return;
    values[hostSlots.disk_queue_depth] = inFlight;
    for (const [slot, counter] of hostRates) counters[slot] = this.totals.at(counter);
    if (Number.isNaN(this.load.bytes)) this.load.busy = this.load.bytes = 0;
    if (Number.isNaN(elapsed)) return;
    deriveBlockDevice(this.sum, elapsed, values, hostSlots);
    values[hostSlots.disk_util] = Math.min(100, (busiest / MS_PER_S / elapsed) * 100);
    const bytes = ((this.sum[c.sectorsRead] as number) + (this.sum[c.sectorsWritten] as number)) * SECTOR;
    if (bytes >= 0) this.load.bytes += bytes;
    if (busiest >= 0) this.load.busy += Math.min(elapsed, busiest / MS_PER_S);
  }

  private learn(device: DiskDevice, time: number): Known {
    const known: Known = {
      what: { type: undefined, name: undefined, identity: '' },
      inSum: false,
      inRows: false,
      counters: new Counters(COUNTERS),
      time: NaN,
      beat: new SlowBeat(IDENTITY_BEAT),
    };
    known.beat.due(time);
    this.identify(device, known);
    this.known.set(device, known);
    return known;
  }

  private identify({ name }: DiskDevice, known: Known): void {
    const what = identifyBlockDevice(this.paths, name);
    known.what = what;
    known.inSum = this.summed.has(what.type === 'physical', name);
    known.inRows = this.wanted.devices && this.shown.has(what.type !== undefined, name, what.name);
  }

  /** Forgets devices that are gone. */
  private prune(): void {
    const present = new Set(this.table.rows);
    for (const device of this.known.keys()) if (!present.has(device)) this.known.delete(device);
  }

  close(): void {
    this.file.close();
  }
}
