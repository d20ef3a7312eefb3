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

  get wasSlow(): boolean {
    return isTwice(this.slow);
  }

  /** @param isBeat whether its monitor has answered since the sample before */
  follow(row: Row, isBeat: boolean, seconds: number, weight: number): void {
    this.row = row;
    const { values } = row;
    const value = (slot: number): number => values[slot] ?? NaN;
    const { means } = this;
    const add = (slot: number, number: number): void => {
      means.add(slot, number, weight);
    };
    const reads = value(diskSlots.disk_reads);
    const writes = value(diskSlots.disk_writes);
    const flushes = value(diskSlots.disk_flushes);
    const read = timeOf(reads, value(diskSlots.disk_lat_rd));
    const write = timeOf(writes, value(diskSlots.disk_lat_wr));
    const flush = timeOf(flushes, value(diskSlots.disk_lat_fl));
    const operations = reads + writes + (flushes || 0);
    const time = timeOf(operations, value(diskSlots.disk_lat_avg));
    add(ofDisk.operations, operations);
    add(ofDisk.time, time);
    add(ofDisk.timeJudged, Math.min(time, operations * SLOW * CLIP));
    add(ofDisk.reads, reads);
    add(ofDisk.readTime, read);
    add(ofDisk.writes, writes);
    add(ofDisk.writeTime, write);
    add(ofDisk.writeTimeJudged, Math.min(write, writes * SLOW * CLIP));
    add(ofDisk.flushes, flushes);
    add(ofDisk.flushTime, flush);
    add(ofDisk.flushTimeJudged, Math.min(flush, flushes * SLOW * CLIP));
    const readsBelow = timeOf(reads, value(diskSlots.disk_davg_rd));
    const writesBelow = timeOf(writes, value(diskSlots.disk_davg_wr));
    const known = (readsBelow > 0 ? reads : 0) + (writesBelow > 0 ? writes : 0);
    add(ofDisk.belowOperations, known > 0 ? known : NaN);
    add(ofDisk.belowTime, known > 0 ? (readsBelow || 0) + (writesBelow || 0) : NaN);
    add(ofDisk.limitUsed, value(diskSlots.disk_limit_used));
    add(ofDisk.mib, value(diskSlots.disk_read_mib) + value(diskSlots.disk_write_mib));
    this.sinceErrors += seconds;
    if (!isBeat) return;
    const isSlow = time / operations >= SLOW || write / writes >= SLOW || flush / flushes >= SLOW;
    this.slow = withBeat(this.slow, isSlow);
    this.failed = withBeat(this.failed, value(diskSlots.disk_errors) >= 1);
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

  follow(row: Row, weight: number): void {
    this.row = row;
    const { values } = row;
    const { means } = this;
    const value = (slot: number): number => values[slot] ?? NaN;
    const passed = value(nicSlots.net_rx_packets);
    const percent = value(nicSlots.net_rx_drop_percent) || 0;
    const packets = percent < 100 ? passed / (1 - percent / 100) : passed;
    const dropped = (packets * percent) / 100;
    means.add(ofNic.packets, packets, weight);
    means.add(ofNic.dropped, dropped, weight);
    means.add(ofNic.droppedJudged, Math.min(dropped, (packets * CLIP) / 100), weight);
    means.add(ofNic.limitUsed, value(nicSlots.net_limit_used), weight);
    means.add(ofNic.rx, value(nicSlots.net_rx_mbit), weight);
    means.add(ofNic.tx, value(nicSlots.net_tx_mbit), weight);
  }
}
