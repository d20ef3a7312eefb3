import { gauge, percent } from './metric.ts';

const needs = 'a disk with a limit';
const source = 'QMP query-block / throttle group / Proxmox config iops=, mbps=, ...';

/** What QEMU holds a virtual disk back to. The limit of a rate is called like the rate. */
export const diskLimits = [
  percent('disk_limit_used', {
    title: '%LIMIT',
    source: 'derived',
    formula: 'the largest of rate/limit over all limits of the disk; a burst beyond a limit counts as 100',
    meaning:
      'How near the disk is to a limit of its own. At 100 % the guest waits for this limit, and not for the storage.',
    needs,
    prometheus: 'gauge',
    levels: '90',
    causes: [
      'The guest asks for more than its disk may: LAT then says how long it waits for that.',
      'Raise the limit (iops, mbps) if the storage has more to give: DAVG tells.',
    ],
  }),
  gauge('disk_iops_limit', {
    title: 'IOPS/max',
    unit: 'per second',
    source,
    meaning: 'Most operations, reads and writes together.',
    needs,
  }),
  gauge('disk_mib_limit', {
    title: 'MB/max',
    unit: 'MiB per second',
    source,
    meaning: 'Most bytes, read and written together.',
    needs,
  }),
  gauge('disk_reads_limit', {
    title: 'READS/max',
    unit: 'per second',
    shown: 'verbose',
    source,
    meaning: 'Most reads.',
    needs,
  }),
  gauge('disk_writes_limit', {
    title: 'WRITES/max',
    unit: 'per second',
    shown: 'verbose',
    source,
    meaning: 'Most writes.',
    needs,
  }),
  gauge('disk_read_mib_limit', {
    title: 'MBRD/max',
    unit: 'MiB per second',
    shown: 'verbose',
    source,
    meaning: 'Most bytes read.',
    needs,
  }),
  gauge('disk_write_mib_limit', {
    title: 'MBWR/max',
    unit: 'MiB per second',
    shown: 'verbose',
    source,
    meaning: 'Most bytes written.',
    needs,
  }),
  gauge('disk_iops_burst', {
    title: 'IOPS/burst',
    unit: 'per second',
    shown: 'verbose',
    source,
    meaning: 'Most operations for a while, until the limit holds.',
    needs,
  }),
  gauge('disk_mib_burst', {
    title: 'MB/burst',
    unit: 'MiB per second',
    shown: 'verbose',
    source,
    meaning: 'Most bytes for a while, until the limit holds.',
    needs,
  }),
  gauge('disk_reads_burst', {
    title: 'READS/burst',
    unit: 'per second',
    shown: 'verbose',
    source,
    meaning: 'Most reads for a while.',
    needs,
  }),
  gauge('disk_writes_burst', {
    title: 'WRITES/burst',
    unit: 'per second',
    shown: 'verbose',
    source,
    meaning: 'Most writes for a while.',
    needs,
  }),
  gauge('disk_read_mib_burst', {
    title: 'MBRD/burst',
    unit: 'MiB per second',
    shown: 'verbose',
    source,
    meaning: 'Most bytes read for a while.',
    needs,
  }),
  gauge('disk_write_mib_burst', {
    title: 'MBWR/burst',
    unit: 'MiB per second',
    shown: 'verbose',
    source,
    meaning: 'Most bytes written for a while.',
    needs,
  }),
];
