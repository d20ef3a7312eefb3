import type { DiskReading } from '../../guests/guest.ts';
import { diskCounters } from '../../guests/guest.ts';
import { growth } from '../../kernel/base/counters.ts';
import { diskStatsCounters as host } from '../../kernel/proc/proc-diskstats.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import { BelowRates } from './disk-below-rates.ts';

const to = slots('disk', 'vm_disk');
const NS_PER_MS = 1e6;
/** The kernel counts whole ms: with fewer operations, or less time, the mean would be mostly rounding error. */
const LEAST_OPERATIONS = 20;
const LEAST_MS = 10;
/** How far the operations of guest and device may differ for them to be the same ones. */
const SAME = 0.2;
/** The time above the device cannot be negative: share of the guest's latency that rounding may cause. */
const ROUNDING = 0.1;
/** Seconds after which a window with too few operations ends: the shortest interval less its jitter. */
const LONGEST_WINDOW = 4;

/** One direction: where its operations and their time are counted, by QEMU and by the kernel, and where the result goes. */
export interface Direction {
  readonly operations: number;
  readonly time: number;
  readonly hostOperations: number;
  readonly hostTime: number;
  readonly isRead: boolean;
}

const at = (name: (typeof diskCounters)[number]): number => diskCounters.indexOf(name);
export const reads: Direction = {
  operations: at('rdOps'),
  time: at('rdTime'),
  hostOperations: host.reads,
  hostTime: host.readMs,
  isRead: true,
};
export const writes: Direction = {
  operations: at('wrOps'),
  time: at('wrTime'),
  hostOperations: host.writes,
  hostTime: host.writeMs,
  isRead: false,
};

/** Mean times of an operation, ms. */
export interface BelowValues {
  /** In the device of the host. */
  readonly device: number;
  /** From QEMU down to the device; NaN where the two do not count the same operations. */
  readonly above: number;
}

/**
 * How long the device below a disk took for an operation, and how much longer the guest waited. The latter is known only
 * where QEMU passes by the page cache, and the device got about as many operations as the disk: of parts of one operation it
 * is not known whether they came one after the other. Of the writes of a device that others use too, some are always the
 * file system's own.
 *
 * Source: QEMU block/accounting.c (ns); Documentation/admin-guide/iostats.rst (whole ms).
 * @returns undefined where there were too few operations to tell
 */
export function deriveBelow(
  from: DiskReading,
  now: DiskReading,
  direction: Direction,
): BelowValues | undefined {
  const [before, after] = [from.below, now.below];
  if (before === undefined || after?.device !== before.device) return undefined;
  const [since, until] = [before.counters, after.counters];
  if (since === undefined || until === undefined) return undefined;
  const operations = growth(since, until, direction.hostOperations);
  const ms = growth(since, until, direction.hostTime);
  if (!(operations >= LEAST_OPERATIONS && ms >= LEAST_MS)) return undefined;
  const device = ms / operations;
  const asked = growth(from.counters, now.counters, direction.operations);
  const latency = growth(from.counters, now.counters, direction.time) / NS_PER_MS / asked;
  const isComparable = after.isPrivate || direction.isRead;
  const isSame = isComparable && Math.abs(operations - asked) <= SAME * asked;
  const above = after.isDirect && isSame && asked > 0 ? latency - device : NaN;
  return { device, above: above >= -ROUNDING * latency ? Math.max(0, above) : NaN };
}

/**
 * The last values of one direction of a disk, and the reading that the next ones begin at: the one before, or as long as
 * there were too few operations since, an earlier one.
 */
class Window {
  values: BelowValues | undefined;
  private from: DiskReading | undefined;
  private begun = NaN;

  constructor(private readonly direction: Direction) {}

  /** @param time of the reading, monotonic seconds */
  take(disk: DiskReading, time: number): void {
    const { from } = this;
    const isOther = from?.below?.device !== disk.below?.device;
    const values = from && !isOther ? deriveBelow(from, disk, this.direction) : undefined;
    if (values === undefined && !isOther && time - this.begun < LONGEST_WINDOW) return;
    this.values = values;
    this.from = disk;
    this.begun = time;
  }
}

/** What is known about the device below one virtual disk. */
export class DiskBelow {
  private readonly reads = new Window(reads);
  private readonly writes = new Window(writes);
  private readonly rates = new BelowRates();

  /** Takes a new reading. @param time monotonic seconds */
  take(disk: DiskReading, time: number): void {
    this.reads.take(disk, time);
    this.writes.take(disk, time);
    this.rates.take(disk, time);
  }

  /** Sets what the last readings tell. */
  set({ values, texts }: Row, { below }: DiskReading): void {
    if (below === undefined) return;
    texts[to.disk_device] = below.device;
    texts[to.disk_device_use] = below.isPrivate ? 'private' : 'shared';
    values[to.disk_davg_rd] = this.reads.values?.device ?? NaN;
    values[to.disk_davg_wr] = this.writes.values?.device ?? NaN;
    values[to.disk_kavg_rd] = this.reads.values?.above ?? NaN;
    values[to.disk_kavg_wr] = this.writes.values?.above ?? NaN;
    this.rates.set(values);
  }
}
