import { mean, rate, text } from '../../metric.ts';
import type { Declaration } from '../../metric.ts';

const source = '/sys/dev/block/<major>:<minor>/stat, found by /proc/<pid>/fdinfo';
const needs = 'a disk on a block device of this host';
const rules =
  'delta(ms)/delta(operations) over the time between two answers of the monitor; omitted with fewer than 20 operations or 10 ms';
const above =
  'LAT - DAVG; omitted with the page cache (no O_DIRECT), for writes on a shared device, and where the device got over 20 % more or fewer operations than the disk';
const slowDevice = {
  levels: '15/25',
  causes: [
    'The device is slow or overloaded: compare %UTIL and QUEUE of the host (key s), and press b to see who uses it.',
    'Its array, path or cache is degraded.',
  ],
} as const;
const slowHost = {
  levels: '2/10',
  causes: [
    'The disk has a limit (iops, mbps) and the guest asks for more: QEMU makes it wait.',
    'QEMU waits for a CPU: compare %OTHRDY.',
    'A backup copies the disk, or its image needs more than one operation for one of the guest (qcow2).',
  ],
} as const;

/** The block device of the host below a virtual disk, and how the latency of the disk divides. */
export const diskBelow = [
  text('disk_device', {
    title: 'BELOW',
    source: '/proc/<pid>/fdinfo, mountinfo',
    meaning:
      'Block device of the host that the disk is, or on which the file system of its image lies; a row of host_disk. Of an image on ZFS its data set',
    needs: 'a disk on a block device or ZFS of this host',
  }),
  text('disk_device_use', {
    title: 'USE',
    shown: 'verbose',
    source: '/proc/<pid>/fdinfo, mountinfo',
    meaning:
      'private: the device serves this disk alone; shared: others use it too, or a file system lies on it',
    needs: 'a disk on a block device or ZFS of this host',
  }),
  mean('disk_davg_rd', {
    title: 'DAVG/rd',
    unit: 'ms',
    source,
    formula: rules,
    meaning: "Mean read time of the device below the disk, over all its users. esxtop's DAVG.",
    needs,
    prometheus: 'gauge',
    ...slowDevice,
    operations: ['disk_reads'],
  }),
  mean('disk_davg_wr', {
    title: 'DAVG/wr',
    unit: 'ms',
    source,
    formula: rules,
    meaning:
      'Mean write time of the device below the disk. A zvol acknowledges writes from memory unless they are synchronous.',
    needs,
    prometheus: 'gauge',
    ...slowDevice,
    operations: ['disk_writes'],
  }),
  mean('disk_kavg_rd', {
    title: 'KAVG/rd',
    unit: 'ms',
    source: 'derived',
    formula: above,
    meaning:
      'Read latency of the guest minus that of the device: limits, QEMU, and the file system of the host.',
    needs,
    prometheus: 'gauge',
    ...slowHost,
    operations: ['disk_reads'],
  }),
  mean('disk_kavg_wr', {
    title: 'KAVG/wr',
    unit: 'ms',
    source: 'derived',
    formula: above,
    meaning: 'Write latency of the guest minus that of the device.',
    needs: 'a block device of its own',
    prometheus: 'gauge',
    ...slowHost,
    operations: ['disk_writes'],
  }),
  done('disk_device_reads', 'BREADS/s', 'per second', 'reads', 'Reads of the device below the disk'),
  done('disk_device_writes', 'BWRITES/s', 'per second', 'writes', 'Writes of the device below the disk'),
  done('disk_device_read_mib', 'BMBRD/s', 'MiB per second', 'nread/2^20', 'Data read from the device'),
  done('disk_device_write_mib', 'BMBWR/s', 'MiB per second', 'nwritten/2^20', 'Data written to the device'),
];

/** What the device below a disk did. @param objset how ZFS calls it */
function done<Id extends string>(
  id: Id,
  title: string,
  unit: 'per second' | 'MiB per second',
  objset: string,
  what: string,
): Declaration<Id> {
  return rate(id, {
    title,
    unit,
    shown: 'verbose',
    source: `/proc/spl/kstat/zfs/<pool>/objset-*, ${source}`,
    formula: `rate; with ZFS of its own count (${objset}), of other devices of that of the kernel`,
    meaning: `${what}, for all its users. ZFS also serves reads from its cache.`,
    needs: 'a disk on a block device or ZFS of this host',
    // One device can lie below many disks, so that a sum over them would count it more than once.
    counter: { none: 'that of the device itself is on the host' },
    prometheus: 'gauge',
  });
}
