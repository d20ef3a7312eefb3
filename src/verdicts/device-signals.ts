import { slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import { Sticky } from './hysteresis.ts';
import { CLIP, Means } from './means.ts';

const diskSlots = slots('disk', 'vm_disk');
const nicSlots = slots('net', 'vm_nic');

/** Where an operation of a disk takes long, ms. */
export const SLOW = 25;
/** The last three polls, a bit for each. */
const BEATS = 0b111;

/** Means of a disk: operations and their times, per second; of its device below, weighted by them. */
export const ofDisk = {
  operations: 0,
  time: 1,
  timeJudged: 2,
  reads: 3,
  readTime: 4,
  writes: 5,
  writeTime: 6,
  flushes: 7,
  flushTime: 8,
  belowOperations: 9,
  belowTime: 10,
  limitUsed: 11,
  mib: 12,
  /** Reads, writes and flushes without what each takes beyond the clip. */
  writeTimeJudged: 13,
  flushTimeJudged: 14,
} as const;

/** Means of a NIC, from the point of view of the guest. */
export const ofNic = { packets: 0, dropped: 1, droppedJudged: 2, limitUsed: 3, rx: 4, tx: 5 } as const;

/** What a disk and a NIC add to their means now. */
const diskNow = new Float64Array(Object.keys(ofDisk).length);
const nicNow = new Float64Array(Object.keys(ofNic).length);

/** What is kept of a virtual disk. */
export class DiskSignals {
  readonly means = new Means(Object.keys(ofDisk).length);
  readonly explanation = new Sticky<string>();
  /** Of the last polls, whether operations were slow, and whether some failed. */
  private slow = 0;
  private failed = 0;
  /** Seconds since operations failed in two of three polls. */
  sinceErrors = Infinity;
  row!: Row;

  /** @param device its name */
  constructor(readonly device: string) {}

  get wasSlow(): boolean {
    return isTwice(this.slow);
  }

  /** @param isBeat whether its monitor has answered since the sample before */
  follow(row: Row, isBeat: boolean, seconds: number, weight: number): void {
    this.row = row;
    const { values } = row;
    const reads = values[diskSlots.disk_reads] as number;
    const writes = values[diskSlots.disk_writes] as number;
    const flushes = values[diskSlots.disk_flushes] as number;
    const read = timeOf(reads, values[diskSlots.disk_lat_rd] as number);
    const write = timeOf(writes, values[diskSlots.disk_lat_wr] as number);
    const flush = timeOf(flushes, values[diskSlots.disk_lat_fl] as number);
    const operations = reads + writes + (flushes || 0);
    const time = timeOf(operations, values[diskSlots.disk_lat_avg] as number);
    diskNow[ofDisk.operations] = operations;
    diskNow[ofDisk.time] = time;
    diskNow[ofDisk.timeJudged] = Math.min(time, operations * SLOW * CLIP);
    diskNow[ofDisk.reads] = reads;
    diskNow[ofDisk.readTime] = read;
    diskNow[ofDisk.writes] = writes;
    diskNow[ofDisk.writeTime] = write;
    diskNow[ofDisk.writeTimeJudged] = Math.min(write, writes * SLOW * CLIP);
    diskNow[ofDisk.flushes] = flushes;
    diskNow[ofDisk.flushTime] = flush;
    diskNow[ofDisk.flushTimeJudged] = Math.min(flush, flushes * SLOW * CLIP);
    const readsBelow = timeOf(reads, values[diskSlots.disk_davg_rd] as number);
    const writesBelow = timeOf(writes, values[diskSlots.disk_davg_wr] as number);
    const known = (readsBelow > 0 ? reads : 0) + (writesBelow > 0 ? writes : 0);
    diskNow[ofDisk.belowOperations] = known > 0 ? known : NaN;
    diskNow[ofDisk.belowTime] = known > 0 ? (readsBelow || 0) + (writesBelow || 0) : NaN;
    diskNow[ofDisk.limitUsed] = values[diskSlots.disk_limit_used] as number;
    diskNow[ofDisk.mib] =
      (values[diskSlots.disk_read_mib] as number) + (values[diskSlots.disk_write_mib] as number);
    this.means.addAll(diskNow, weight);
    this.sinceErrors += seconds;
    if (!isBeat) return;
    const isSlow = time / operations >= SLOW || write / writes >= SLOW || flush / flushes >= SLOW;
    this.slow = withBeat(this.slow, isSlow);
    this.failed = withBeat(this.failed, (values[diskSlots.disk_errors] as number) >= 1);
    if (isTwice(this.failed)) this.sinceErrors = 0;
  }
}

function withBeat(beats: number, now: boolean): number {
  return ((beats << 1) & BEATS) | (now ? 1 : 0);
}

/** Whether two of three bits are set. */
function isTwice(beats: number): boolean {
  return (beats & (beats - 1)) !== 0;
}

/** Time of operations per second; 0 where there were none, so that no latency is known. */
function timeOf(operations: number, latency: number): number {
  return operations === 0 ? 0 : operations * latency;
}

/** What is kept of a virtual NIC. */
export class NicSignals {
  readonly means = new Means(Object.keys(ofNic).length);
  readonly explanation = new Sticky<string>();
  row!: Row;

  /** @param device its name */
  constructor(readonly device: string) {}

  follow(row: Row, weight: number): void {
    this.row = row;
    const { values } = row;
    const passed = values[nicSlots.net_rx_packets] as number;
    const percent = (values[nicSlots.net_rx_drop_percent] as number) || 0;
    const packets = percent < 100 ? passed / (1 - percent / 100) : passed;
    const dropped = (packets * percent) / 100;
    nicNow[ofNic.packets] = packets;
    nicNow[ofNic.dropped] = dropped;
    nicNow[ofNic.droppedJudged] = Math.min(dropped, (packets * CLIP) / 100);
    nicNow[ofNic.limitUsed] = values[nicSlots.net_limit_used] as number;
    nicNow[ofNic.rx] = values[nicSlots.net_rx_mbit] as number;
    nicNow[ofNic.tx] = values[nicSlots.net_tx_mbit] as number;
    this.means.addAll(nicNow, weight);
  }
}
