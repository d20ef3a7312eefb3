import { slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import type { HostRows } from '../sampling/sample.ts';
import { Followed } from './followed.ts';
import { Means } from './means.ts';

const cpu = slots('cpu', 'host');
const mem = slots('mem', 'host');
const pressure = slots('pressure', 'host');
const cpuNames = slots('identity', 'host_cpu');
const cpuSlots = slots('cpu', 'host_cpu');
const diskNames = slots('identity', 'host_disk');
const diskSlots = slots('disk', 'host_disk');
const numaSlots = slots('mem', 'host_numa');
const nicNames = slots('identity', 'host_nic');
const nicSlots = slots('net', 'host_nic');

/** Means of the host. */
export const ofHost = {
  busy: 0,
  steal: 1,
  /** Percent of its memory. */
  obtainable: 2,
  memoryPressure: 3,
  swapIn: 4,
} as const;
export const ofHostDisk = { operations: 0, mib: 1 } as const;
export const ofHostNic = { rx: 0, tx: 1 } as const;

/** What is kept of a network interface of the host. */
class HostNic {
  readonly means = new Means(2);
  row!: Row;

  constructor(readonly name: string) {}
}

/** Keeps signals of rows by the texts in a slot. */
function byName<Signals>(slot: number, make: (name: string) => Signals): Followed<Row, Signals> {
  return new Followed(({ texts }) => texts[slot] ?? '', make);
}

/** What is kept of the host and its CPUs, disks and NICs. */
export class HostSignals {
  readonly means = new Means(Object.keys(ofHost).length);
  readonly disks = byName(diskNames.device, () => new Means(2));
  readonly nics = byName(nicNames.device, (name) => new HostNic(name));
  row!: Row;
  /** How many NUMA nodes it has, and bytes of memory of the largest; 0 where not known, or where memory is all alike. */
  readonly numa = { nodes: 0, largest: 0 };
  private readonly cpus = byName(cpuNames.device, () => new Means(1));

  /** How many CPUs it has. */
  get cores(): number {
    return this.row.values[cpu.cpu_cores] ?? NaN;
  }

  get memoryTotal(): number {
    return this.row.values[mem.ram_total] ?? NaN;
  }

  /** How busy some of its CPUs are, percent; NaN where not known. @param cpus undefined for all */
  busy(cpus: ReadonlySet<number> | undefined): number {
    if (cpus === undefined) return this.means.of(ofHost.busy);
    let sum = 0;
    for (const number of cpus) sum += this.cpus.get(String(number))?.of(0) ?? NaN;
    return sum / cpus.size;
  }

  /** Whether at most so many percent of its memory can still be had. */
  memoryShort(most: number): boolean {
    return this.means.of(ofHost.obtainable) <= most;
  }

  follow({ row, cpus, disks, nics, numa }: HostRows, weight: number): void {
    this.row = row;
    const value = (slot: number): number => row.values[slot] ?? NaN;
    const steal = value(cpu.cpu_steal);
    const idle = value(cpu.cpu_idle) + (value(cpu.cpu_iowait) || 0) + (steal || 0);
    this.means.add(ofHost.busy, Math.max(0, 100 - idle), weight);
    this.means.add(ofHost.steal, steal, weight);
    const obtainable = value(mem.ram_obtainable) / value(mem.ram_total);
    this.means.add(ofHost.obtainable, obtainable * 100, weight);
    this.means.add(ofHost.memoryPressure, value(pressure.psi_some_mem_avg10), weight);
    this.means.add(ofHost.swapIn, value(mem.ram_pswpin), weight);
    this.numa.nodes = numa.length;
    this.numa.largest = numa.reduce(
      (most, { values }) => Math.max(most, values[numaSlots.numa_total] || 0),
      0,
    );
    for (const [index, means] of this.cpus.follow(cpus).entries())
      means.add(0, cpus[index]?.values[cpuSlots.cpu_busy] ?? NaN, weight);
    for (const [index, means] of this.disks.follow(disks).entries()) {
      const of = (slot: number): number => disks[index]?.values[slot] ?? NaN;
      means.add(ofHostDisk.operations, of(diskSlots.disk_reads) + of(diskSlots.disk_writes), weight);
      means.add(ofHostDisk.mib, of(diskSlots.disk_read_mib) + of(diskSlots.disk_write_mib), weight);
    }
    for (const [index, nic] of this.nics.follow(nics).entries()) {
      nic.row = nics[index] as Row;
      nic.means.add(ofHostNic.rx, nic.row.values[nicSlots.net_rx_mbit] ?? NaN, weight);
      nic.means.add(ofHostNic.tx, nic.row.values[nicSlots.net_tx_mbit] ?? NaN, weight);
    }
  }
}
