import type { StorageSource } from '../../guests/sources.ts';
import { growth } from '../../kernel/base/counters.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { KernelFile } from '../../kernel/base/kernel-file.ts';
import { PidIo, parsePidIo, pidIoCounters } from '../../kernel/pid/proc-pid-io.ts';
import { ReadBatch } from '../../kernel/base/read.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Collector, HostTarget, GuestTarget } from '../collector.ts';
import { ContainerIo, DeviceStacks, ioCounters } from './container-io.ts';
import { PerGuest } from '../per-guest.ts';
import { Readings } from '../readings.ts';

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

const containerRates: readonly (readonly [slot: number, counter: number, unit: number])[] = [
  [vmSlots.io_read_mib, ioCounters.readBytes, MIB],
  [vmSlots.io_write_mib, ioCounters.writeBytes, MIB],
  [vmSlots.io_read_bytes, ioCounters.readBytes, 1],
  [vmSlots.io_write_bytes, ioCounters.writeBytes, 1],
];

/** Room for a file of a process: seven lines with numbers of 64 bits. */
const ROOM = 256;

/** The I/O of one guest. */
interface GuestIo {
  /** Reads the file of a cycle, if there is one, for {@link collect} to look at. */
  fetch(batch: ReadBatch): void;
  collect(row: Row, batch: ReadBatch): void;
}

/** That of a QEMU process. */
class ProcessIo implements GuestIo {
  private readonly readings = new Readings(() => new IoReading());

  private fetched = -1;

  constructor(private readonly file: KernelFile) {}

  fetch(batch: ReadBatch): void {
    this.fetched = batch.add(this.file);
  }

  collect(row: Row, batch: ReadBatch): void {
    const { readings, fetched } = this;
    if (!batch.parse(fetched, this.file, parsePidIo, readings.spare.io)) return;
    readings.spare.time = batch.time(fetched) / 1000;
    readings.commit();
    for (const [slot, counter] of counted) row.counters[slot] = readings.current.io.counters.value(counter);
    if (readings.complete) deriveIo(readings.previous, readings.current, row);
  }
}

/** That of the processes of a container. */
class VolumeIo implements GuestIo {
  constructor(private readonly io: ContainerIo) {}

  fetch(): void {
    // Its files are those of devices that come and go.
  }

  collect({ values, counters }: Row): void {
    const { io } = this;
    if (!io.read()) return;
    for (const [slot, counter, unit] of containerRates) {
      values[slot] = (io.grown[counter] as number) / io.elapsed / unit;
      if (unit === 1) counters[slot] = io.total(counter);
    }
  }
}

/** What each QEMU process, and each container, read and wrote, whatever its disks are. */
export class IoCollector implements Collector {
  readonly name = 'io';
  private readonly batch = new ReadBatch(ROOM);
  private readonly stacks: DeviceStacks;
  private readonly vms = new PerGuest(({ guest }) => this.ioOf(guest.sources.storage));

  constructor(paths: Paths) {
    this.stacks = new DeviceStacks(paths);
  }

  collect(_host: HostTarget, vms: readonly GuestTarget[], attend?: () => void): void {
    const { batch } = this;
    batch.begin();
    for (const target of vms) {
      attend?.();
      this.vms.of(target)?.fetch(batch);
    }
    for (const target of vms) {
      attend?.();
      this.vms.of(target)?.collect(target.row, batch);
    }
  }

  private ioOf(source: StorageSource): GuestIo | undefined {
    switch (source.kind) {
      case 'process':
        return new ProcessIo(source.qemu.io);
      case 'cgroup':
        return new VolumeIo(new ContainerIo(source, this.stacks));
      case 'told':
        return undefined;
    }
  }

  close(): void {
    // The files belong to the guests.
  }
}
