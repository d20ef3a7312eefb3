import { containers } from './containers.ts';
import { level, percentOf, query, rate } from './panels.ts';
import type { Section } from './panels.ts';
import { slow } from './slow.ts';

/** Seconds by operations. */
const latency = (seconds: string, operations: string): string => `${seconds} / (${operations} > 0)`;

const steal =
  'Time that vCPUs were ready to run and waited for a CPU, of the time that one vCPU has (esxtop: %RDY).';

const hosts: Section = {
  title: 'Hosts',
  panels: [
    {
      title: 'CPU of the hosts',
      description: 'What the CPUs did. Guests are in user.',
      unit: 'percent',
      queries: (['user', 'system', 'iowait', 'steal'] as const).map((mode) =>
        query(
          'host',
          mode,
          `100 * ${rate('host', 'host', `cpu_${mode}`, `mode="${mode}"`)} / ${rate('host', 'host', 'cpu_user')}`,
          ['host', `cpu_${mode}`],
        ),
      ),
    },
    {
      title: 'Memory of the hosts',
      description: 'Available is what can be had without swapping.',
      unit: 'bytes',
      queries: (['total', 'available', 'free'] as const).map((kind) =>
        query('host', kind, level('host', 'host', `ram_${kind}`), ['host', `ram_${kind}`]),
      ),
    },
    {
      title: 'Pressure on the hosts',
      description:
        'Share of time in which tasks waited: some of them for a CPU, all of them for I/O or memory.',
      unit: 'percent',
      queries: (
        [
          ['CPU', 'psi_some_cpu'],
          ['I/O', 'psi_full_io'],
          ['memory', 'psi_full_mem'],
        ] as const
      ).map(([what, id]) =>
        query('host', what, percentOf(rate('host', 'host', `${id}_total`)), ['host', `${id}_avg60`]),
      ),
    },
    {
      title: 'Disks of the hosts: busy',
      description: 'Share of time with any operation in flight.',
      unit: 'percent',
      queries: [
        query('hostDevice', '', percentOf(rate('hostDevice', 'host_disk', 'disk_time_io')), [
          'host_disk',
          'disk_util',
        ]),
      ],
    },
    {
      title: 'CPUs of the hosts, one by one',
      description: 'The busiest. Needs verbose = true and devices = true.',
      unit: 'percent',
      top: 10,
      queries: [
        query('hostDevice', '', percentOf(level('hostDevice', 'host_cpu', 'cpu_busy')), [
          'host_cpu',
          'cpu_busy',
        ]),
      ],
    },
    {
      title: 'ZFS pools: left',
      description: 'Needs devices = true.',
      unit: 'bytes',
      queries: [
        query('hostDevice', '', level('hostDevice', 'host_pool', 'pool_available'), [
          'host_pool',
          'pool_available',
        ]),
      ],
    },
    {
      title: 'Network of the hosts',
      description: 'Of the physical NICs.',
      unit: 'bps',
      queries: [
        query(
          'host',
          'received',
          `8 * ${rate('host', 'host', 'net_rx_bytes')}`,
          ['host', 'net_rx_mbit'],
          1e6,
        ),
        query('host', 'sent', `8 * ${rate('host', 'host', 'net_tx_bytes')}`, ['host', 'net_tx_mbit'], 1e6),
      ],
    },
    {
      title: 'Running VMs',
      description: '',
      unit: 'none',
      queries: [query('host', '', level('host', 'host', 'host_vms'), ['host', 'host_vms'])],
    },
    {
      title: 'Outputs: records that wait',
      description: 'In memory. What is given up is counted in dropped_records.',
      unit: 'none',
      queries: [query('output', '', level('output', 'agent_output', 'queued'), ['agent_output', 'queued'])],
    },
  ],
};

const neighbours: Section = {
  title: 'Noisy neighbours: who waits (left), and who takes (right)',
  panels: [
    {
      title: 'Waits for a CPU',
      description: steal,
      unit: 'percent',
      top: 10,
      queries: [query('vms', '', percentOf(perVcpu('vms', 'cpu_steal')), ['vm', 'cpu_steal'])],
    },
    {
      title: 'Takes CPU',
      description: 'Of its vCPUs, as a share of what they could have.',
      unit: 'percent',
      top: 10,
      queries: [query('vms', '', percentOf(perVcpu('vms', 'cpu_total')), ['vm', 'cpu_total'])],
    },
    {
      title: 'Waits for its disks',
      description: 'Time by operation, reads.',
      unit: 's',
      top: 10,
      queries: [
        query(
          'vms',
          '',
          latency(rate('vms', 'vm', 'disk_read_time'), rate('vms', 'vm', 'disk_reads')),
          ['vm', 'disk_lat_rd'],
          1e-3,
        ),
      ],
    },
    {
      title: 'Takes disk',
      description: 'Bytes written.',
      unit: 'binBps',
      top: 10,
      queries: [query('vms', '', rate('vms', 'vm', 'disk_write_mib'), ['vm', 'disk_write_mib'], 2 ** 20)],
    },
    {
      title: 'Waits by pressure on its cgroup',
      description: 'Share of time in which some of its tasks waited for a CPU.',
      unit: 'percent',
      top: 10,
      queries: [
        query('vms', '', percentOf(rate('vms', 'vm', 'psi_some_cpu_avg10')), ['vm', 'psi_some_cpu_avg10']),
      ],
    },
    {
      title: 'Takes network',
      description: 'Sent and received.',
      unit: 'bps',
      top: 10,
      queries: [
        query('vms', 'sent', `8 * ${rate('vms', 'vm', 'net_tx_bytes')}`, ['vm', 'net_tx_mbit'], 1e6),
        query('vms', 'received', `8 * ${rate('vms', 'vm', 'net_rx_bytes')}`, ['vm', 'net_rx_mbit'], 1e6),
      ],
    },
  ],
};

const single: Section = {
  title: 'One VM: $vm',
  panels: [
    {
      title: 'CPU: used, waited for, and other threads',
      description: `${steal} Other threads are those of QEMU itself, in percent of one CPU.`,
      unit: 'percent',
      queries: [
        query('vm', 'used', percentOf(perVcpu('vm', 'cpu_total')), ['vm', 'cpu_total']),
        query('vm', 'waited', percentOf(perVcpu('vm', 'cpu_steal')), ['vm', 'cpu_steal']),
        query('vm', 'other threads', percentOf(rate('vm', 'vm', 'cpu_other_total')), [
          'vm',
          'cpu_other_total',
        ]),
      ],
    },
    {
      title: 'vCPUs',
      description: 'Needs devices = true.',
      unit: 'percent',
      queries: [
        query('vmDevice', 'used', percentOf(rate('vmDevice', 'vm_vcpu', 'cpu_total')), [
          'vm_vcpu',
          'cpu_total',
        ]),
        query('vmDevice', 'waited', percentOf(rate('vmDevice', 'vm_vcpu', 'cpu_steal')), [
          'vm_vcpu',
          'cpu_steal',
        ]),
      ],
    },
    {
      title: 'Memory',
      description: 'What the guest has, what it uses (if its balloon driver reports), what the host gave.',
      unit: 'bytes',
      queries: (
        [
          ['of the guest', 'ram_total'],
          ['used by the guest', 'ram_used'],
          ['resident', 'ram_rss'],
        ] as const
      ).map(([what, id]) => query('vm', what, level('vm', 'vm', id), ['vm', id])),
    },
    {
      title: 'Pressure',
      description: 'Share of time in which some of its tasks waited. Needs a cgroup of its own.',
      unit: 'percent',
      queries: (['cpu', 'io', 'mem'] as const).map((resource) =>
        query('vm', resource, percentOf(rate('vm', 'vm', `psi_some_${resource}_avg10`)), [
          'vm',
          `psi_some_${resource}_avg10`,
        ]),
      ),
    },
    {
      title: 'Disks: operations',
      description: '',
      unit: 'iops',
      queries: [
        query('vmDevice', 'reads', rate('vmDevice', 'vm_disk', 'disk_reads'), ['vm_disk', 'disk_reads']),
        query('vmDevice', 'writes', rate('vmDevice', 'vm_disk', 'disk_writes'), ['vm_disk', 'disk_writes']),
      ],
    },
    {
      title: 'Disks: latency',
      description: 'Time by operation, as QEMU counts it; nothing without operations.',
      unit: 's',
      queries: (
        [
          ['reads', 'disk_read_time', 'disk_reads', 'disk_lat_rd'],
          ['writes', 'disk_write_time', 'disk_writes', 'disk_lat_wr'],
        ] as const
      ).map(([what, time, operations, id]) =>
        query(
          'vmDevice',
          what,
          latency(rate('vmDevice', 'vm_disk', time), rate('vmDevice', 'vm_disk', operations)),
          ['vm_disk', id],
          1e-3,
        ),
      ),
    },
    {
      title: 'Disks: throughput',
      description: '',
      unit: 'binBps',
      queries: [
        query(
          'vmDevice',
          'read',
          rate('vmDevice', 'vm_disk', 'disk_read_mib'),
          ['vm_disk', 'disk_read_mib'],
          2 ** 20,
        ),
        query(
          'vmDevice',
          'written',
          rate('vmDevice', 'vm_disk', 'disk_write_mib'),
          ['vm_disk', 'disk_write_mib'],
          2 ** 20,
        ),
      ],
    },
    {
      title: 'Network: traffic',
      description: 'As the VM sees it.',
      unit: 'bps',
      queries: [
        query(
          'vmDevice',
          'received',
          `8 * ${rate('vmDevice', 'vm_nic', 'net_rx_bytes')}`,
          ['vm_nic', 'net_rx_mbit'],
          1e6,
        ),
        query(
          'vmDevice',
          'sent',
          `8 * ${rate('vmDevice', 'vm_nic', 'net_tx_bytes')}`,
          ['vm_nic', 'net_tx_mbit'],
          1e6,
        ),
      ],
    },
    {
      title: 'Network: packets',
      description: '',
      unit: 'pps',
      queries: [
        query('vmDevice', 'received', rate('vmDevice', 'vm_nic', 'net_rx_packets'), [
          'vm_nic',
          'net_rx_packets',
        ]),
        query('vmDevice', 'sent', rate('vmDevice', 'vm_nic', 'net_tx_packets'), ['vm_nic', 'net_tx_packets']),
      ],
    },
  ],
};

/** Seconds a second of one vCPU of a VM: the mean over them. */
function perVcpu(about: 'vms' | 'vm', id: 'cpu_total' | 'cpu_steal'): string {
  return `${rate(about, 'vm', id)} / ${level(about, 'vm', 'cpu_cores')}`;
}

/** A column of the table of VMs. */
export interface TableColumn {
  readonly title: string;
  readonly unit: string;
  readonly promql: string;
  /** Of measurement proxtop_vm. */
  readonly field: string;
  /** From the field's unit to that of the column. */
  readonly factor: number;
  /** Values from which a cell is yellow, and red. */
  readonly thresholds?: readonly [number, number];
}

/** The table of all VMs. */
export const vmTable: readonly TableColumn[] = [
  column('CPU used', 'percent', percentOf(perVcpu('vms', 'cpu_total')), 'cpu_total'),
  column('CPU waited for', 'percent', percentOf(perVcpu('vms', 'cpu_steal')), 'cpu_steal', 1, [5, 10]),
  column(
    'read latency',
    's',
    latency(rate('vms', 'vm', 'disk_read_time'), rate('vms', 'vm', 'disk_reads')),
    'disk_lat_rd',
    1e-3,
    [0.01, 0.025],
  ),
  column(
    'write latency',
    's',
    latency(rate('vms', 'vm', 'disk_write_time'), rate('vms', 'vm', 'disk_writes')),
    'disk_lat_wr',
    1e-3,
    [0.01, 0.025],
  ),
  column(
    'CPU pressure',
    'percent',
    percentOf(rate('vms', 'vm', 'psi_some_cpu_avg10')),
    'psi_some_cpu_avg10',
    1,
    [10, 25],
  ),
  column(
    'I/O pressure',
    'percent',
    percentOf(rate('vms', 'vm', 'psi_some_io_avg10')),
    'psi_some_io_avg10',
    1,
    [10, 25],
  ),
  column('resident', 'bytes', level('vms', 'vm', 'ram_rss'), 'ram_rss'),
];

function column(
  title: string,
  unit: string,
  promql: string,
  field: string,
  factor = 1,
  thresholds?: readonly [number, number],
): TableColumn {
  return { title, unit, promql, field, factor, ...(thresholds !== undefined && { thresholds }) };
}

export const sections: readonly [before: Section, ...behind: Section[]] = [
  hosts,
  neighbours,
  containers,
  single,
  slow,
];
