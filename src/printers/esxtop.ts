import { channel } from 'node:diagnostics_channel';
import { slots } from '../metrics/catalogue.ts';
import type { Row } from '../metrics/row.ts';
import type { Sample, VmRows } from '../sampling/sample.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  cpuGroup,
  hostDiskGroup,
  hostGroups,
  memoryGroup,
  portGroup,
  vcpuGroup,
  virtualDiskGroup,
} from './esxtop-counters.ts';
import type { Counter, CounterGroup } from './esxtop-counters.ts';
import { printable } from './printable.ts';
import type { Printer } from './printer.ts';

const identity = slots('identity', 'vm');
const { host_name } = slots('host', 'host');
/** The slot of `device` in the rows of every kind of device. */
const { device } = slots('identity', 'vm_disk');

const parts = {
  begin: Buffer.from('"'),
  next: Buffer.from('","'),
  end: Buffer.from('"\n'),
};

/** Where the names of VMs are published that came after the header, once for each; whoever logs subscribes. */
export const withoutColumns = channel('proxtop.printers.esxtop');

/** The counters of one row, side by side. */
interface Block {
  /** Of the row they are read from: see {@link indexed}. */
  readonly key: string;
  /** `Group(instance)`. */
  readonly heading: string;
  readonly counters: readonly Counter[];
}

/**
 * The wide CSV of esxtop's batch mode, after the perfmon logs of Windows: a line for each sample, a column for each
 * counter, `\\host\Group(instance)\Counter`, every cell in quotes, an empty one for what is not known, times in UTC.
 *
 * The columns are those of the VMs and devices of the first sample, since readers expect one header. What comes later
 * has none; what went leaves its cells empty, and fills them when it comes back. {@link begin} starts a new table.
 * Percentages of a group are sums over the vCPUs, as in esxtop. Names are made such that readers can split them.
 */
export class EsxtopPrinter implements Printer {
  private readonly out = new ByteWriter();
  private blocks: readonly Block[] | undefined;
  /** UUIDs of VMs that have columns, or were published as having none. */
  private known = new Set<string>();

  print(sample: Sample): readonly Buffer[] {
    const records: Buffer[] = [];
    if (this.blocks === undefined) {
      this.blocks = blocksOf(sample);
      this.known = new Set(sample.vms.map(uuidOf));
      records.push(this.header(sample.host.row.texts[host_name] ?? 'localhost', this.blocks));
    }
    this.publishLate(sample.vms);
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
    const rows = indexed(sample);
    out.append(parts.begin);
    out.text(timeOf(sample));
    for (const { key, counters } of blocks) {
      const values = rows.get(key)?.values;
      for (const [, read] of counters) {
        out.append(parts.next);
        const value = values === undefined ? NaN : read(values);
        if (Number.isFinite(value)) out.number(value);
      }
    }
    out.append(parts.end);
    return out.take();
  }

  private publishLate(vms: readonly VmRows[]): void {
    for (const vm of vms) {
      const uuid = uuidOf(vm);
      if (this.known.has(uuid)) continue;
      this.known.add(uuid);
      withoutColumns.publish(vm.row.texts[identity.name] ?? uuid);
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
function indexed({ host, vms }: Sample): ReadonlyMap<string, Row> {
  const rows = new Map([['host', host.row]]);
  const add = (owner: string, devices: readonly Row[]): void => {
    for (const row of devices) rows.set(keyOf(owner, row), row);
  };
  add('', host.disks);
  add('', host.nics);
  for (const vm of vms) {
    const uuid = uuidOf(vm);
    rows.set(uuid, vm.row);
    for (const devices of [vm.vcpus, vm.disks, vm.nics]) add(uuid, devices);
  }
  return rows;
}

function keyOf(owner: string, row: Row): string {
  return `${owner} ${row.scope} ${deviceOf(row)}`;
}

function uuidOf({ row }: VmRows): string {
  return row.texts[identity.UUID] ?? '';
}

function deviceOf(row: Row): string {
  return row.texts[device] ?? '';
}

function blocksOf({ host, vms, collectors }: Sample): readonly Block[] {
  const blocks: Block[] = [];
  const add = (key: string, { name, collector, counters }: CounterGroup, instance?: string): void => {
    if (!collectors.includes(collector)) return;
    blocks.push({ key, heading: instance === undefined ? name : `${name}(${instance})`, counters });
  };
  for (const group of hostGroups) add('host', group);
  const names = uniqueNames(vms);
  for (const [index, vm] of vms.entries()) {
    const key = uuidOf(vm);
    const name = names[index] ?? '';
    const group = `${groupId(vm)}:${name}`;
    add(key, cpuGroup, group);
    for (const row of vm.vcpus)
      add(keyOf(key, row), vcpuGroup, `${group}:${deviceOf(row)}:vmx-vcpu-${deviceOf(row)}`);
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
function groupId({ row }: VmRows): string {
  return row.texts[identity.vmid] ?? row.texts[identity.pid] ?? '0';
}

/** The names of the VMs; one that several have gets the number of the group behind it. */
function uniqueNames(vms: readonly VmRows[]): readonly string[] {
  const names = vms.map(({ row }) => plain(row.texts[identity.name] ?? ''));
  const taken = new Set<string>();
  return names.map((name, index) => {
    const vm = vms[index];
    const unique = taken.has(name) && vm !== undefined ? `${name} ${groupId(vm)}` : name;
    taken.add(unique);
    return unique;
  });
}

/** A name without what has a meaning in a column's name, and the comma at which simple readers split lines. */
function plain(name: string): string {
  return printable(name).replace(/[\\/():,"#*]/g, '_');
}
