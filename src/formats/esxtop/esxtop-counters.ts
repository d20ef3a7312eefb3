import { slots } from '../../catalogue/catalogue.ts';
import type { CollectorName } from '../../catalogue/catalogue.ts';

/** Makes a value of the values of a row; NaN where not known. */
type Reading = (values: Float64Array) => number;

/** A counter of esxtop's batch mode, and how its value is made. */
export type EsxtopCounter = readonly [name: string, value: Reading];

/** Counters under one heading, such as `Group Cpu`. */
export interface CounterGroup {
  readonly name: string;
  /** Whose values they are made of. */
  readonly collector: CollectorName;
  readonly counters: readonly EsxtopCounter[];
}

const MIB = 2 ** 20;

/** Reads a slot, divided. */
function at(slot: number, divisor = 1): Reading {
  return (values) => (values[slot] ?? NaN) / divisor;
}

function plus(first: Reading, second: Reading): Reading {
  return (values) => first(values) + second(values);
}

const vmCpu = slots('cpu', 'vm');
const vcpu = slots('cpu', 'vm_vcpu');
const vmMem = slots('mem', 'vm');
const hostCpu = slots('cpu', 'host');
const hostMem = slots('mem', 'host');
const hostDisk = slots('disk', 'host_disk');

/** Our percentages are means over the vCPUs; those of a group are sums. */
function sum(slot: number): Reading {
  return (values) => (values[slot] ?? NaN) * (values[vmCpu.cpu_cores] ?? NaN);
}

const idle = plus(at(hostCpu.cpu_idle), at(hostCpu.cpu_iowait));
const busy: Reading = (values) => 100 - idle(values);
const cpus = at(hostCpu.cpu_cores);

/** Of the host as a whole. */
export const hostGroups: readonly CounterGroup[] = [
  {
    name: 'Physical Cpu(_Total)',
    collector: 'cpu',
    counters: [
      ['% Processor Time', busy],
      ['% Util Time', busy],
    ],
  },
  {
    name: 'Physical Cpu Load',
    collector: 'cpu',
    counters: ([1, 5, 15] as const).map((minutes) => {
      const load = at(hostCpu[`cpu_load${minutes}`]);
      return [`Cpu Load (${minutes} Minute Avg)`, (values) => load(values) / cpus(values)];
    }),
  },
  {
    name: 'Memory',
    collector: 'mem',
    counters: [
      ['Machine MBytes', at(hostMem.ram_total, MIB)],
      ['Free MBytes', at(hostMem.ram_available, MIB)],
    ],
  },
];

export const hostDiskGroup: CounterGroup = {
  name: 'Physical Disk SCSI Device',
  collector: 'disk',
  counters: [
    ['Active Commands', at(hostDisk.disk_queue_depth)],
    ['% Used', at(hostDisk.disk_util)],
    ['Commands/sec', plus(at(hostDisk.disk_reads), at(hostDisk.disk_writes))],
    ['Reads/sec', at(hostDisk.disk_reads)],
    ['Writes/sec', at(hostDisk.disk_writes)],
    ['MBytes Read/sec', at(hostDisk.disk_read_mib)],
    ['MBytes Written/sec', at(hostDisk.disk_write_mib)],
    ['Average Driver MilliSec/Command', at(hostDisk.disk_await)],
  ],
};

export const cpuGroup: CounterGroup = {
  name: 'Group Cpu',
  collector: 'cpu',
  counters: [
    ['Members', at(vmCpu.cpu_cores)],
    ['% Used', plus(sum(vmCpu.cpu_total), at(vmCpu.cpu_other_total))],
    ['% Run', sum(vmCpu.cpu_total)],
    ['% System', at(vmCpu.cpu_other_total)],
    ['% Ready', sum(vmCpu.cpu_steal)],
    ['% Max Limited', at(vmCpu.cpu_throttled)],
  ],
};

export const vcpuGroup: CounterGroup = {
  name: 'Vcpu',
  collector: 'cpu',
  counters: [
    ['% Used', at(vcpu.cpu_total)],
    ['% Run', at(vcpu.cpu_total)],
    ['% Ready', at(vcpu.cpu_steal)],
  ],
};

export const memoryGroup: CounterGroup = {
  name: 'Group Memory',
  collector: 'mem',
  counters: [
    ['Memory Size MBytes', at(vmMem.ram_total, MIB)],
    ['Memory Granted Size MBytes', at(vmMem.ram_used, MIB)],
    ['Memory Consumed Size MBytes', at(vmMem.ram_rss, MIB)],
    ['Target Size MBytes', at(vmMem.ram_actual, MIB)],
    ['% Active Estimate', at(vmMem.ram_active)],
    ['Swapped MBytes', at(vmMem.ram_swap, MIB)],
  ],
};

/** Of a virtual disk, or of all of a VM together. */
export const virtualDiskGroup = perScope(['vm', 'vm_disk'], (scope): CounterGroup => {
  const disk = slots('disk', scope);
  return {
    name: 'Virtual Disk',
    collector: 'disk',
    counters: [
      ['Commands/sec', plus(at(disk.disk_reads), at(disk.disk_writes))],
      ['Reads/sec', at(disk.disk_reads)],
      ['Writes/sec', at(disk.disk_writes)],
      ['MBytes Read/sec', at(disk.disk_read_mib)],
      ['MBytes Written/sec', at(disk.disk_write_mib)],
      ['Average MilliSec/Read', at(disk.disk_lat_rd)],
      ['Average MilliSec/Write', at(disk.disk_lat_wr)],
    ],
  };
});

/** Of an interface of the host, or of a VM as the VM sees it. */
export const portGroup = perScope(['host_nic', 'vm_nic'], (scope): CounterGroup => {
  const nic = slots('net', scope);
  return {
    name: 'Network Port',
    collector: 'net',
    counters: [
      ['Packets Transmitted/sec', at(nic.net_tx_packets)],
      ['MBits Transmitted/sec', at(nic.net_tx_mbit)],
      ['Packets Received/sec', at(nic.net_rx_packets)],
      ['MBits Received/sec', at(nic.net_rx_mbit)],
      ['% Outbound Packets Dropped', at(nic.net_tx_drop_percent)],
      ['% Received Packets Dropped', at(nic.net_rx_drop_percent)],
    ],
  };
});

function perScope<const S extends string>(
  scopes: readonly S[],
  make: (scope: S) => CounterGroup,
): Readonly<Record<S, CounterGroup>> {
  return Object.fromEntries(scopes.map((scope) => [scope, make(scope)])) as Record<S, CounterGroup>;
}
