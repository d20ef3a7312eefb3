import type { BelowReading, DiskReading } from '../../guests/guest.ts';
import { growth } from '../../kernel/base/counters.ts';
import { diskStatsCounters as host } from '../../kernel/proc/proc-diskstats.ts';
import { zfsObjsetCounters as zfs } from '../../kernel/sys/zfs/zfs-objset.ts';
import { slots } from '../../catalogue/catalogue.ts';

const to = slots('disk', 'vm_disk');
const MIB = 2 ** 20;
const SECTORS_PER_MIB = MIB / 512;

/** Where each rate goes, and where the kernel and ZFS count it, in which unit. */
const places = [
  { slot: to.disk_device_reads, block: host.reads, blockUnit: 1, objset: zfs.reads, unit: 1 },
  { slot: to.disk_device_writes, block: host.writes, blockUnit: 1, objset: zfs.writes, unit: 1 },
  {
    slot: to.disk_device_read_mib,
    block: host.sectorsRead,
    blockUnit: SECTORS_PER_MIB,
    objset: zfs.readBytes,
    unit: MIB,
  },
  {
    slot: to.disk_device_write_mib,
    block: host.sectorsWritten,
    blockUnit: SECTORS_PER_MIB,
    objset: zfs.writeBytes,
    unit: MIB,
  },
] as const;

/** What the device below one virtual disk did between the last two answers of the monitor, for all that use it. */
export class BelowRates {
  private readonly values = new Float64Array(places.length).fill(NaN);
  private from: BelowReading | undefined;
  private readAt = NaN;

  /** Takes a new reading. @param time monotonic seconds */
  take({ below }: DiskReading, time: number): void {
    const { from } = this;
    const elapsed = below?.device === from?.device ? time - this.readAt : NaN;
    places.forEach(({ block, blockUnit, objset, unit }, index) => {
      // ZFS is asked first: with some versions the kernel does not count its volumes.
      const told =
        from?.objset && below?.objset
          ? growth(from.objset, below.objset, objset) / unit
          : from?.counters && below?.counters
            ? growth(from.counters, below.counters, block) / blockUnit
            : NaN;
      this.values[index] = told / elapsed;
    });
    this.from = below;
    this.readAt = time;
  }

  set(values: Float64Array): void {
    places.forEach(({ slot }, index) => {
      values[slot] = this.values[index] as number;
    });
  }
}
