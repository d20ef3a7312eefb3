import { slots } from '../../catalogue/catalogue.ts';
import type { CollectorName } from '../../catalogue/catalogue.ts';

/** Computes a value from a row; NaN where not known, and where Linux has no such value. */
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

/** A mean over two kinds of operations; of one kind alone where there were none of the other. */
function weighted(
  one: readonly [mean: Reading, rate: Reading],
  other: readonly [mean: Reading, rate: Reading],
): Reading {
  return (values) => {
    let sum = 0;
    let operations = 0;
    for (const [mean, rate] of [one, other]) {
      const rates = rate(values);
      if (rates === 0) continue;
      sum += mean(values) * rates;
      operations += rates;
    }
    return operations === 0 ? 0 : sum / operations;
  };
}

/** A latency as esxtop has it: 0 while there are no operations. */
function latency(slot: number, operations: Reading): Reading {
  const mean = at(slot);
  return (values) => (operations(values) === 0 ? 0 : mean(values));
}

/** Operations of all kinds; of recordings that do not have them, without flushes. */
function commandsOf(disk: Readonly<Record<'disk_commands' | 'disk_reads' | 'disk_writes', number>>): Reading {
  const some = plus(at(disk.disk_reads), at(disk.disk_writes));
  return (values) => {
    const all = values[disk.disk_commands] ?? NaN;
    return Number.isNaN(all) ? some(values) : all;
  };
}

/** Counters that readers look for and Linux does not have. */
const none: Reading = () => NaN;

const vmCpu = slots('cpu', 'vm');
const vmPressure = slots('pressure', 'vm');
const vcpu = slots('cpu', 'vm_vcpu');
const vmMem = slots('mem', 'vm');
const hostCpu = slots('cpu', 'host');
const hostMem = slots('mem', 'host');
const hostDisk = slots('disk', 'host_disk');
const eachCpu = slots('cpu', 'host_cpu');

/** Our percentages are means over the vCPUs; those of a group are sums. */
function sum(slot: number): Reading {
  return (values) => (values[slot] ?? NaN) * (values[vmCpu.cpu_cores] ?? NaN);
}

/** Time in which the vCPUs neither run nor want to: they are halted, or wait for QEMU. */
const halted: Reading = (values) =>
  Math.max(0, (values[vmCpu.cpu_cores] ?? NaN) * 100 - ready(values) - sum(vmCpu.cpu_total)(values));
const ready = sum(vmCpu.cpu_steal);
/** Waiting for a CPU, but not for its own limit; without a cgroup that reports the limit, it may be included. */
const contention: Reading = (values) => {
  const known = values[vmCpu.cpu_contention] ?? NaN;
  return Number.isNaN(known) ? (values[vmCpu.cpu_steal] ?? NaN) : known;
};

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
      ['% Core Util Time', busy],
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
      [
        'Kernel MBytes',
        plus(
          at(hostMem.ram_slab, MIB),
          plus(at(hostMem.ram_kernelstack, MIB), at(hostMem.ram_pagetables, MIB)),
        ),
      ],
      ['Swap Used MBytes', at(hostMem.ram_swapused, MIB)],
      ['Swap MBytes Read/sec', at(hostMem.ram_pswpin, MIB)],
      ['Swap MBytes Write/sec', at(hostMem.ram_pswpout, MIB)],
    ],
  },
];

export const eachCpuGroup: CounterGroup = {
  name: 'Physical Cpu',
  collector: 'cpu',
  counters: [
    ['% Processor Time', at(eachCpu.cpu_busy)],
    ['% Util Time', at(eachCpu.cpu_busy)],
  ],
};

const hostDiskCommands = commandsOf(hostDisk);

export const hostDiskGroup: CounterGroup = {
  name: 'Physical Disk SCSI Device',
  collector: 'disk',
  counters: [
    ['Active Commands', at(hostDisk.disk_queue_depth)],
    ['% Used', at(hostDisk.disk_util)],
    ['Commands/sec', hostDiskCommands],
    ['Reads/sec', at(hostDisk.disk_reads)],
    ['Writes/sec', at(hostDisk.disk_writes)],
    ['MBytes Read/sec', at(hostDisk.disk_read_mib)],
    ['MBytes Written/sec', at(hostDisk.disk_write_mib)],
    ['Average Driver MilliSec/Command', latency(hostDisk.disk_await, hostDiskCommands)],
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
    ['% Ready', ready],
    ['% Max Limited', at(vmCpu.cpu_throttled)],
    ['% Wait', halted],
    ['% Idle', halted],
    ['% CoStop', none],
    ['% Swap Wait', at(vmPressure.psi_full_mem_avg10)],
    ['% CPU Latency', contention],
    ['% Memory Latency', at(vmPressure.psi_some_mem_avg10)],
  ],
};

const vcpuHalted: Reading = (values) =>
  Math.max(0, 100 - (values[vcpu.cpu_total] ?? NaN) - (values[vcpu.cpu_steal] ?? NaN));

export const vcpuGroup: CounterGroup = {
  name: 'Vcpu',
  collector: 'cpu',
  counters: [
    ['% Used', at(vcpu.cpu_total)],
    ['% Run', at(vcpu.cpu_total)],
    ['% Ready', at(vcpu.cpu_steal)],
    ['% Wait', vcpuHalted],
    ['% Idle', vcpuHalted],
    ['% CoStop', none],
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
    ['Memctl MBytes', at(vmMem.ram_ballooned, MIB)],
    ['% Active Estimate', at(vmMem.ram_active)],
    ['Swapped MBytes', at(vmMem.ram_swap, MIB)],
  ],
};

/** Of a virtual disk, or of all of a VM together. */
export const virtualDiskGroup = perScope(['vm', 'vm_disk'], (scope): CounterGroup => {
  const disk = slots('disk', scope);
  const reads = at(disk.disk_reads);
  const writes = at(disk.disk_writes);
  const commands = commandsOf(disk);
  return {
    name: 'Virtual Disk',
    collector: 'disk',
    counters: [
      ['Commands/sec', commands],
      ['Reads/sec', reads],
      ['Writes/sec', writes],
      ['MBytes Read/sec', at(disk.disk_read_mib)],
      ['MBytes Written/sec', at(disk.disk_write_mib)],
      ['Average MilliSec/Read', latency(disk.disk_lat_rd, reads)],
      ['Average MilliSec/Write', latency(disk.disk_lat_wr, writes)],
      ['Average Guest MilliSec/Command', latency(disk.disk_lat_avg, commands)],
      ...belowCounters(disk, reads, writes),
    ],
  };
});

/** What of the latency of a disk passes in the device below, and above it; of all disks of a VM together nothing tells. */
function belowCounters(disk: object, reads: Reading, writes: Reading): EsxtopCounter[] {
  const of = (kind: string): Reading => {
    const slot = new Map<string, number>(Object.entries(disk));
    const [read, write] = [slot.get(`disk_${kind}_rd`), slot.get(`disk_${kind}_wr`)];
    return read === undefined || write === undefined
      ? none
      : weighted([at(read), reads], [at(write), writes]);
  };
  return [
    ['Average Kernel MilliSec/Command', of('kavg')],
    ['Average Driver MilliSec/Command', of('davg')],
  ];
}

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
