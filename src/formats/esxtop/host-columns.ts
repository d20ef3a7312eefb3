import { channel } from 'node:diagnostics_channel';
import { slots } from '../../catalogue/catalogue.ts';
import type { RootScope } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree } from '../../catalogue/row-tree.ts';
import type { Sample, GuestRows } from '../../sampling/sample.ts';
import type { ByteWriter } from '../shared/byte-writer.ts';
import {
  cpuGroup,
  eachCpuGroup,
  hostDiskGroup,
  hostGroups,
  memoryGroup,
  portGroup,
  vcpuGroup,
  virtualDiskGroup,
} from './esxtop-counters.ts';
import type { EsxtopCounter, CounterGroup } from './esxtop-counters.ts';
import { printable } from '../../base/strings/printable.ts';

const identity = slots('identity', 'vm');
/** The slot of `device` in the rows of every kind of device. */
const { device } = slots('identity', 'vm_disk');

/** What stands between two cells. */
const next = Buffer.from('","');
const unknown = Buffer.from('NaN');

/** UTF-16 units of a name that a column's heading holds: it is repeated in some thirty columns. */
const maxName = 255;

/** Publishes the names of VMs that came after the header, once for each; the logger subscribes. */
export const withoutColumns = channel('proxtop.printers.esxtop');

/** The counters of one row, side by side. */
interface Block {
  /** Of the row they are read from: see {@link indexed}. */
  readonly key: string;
  /** `Group(instance)`. */
  readonly heading: string;
  readonly counters: readonly EsxtopCounter[];
}

/** The columns of one host, its VMs and devices: those of its first sample. */
export class HostColumns {
  private readonly blocks: readonly Block[];
  /** Keys of VMs that have columns, or were published as having none. */
  private readonly known: Set<string>;
  /** The key of each VM of the last sample. */
  private keys: ReadonlyMap<string, string>;

  /** @param host its name in the headings */
  constructor(
    private readonly host: string,
    first: Sample,
  ) {
    const sample = vmsOf(first);
    this.keys = columnKeys(sample.guests, new Map());
    this.blocks = blocksOf(sample, this.keys);
    this.known = new Set(this.keys.values());
  }

  /** Writes the headings, each behind what ends the cell before it. */
  writeHeadings(out: ByteWriter): void {
    for (const { heading, counters } of this.blocks) {
      for (const [name] of counters) {
        out.append(next);
        out.text(`\\\\${plain(this.host)}\\${heading}\\${name}`);
      }
    }
  }

  /** Writes the cells of a sample, none of which is known where there is none. */
  writeCells(out: ByteWriter, all: Sample | undefined): void {
    const rows = all && this.rowsOf(vmsOf(all));
    for (const { key, counters } of this.blocks) {
      const values = rows?.get(key)?.values;
      for (const [, read] of counters) {
        out.append(next);
        const value = values === undefined ? NaN : read(values);
        if (Number.isFinite(value)) out.number(value);
        else out.append(unknown);
      }
    }
  }

  private rowsOf(sample: Sample): ReadonlyMap<string, Row> {
    this.keys = columnKeys(sample.guests, this.keys);
    this.publishLate(sample.guests);
    return indexed(sample, this.keys);
  }

  private publishLate(vms: readonly GuestRows[]): void {
    for (const vm of vms) {
      const key = this.keys.get(vm.guest.key) ?? '';
      if (this.known.has(key)) continue;
      this.known.add(key);
      withoutColumns.publish(vm.row.texts[identity.name] ?? key);
    }
  }
}

/** esxtop's columns do not fit containers. */
function vmsOf(sample: Sample): Sample {
  return { ...sample, guests: sample.guests.filter(({ guest }) => guest.type === 'qemu') };
}

/** The rows of a sample by keys that stay the same from one to the next. */
function indexed({ host, guests }: Sample, keys: ReadonlyMap<string, string>): ReadonlyMap<string, Row> {
  const rows = new Map([['host', host.row]]);
  const add = (owner: string, root: RootScope, tree: AnyRowTree): void => {
    for (const part of partsOf(root)) for (const row of rowsOf(tree, part)) rows.set(keyOf(owner, row), row);
  };
  add('', 'host', host);
  for (const vm of guests) {
    const key = keys.get(vm.guest.key) ?? '';
    rows.set(key, vm.row);
    add(key, 'vm', vm);
  }
  return rows;
}

function keyOf(owner: string, row: Row): string {
  return `${owner} ${row.scope} ${deviceOf(row)}`;
}

/**
 * The keys of the columns of VMs, by {@link Vm.key}: UUID and vmid, which a VM that is started again has again. One with
 * those of another VM has its pid in it as well. A VM keeps its key, so that none goes on in the columns of another.
 * @param before the keys of the VMs so far
 */
function columnKeys(vms: readonly GuestRows[], before: ReadonlyMap<string, string>): Map<string, string> {
  const keys = new Map<string, string>();
  for (const { guest } of vms) {
    const key = before.get(guest.key);
    if (key !== undefined) keys.set(guest.key, key);
  }
  const taken = new Set(keys.values());
  for (const { guest, twin, row } of vms) {
    if (keys.has(guest.key)) continue;
    const names = `${guest.uuid} ${guest.vmid ?? ''}`;
    const key = twin || taken.has(names) ? `${names} ${row.texts[identity.pid] ?? guest.key}` : names;
    keys.set(guest.key, key);
    taken.add(key);
  }
  return keys;
}

function deviceOf(row: Row): string {
  return row.texts[device] ?? '';
}

function blocksOf({ host, guests, collectors }: Sample, keys: ReadonlyMap<string, string>): readonly Block[] {
  const blocks: Block[] = [];
  const add = (key: string, { name, collector, counters }: CounterGroup, instance?: string): void => {
    if (!collectors.includes(collector)) return;
    blocks.push({ key, heading: instance === undefined ? name : `${name}(${instance})`, counters });
  };
  for (const group of hostGroups) add('host', group);
  for (const row of host.cpus) add(keyOf('', row), eachCpuGroup, plain(deviceOf(row)));
  const names = uniqueNames(guests);
  for (const [index, vm] of guests.entries()) {
    const key = keys.get(vm.guest.key) ?? '';
    const name = names[index] ?? '';
    const group = `${groupId(vm)}:${name}`;
    add(key, cpuGroup, group);
    for (const row of vm.vcpus)
      add(keyOf(key, row), vcpuGroup, `${group}:${plain(deviceOf(row))}:vmx-vcpu-${plain(deviceOf(row))}`);
    add(key, memoryGroup, group);
    add(key, virtualDiskGroup.vm, name);
    // esxtop names a disk by its controller and its place there; readers look for both.
    for (const row of vm.disks)
      add(keyOf(key, row), virtualDiskGroup.vm_disk, `${name}:${plain(deviceOf(row))}:0`);
    for (const row of vm.nics)
      add(keyOf(key, row), portGroup.vm_nic, `host:${plain(deviceOf(row))}:${group}`);
  }
  for (const row of host.disks) add(keyOf('', row), hostDiskGroup, plain(deviceOf(row)));
  for (const row of host.nics)
    add(keyOf('', row), portGroup.host_nic, `host:${plain(deviceOf(row))}:${plain(deviceOf(row))}`);
  return blocks;
}

/** The number of a VM's group: its vmid, or the pid of its process. */
function groupId({ row }: GuestRows): string {
  return plain(row.texts[identity.vmid] ?? row.texts[identity.pid] ?? '0');
}

/** The names of the VMs; each of several that have the same gets the number of its group behind it. */
function uniqueNames(vms: readonly GuestRows[]): readonly string[] {
  const names = vms.map(({ row }) => plain(row.texts[identity.name] ?? ''));
  return vms.map((vm, index) => {
    const name = names[index] ?? '';
    return names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} ${groupId(vm)}`;
  });
}

/** A name without what has a meaning in a column's name, and the comma at which simple readers split lines. */
function plain(name: string): string {
  return printable(name.slice(0, maxName)).replace(/[\\/():,"#*]/g, '_');
}
