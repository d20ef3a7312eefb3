import { level, percentOf, query } from './panels.ts';
import type { Section } from './panels.ts';

/** Seconds of a mean that the stream has in ms. */
const MS = 1e-3;

/** Why a VM is slow: the device below its disk, what lies above that, a limit of its own, or others on the host. */
export const slow: Section = {
  title: 'Slow device, own limit, or busy host: $vm',
  panels: [
    {
      title: 'Disks: time in the device below (DAVG)',
      description:
        'By operation. Nothing with few operations, and where no block device of the host lies below.',
      unit: 's',
      queries: (['rd', 'wr'] as const).map((direction) =>
        query(
          'vmDevice',
          direction === 'rd' ? 'reads' : 'writes',
          level('vmDevice', 'vm_disk', `disk_davg_${direction}`),
          ['vm_disk', `disk_davg_${direction}`],
          MS,
        ),
      ),
    },
    {
      title: 'Disks: time above the device (KAVG)',
      description:
        'Limits of the disk, QEMU and the file system of the host: the latency of the guest less DAVG.',
      unit: 's',
      queries: (['rd', 'wr'] as const).map((direction) =>
        query(
          'vmDevice',
          direction === 'rd' ? 'reads' : 'writes',
          level('vmDevice', 'vm_disk', `disk_kavg_${direction}`),
          ['vm_disk', `disk_kavg_${direction}`],
          MS,
        ),
      ),
    },
    {
      title: 'Own limits: used',
      description: 'At 100 the guest waits for a limit of its own, and for nobody else.',
      unit: 'percent',
      queries: [
        query('vmDevice', 'disk', percentOf(level('vmDevice', 'vm_disk', 'disk_limit_used')), [
          'vm_disk',
          'disk_limit_used',
        ]),
        query('vmDevice', 'NIC', percentOf(level('vmDevice', 'vm_nic', 'net_limit_used')), [
          'vm_nic',
          'net_limit_used',
        ]),
        query('vm', 'CPU', percentOf(level('vm', 'vm', 'cpu_limit_used')), ['vm', 'cpu_limit_used']),
      ],
    },
    {
      title: 'CPU: contention',
      description:
        'Time that its vCPUs waited because others ran, without that of its own limit. Needs verbose = true and a cgroup of its own.',
      unit: 'percent',
      queries: [query('vm', '', percentOf(level('vm', 'vm', 'cpu_contention')), ['vm', 'cpu_contention'])],
    },
    {
      title: 'CPU: the worst vCPU, and the busiest thread of QEMU',
      description: 'At 100 a program of one thread, or a disk or NIC, cannot go faster.',
      unit: 'percent',
      queries: [
        query('vm', 'used', percentOf(level('vm', 'vm', 'cpu_total_max')), ['vm', 'cpu_total_max']),
        query('vm', 'waited', percentOf(level('vm', 'vm', 'cpu_steal_max')), ['vm', 'cpu_steal_max']),
        query('vm', 'QEMU', percentOf(level('vm', 'vm', 'cpu_other_max')), ['vm', 'cpu_other_max']),
      ],
    },
  ],
};
