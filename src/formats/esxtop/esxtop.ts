import { channel } from 'node:diagnostics_channel';
import { slots } from '../../catalogue/catalogue.ts';
import type { RootScope } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree } from '../../catalogue/row-tree.ts';
import type { Sample, GuestRows } from '../../sampling/sample.ts';
import { ByteWriter } from '../byte-writer.ts';
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
import { printable } from '../../strings/printable.ts';
import type { Printer } from '../printer.ts';

const identity = slots('identity', 'vm');
const { host_name } = slots('host', 'host');
/** The slot of `device` in the rows of every kind of device. */
const { device } = slots('identity', 'vm_disk');

const parts = {
  begin: Buffer.from('"'),
  next: Buffer.from('","'),
  end: Buffer.from('"\n'),
  unknown: Buffer.from('NaN'),
};

/** UTF-16 units of a name that a column's heading holds: it is repeated in some thirty columns. */
const maxName = 255;

/** Where the names of VMs are published that came after the header, once for each; whoever logs subscribes. */
export const withoutColumns = channel('proxtop.printers.esxtop');

/** The counters of one row, side by side. */
interface Block {
  /** Of the row they are read from: see {@link indexed}. */
  readonly key: string;
  /** `Group(instance)`. */
  readonly heading: string;
  readonly counters: readonly EsxtopCounter[];
}

/**
 * The wide CSV of esxtop's batch mode, of the host and its VMs; what esxtop's columns mean no container has, after the perfmon logs of Windows: a line for each sample, a column for each
 * counter, `\\host\Group(instance)\Counter`, every cell in quotes, times in UTC. What is not known is NaN: an empty cell ends readers that expect a number, which take it for
 * one in Python, JavaScript and C.
 *
 * The columns are those of the VMs and devices of the first sample, since readers expect one header. What comes later
 * has none; what went has NaN in its cells, until it comes back. Of VMs with the same UUID and vmid each
 * keeps its own columns, by its pid. {@link begin} starts a new table.
 * Percentages of a group are sums over the vCPUs, as in esxtop. Names are made such that readers can split them.
 */
export class EsxtopPrinter implements Printer {
  private readonly out = new ByteWriter();
  private blocks: readonly Block[] | undefined;
  /** Keys of VMs that have columns, or were published as having none. */
  private known = new Set<string>();
  /** The key of each VM of the last sample. */
  private keys = new Map<string, string>();

  print(all: Sample): readonly Buffer[] {
    const sample = { ...all, guests: all.guests.filter(({ guest }) => guest.type === 'qemu') };
    const records: Buffer[] = [];
    if (this.blocks === undefined) this.keys.clear();
    this.keys = columnKeys(sample.guests, this.keys);
    if (this.blocks === undefined) {
      this.blocks = blocksOf(sample, this.keys);
      this.known = new Set(this.keys.values());
      records.push(this.header(sample.host.row.texts[host_name] ?? 'localhost', this.blocks));
    }
    this.publishLate(sample.guests);
    records.push(this.line(sample, this.blocks));
    return records;
  }

  begin(): void {
    this.blocks = undefined;
  }

  private header(host: string, blocks: readonly Block[]): Buffer {
    const out = this.out;
    out.append(parts.begin);
    out.text('(PDH-CSV 4.0) (UTC)(0)');
    for (const { heading, counters } of blocks) {
      for (const [name] of counters) {
        out.append(parts.next);
        out.text(`\\\\${plain(host)}\\${heading}\\${name}`);
      }
    }
    out.append(parts.end);
    return out.take();
  }

  private line(sample: Sample, blocks: readonly Block[]): Buffer {
    const out = this.out;
    const rows = indexed(sample, this.keys);
    out.append(parts.begin);
    out.text(timeOf(sample));
    for (const { key, counters } of blocks) {
      const values = rows.get(key)?.values;
      for (const [, read] of counters) {
        out.append(parts.next);
        const value = values === undefined ? NaN : read(values);
        if (Number.isFinite(value)) out.number(value);
        else out.append(parts.unknown);
      }
    }
    out.append(parts.end);
    return out.take();
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

/** `MM/DD/YYYY hh:mm:ss`, the nearest second: esxtop tells no fractions, and readers expect none. */
function timeOf({ time }: Sample): string {
  const [date = '', clock = ''] = new Date(Math.round(time / 1000) * 1000).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  return `${month}/${day}/${year} ${clock.slice(0, 8)}`;
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
