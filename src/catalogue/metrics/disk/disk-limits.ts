import { gauge, percent } from '../../metric.ts';
import type { Declaration } from '../../metric.ts';

const needs = 'a disk with a limit';
const OPERATIONS = 'per second';
const BYTES = 'MiB per second';

/**
 * A limit, or how far a burst may go beyond it for a while.
 * @param option how QEMU and Proxmox VE call it; a burst ends in _max
 */
function most<Id extends string>(
  id: Id,
  title: string,
  unit: typeof OPERATIONS | typeof BYTES,
  option: string,
  meaning: string,
  shown?: 'verbose',
): Declaration<Id> {
  return gauge(id, {
    title,
    unit,
    source: 'QMP query-block / limits of the throttle group / Proxmox config / libvirt XML iotune',
    formula: option,
    meaning,
    needs,
    ...(shown !== undefined && { shown }),
  });
}

/** The limits that QEMU applies to a virtual disk. The limit of a rate has the name of the rate. */
export const diskLimits = [
  percent('disk_limit_used', {
    title: '%LIMIT',
    source: 'derived',
    formula: 'the largest of rate/limit over all limits of the disk; a burst beyond a limit counts as 100',
    meaning: "Use of the disk's own limit. At 100 % the guest waits for this limit, not for the storage.",
    needs,
    prometheus: 'gauge',
    levels: '90',
    causes: [
      'The guest asks for more than the limit allows; LAT shows how long it waits.',
      'Raise the limit (iops, mbps) if the storage can give more: see DAVG.',
    ],
  }),
  most('disk_iops_limit', 'IOPS/max', OPERATIONS, 'iops', 'Limit of operations, reads and writes together.'),
  most('disk_mib_limit', 'MB/max', BYTES, 'mbps', 'Limit of throughput, reads and writes together.'),
  most('disk_reads_limit', 'READS/max', OPERATIONS, 'iops_rd', 'Limit of reads.', 'verbose'),
  most('disk_writes_limit', 'WRITES/max', OPERATIONS, 'iops_wr', 'Limit of writes.', 'verbose'),
  most('disk_read_mib_limit', 'MBRD/max', BYTES, 'mbps_rd', 'Limit of read throughput.', 'verbose'),
  most('disk_write_mib_limit', 'MBWR/max', BYTES, 'mbps_wr', 'Limit of write throughput.', 'verbose'),
  most('disk_iops_burst', 'IOPS/burst', OPERATIONS, 'iops_max', 'Limit of operations in a burst.', 'verbose'),
  most('disk_mib_burst', 'MB/burst', BYTES, 'mbps_max', 'Limit of throughput in a burst.', 'verbose'),
  most('disk_reads_burst', 'READS/burst', OPERATIONS, 'iops_rd_max', 'Limit of reads in a burst.', 'verbose'),
  most(
    'disk_writes_burst',
    'WRITES/burst',
    OPERATIONS,
    'iops_wr_max',
    'Limit of writes in a burst.',
    'verbose',
  ),
  most(
    'disk_read_mib_burst',
    'MBRD/burst',
    BYTES,
    'mbps_rd_max',
    'Limit of read throughput in a burst.',
    'verbose',
  ),
  most(
    'disk_write_mib_burst',
    'MBWR/burst',
    BYTES,
    'mbps_wr_max',
    'Limit of write throughput in a burst.',
    'verbose',
  ),
];
