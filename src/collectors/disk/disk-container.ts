import type { ContainerStorage } from '../../guests/sources.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import { ContainerIo, ioCounters as c } from '../io/container-io.ts';
import type { DeviceStacks } from '../io/container-io.ts';

const vmSlots = slots('disk', 'vm');
const diskSlots = slots('disk', 'vm_disk');
const MIB = 2 ** 20;

type Operations = 'disk_commands' | 'disk_reads' | 'disk_writes' | 'disk_read_mib' | 'disk_write_mib';
type IoSlots = Readonly<Record<Operations, number>>;

const ratesIn = (to: IoSlots): readonly (readonly [slot: number, counter: number, unit: number])[] => [
  [to.disk_reads, c.reads, 1],
  [to.disk_writes, c.writes, 1],
  [to.disk_read_mib, c.readBytes, MIB],
  [to.disk_write_mib, c.writeBytes, MIB],
];
const inVm = { slots: vmSlots, rates: ratesIn(vmSlots) };
const inDisk = { slots: diskSlots, rates: ratesIn(diskSlots) };

/** Volumes of one container: what it reads and writes, how large they are, how full its root is. */
export class ContainerDisks {
  private readonly io: ContainerIo;

  constructor(
    private readonly source: ContainerStorage,
    stacks: DeviceStacks,
  ) {
    this.io = new ContainerIo(source, stacks);
  }

  collect(target: GuestTarget, wanted: Wanted): void {
    const { io } = this;
    const { row, guest } = target;
    this.setRoot(row);
    const rows = new Map<string, Row>();
    if (io.read()) {
      for (const { name, counters, grown } of io.parts) {
        if (!wanted.devices || rows.has(name)) continue;
        const disk = target.devices.disks.add(name);
        rows.set(name, disk);
        for (const [slot, counter] of inDisk.rates) disk.counters[slot] = counters.value(counter);
        setRates(disk, inDisk, grown, io.elapsed);
      }
      for (const [slot, counter] of inVm.rates) row.counters[slot] = io.total(counter);
      setRates(row, inVm, io.grown, io.elapsed);
    }
    let size = guest.disks.length === 0 ? NaN : 0;
    for (const { device, capacity = NaN, storage } of guest.disks) {
      size += capacity;
      if (!wanted.devices) continue;
      const disk = rows.get(device) ?? target.devices.disks.add(device);
      disk.values[diskSlots.disk_capacity] = capacity;
      disk.texts[diskSlots.disk_storage] = storage;
    }
    row.values[vmSlots.disk_capacity] = size;
  }

  private setRoot({ values }: Row): void {
    const { root } = this.source;
    if (root === undefined) return;
    values[vmSlots.disk_root_size] = root.size;
    values[vmSlots.disk_root_used] = root.used;
    values[vmSlots.disk_root_use] = (root.used / (root.used + root.available)) * 100;
  }
}

/** @param elapsed seconds; NaN where there is no reading before */
function setRates(
  row: Row,
  to: { readonly slots: IoSlots; readonly rates: ReturnType<typeof ratesIn> },
  grown: Float64Array,
  elapsed: number,
): void {
  const { values } = row;
  for (const [slot, counter, unit] of to.rates) values[slot] = (grown[counter] as number) / elapsed / unit;
  const { disk_commands, disk_reads, disk_writes } = to.slots;
  values[disk_commands] = (values[disk_reads] as number) + (values[disk_writes] as number);
}
