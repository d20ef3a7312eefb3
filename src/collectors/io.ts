import type { StorageSource } from '../guests/sources.ts';
import { growth } from '../kernel/base/counters.ts';
import type { KernelFile } from '../kernel/base/kernel-file.ts';
import { PidIo, parsePidIo, pidIoCounters } from '../kernel/pid/proc-pid-io.ts';
import { readRecord } from '../kernel/base/read.ts';
import { slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import type { Collector, HostTarget, GuestTarget } from './collector.ts';
import { PerGuest } from './per-guest.ts';
import { Readings, now } from './readings.ts';

const vmSlots = slots('io', 'vm');
const MIB = 2 ** 20;

const rates: readonly (readonly [slot: number, counter: number, unit: number])[] = [
  [vmSlots.io_read_mib, pidIoCounters.readBytes, MIB],
  [vmSlots.io_write_mib, pidIoCounters.writeBytes, MIB],
  [vmSlots.io_read_ops, pidIoCounters.syscr, 1],
  [vmSlots.io_write_ops, pidIoCounters.syscw, 1],
  [vmSlots.io_read_bytes, pidIoCounters.readBytes, 1],
  [vmSlots.io_write_bytes, pidIoCounters.writeBytes, 1],
  [vmSlots.io_rchar, pidIoCounters.rchar, 1],
  [vmSlots.io_wchar, pidIoCounters.wchar, 1],
  [vmSlots.io_cancelled_write_bytes, pidIoCounters.cancelledWriteBytes, 1],
];

/** Each counter once, behind the rate in its own unit. */
const counted = rates.filter(([, , unit]) => unit === 1);

/** I/O of a QEMU process at one instant. */
export class IoReading {
  /** Monotonic seconds. */
  time = NaN;
  readonly io = new PidIo();
}

/** Sets the rates between two readings. Source: Documentation/filesystems/proc.rst, /proc/<pid>/io. */
export function deriveIo(previous: IoReading, current: IoReading, row: Row): void {
  const elapsed = current.time - previous.time;
  for (const [slot, counter, unit] of rates) {
    row.values[slot] = growth(previous.io.counters, current.io.counters, counter) / elapsed / unit;
  }
}

/** The I/O of one guest. */
interface GuestIo {
  readonly file: KernelFile;
  readonly readings: Readings<IoReading>;
}

function ioOf(source: StorageSource): GuestIo | undefined {
  switch (source.kind) {
    case 'process':
      return { file: source.qemu.io, readings: new Readings(() => new IoReading()) };
    case 'told':
      return undefined;
  }
}

/** What each QEMU process read and wrote, whatever its disks are. */
export class IoCollector implements Collector {
  readonly name = 'io';
  private readonly vms = new PerGuest(({ guest }) => ioOf(guest.sources.storage));

  collect(_host: HostTarget, vms: readonly GuestTarget[]): void {
    for (const target of vms) {
      const io = this.vms.of(target);
      if (io === undefined) continue;
      const { file, readings } = io;
      if (!readRecord(file, parsePidIo, readings.spare.io)) continue;
      readings.spare.time = now();
      readings.commit();
      for (const [slot, counter] of counted)
        target.row.counters[slot] = readings.current.io.counters.value(counter);
      if (readings.complete) deriveIo(readings.previous, readings.current, target.row);
    }
  }

  close(): void {
    // The files belong to the processes.
  }
}
