import { gauge, mean, percent, rate, text } from '../../metric.ts';
import type { Declaration } from '../../metric.ts';
import { commands, readMib, writeMib, writes } from './transfers.ts';

/** What slows a device of the host down. */
const busyDevice = [
  'The device gets more than it can do: look at its operations and MiB per second, and who causes them (key b).',
  'The device is about to fail, or an array is rebuilt or scrubbed.',
  'A path to a network storage is slow or lost.',
];

/** Of a device of the host, and of a VM its part in that. */
export const utilisation = {
  title: '%UTIL',
  meaning:
    'Share of time a host disk is busy; of a VM its share of that, estimated from the bytes of its disks on host disks. Devices that work in parallel can take more at 100 %.',
  original: { id: 'dsk_%UTIL' },
  causes: busyDevice,
};

/** What a device does, or the sum over those of the host. */
const load = [
  rate('disk_writes', {
    ...writes,
    source: '/proc/diskstats f5',
  }),
  rate('disk_read_mib', {
    ...readMib,
    source: '/proc/diskstats f3*512',
    counter: { ...readMib.counter, unit: 'sectors' },
  }),
  rate('disk_write_mib', {
    ...writeMib,
    source: '/proc/diskstats f7*512',
    counter: { ...writeMib.counter, unit: 'sectors' },
  }),
  percent('disk_util', {
    ...utilisation,
    source: '/proc/diskstats f10',
    formula: 'delta(ms)/delta(ms)*100; host: the busiest device',
  }),
  gauge('disk_queue_depth', {
    title: 'QDEPTH',
    unit: 'count',
    source: '/proc/diskstats f9',
    formula: 'in flight now',
    meaning: 'Operations in flight now.',
    original: { id: 'dsk_QDEPTH' },
  }),
  mean('disk_queue_length', {
    title: 'QLEN',
    unit: 'count',
    source: '/proc/diskstats f11',
    formula: 'delta(weighted ms)/delta(ms)',
    meaning: 'Mean number of operations in flight.',
    original: { id: 'dsk_QLEN' },
    causes: busyDevice,
  }),
  mean('disk_service_time', {
    title: 'SVCTM',
    unit: 'ms',
    source: '/proc/diskstats',
    formula: 'delta(f10)/delta(f1+f5); omitted without operations',
    meaning: 'Busy time per operation; it says little about devices that work in parallel.',
    original: { id: 'dsk_SVCTM' },
    operations: ['disk_reads', 'disk_writes'],
  }),
  mean('disk_await', {
    title: 'AWAIT',
    unit: 'ms',
    source: '/proc/diskstats',
    formula: 'delta(f4+f8)/delta(f1+f5); omitted without operations',
    meaning: 'Mean time of an operation in kernel and device, queueing included.',
    original: { id: 'dsk_AWAIT' },
    levels: '15/25',
    causes: busyDevice,
    operations: ['disk_reads', 'disk_writes'],
  }),
  rate('disk_commands', { ...commands, formula: 'disk_reads + disk_writes' }),
  rate('disk_reads_merged', {
    title: 'RDMERGED',
    unit: 'per second',
    shown: 'verbose',
    source: '/proc/diskstats f2',
    formula: 'rate',
    meaning: 'Reads merged with a neighbour before they reached the device.',
    original: { id: 'dsk_rdmerged' },
    counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Reads merged with others' },
  }),
  rate('disk_sectors_read', {
    title: 'SECTORSRD',
    unit: 'per second',
    shown: 'verbose',
    source: '/proc/diskstats f3',
    formula: 'rate',
    meaning: 'Sectors of 512 bytes that were read.',
    original: { id: 'dsk_sectorsrd' },
    counter: { none: 'disk_read_mib has it' },
  }),
  rate('disk_time_reading', {
    title: 'TIMERD',
    unit: 'ms per second',
    shown: 'verbose',
    source: '/proc/diskstats f4',
    formula: 'rate',
    meaning: 'Time spent in reads; parallel ones add up.',
    original: { id: 'dsk_timerd' },
    counter: {
      name: 'disk_read_seconds',
      unit: 'ms',
      counted: 'parts',
      help: 'Time that reads took, summed over parallel ones',
    },
  }),
  rate('disk_writes_merged', {
    title: 'WRMERGED',
    unit: 'per second',
    shown: 'verbose',
    source: '/proc/diskstats f6',
    formula: 'rate',
    meaning: 'Writes merged with a neighbour before they reached the device.',
    original: { id: 'dsk_wrmerged' },
    counter: { unit: 'one', shown: 'verbose', counted: 'parts', help: 'Writes merged with others' },
  }),
  rate('disk_sectors_written', {
    title: 'SECTORSWR',
    unit: 'per second',
    shown: 'verbose',
    source: '/proc/diskstats f7',
    formula: 'rate',
    meaning: 'Sectors of 512 bytes that were written.',
    original: { id: 'dsk_sectorswr' },
    counter: { none: 'disk_write_mib has it' },
  }),
  rate('disk_time_writing', {
    title: 'TIMEWR',
    unit: 'ms per second',
    shown: 'verbose',
    source: '/proc/diskstats f8',
    formula: 'rate',
    meaning: 'Time spent in writes; parallel ones add up.',
    original: { id: 'dsk_timewr' },
    counter: {
      name: 'disk_write_seconds',
      unit: 'ms',
      counted: 'parts',
      help: 'Time that writes took, summed over parallel ones',
    },
  }),
  rate('disk_time_io', {
    title: 'TIMEFOROPS',
    unit: 'ms per second',
    shown: 'verbose',
    source: '/proc/diskstats f10',
    formula: 'rate',
    meaning: 'Time the device was busy.',
    original: { id: 'dsk_timeforops' },
    counter: {
      name: 'disk_io_seconds',
      unit: 'ms',
      counted: 'parts',
      help: 'Time with any operation in flight',
    },
  }),
  rate('disk_time_weighted', {
    title: 'WEIGHTEDTIME',
    unit: 'ms per second',
    shown: 'verbose',
    source: '/proc/diskstats f11',
    formula: 'rate',
    meaning: 'Time spent in operations; parallel ones add up.',
    original: { id: 'dsk_weightedtime' },
    counter: {
      name: 'disk_io_weighted_seconds',
      unit: 'ms',
      counted: 'parts',
      help: 'Time of all operations in flight, summed',
    },
  }),
];

/** All devices of the host. */
export const hostDisks = [
  reads('rate; sum over whole physical disks only: no partitions, dm, md, loop, ram, zram, zd'),
  ...load,
  gauge('disk_count', {
    title: 'COUNT',
    unit: 'count',
    shown: 'verbose',
    source: '/proc/diskstats',
    formula: 'devices in the sum',
    meaning: 'Devices in the sums of the host.',
    original: { id: 'dsk_count' },
    prometheus: { name: 'disk_devices' },
  }),
];

/** One device of the host. */
export const hostDisk = [
  reads('rate; one device'),
  ...load,
  text('disk_type', {
    title: 'TYPE',
    source: '/sys/block/<dev>/dm/uuid prefix, name',
    formula:
      'physical, partition, lvm (LVM-), mpath (mpath-), crypt (CRYPT-), md, zvol (zd); loop, ram and zram are left out',
    meaning:
      'What kind of device it is; also dmraid, dm (other device-mapper devices), bcache, rbd (Ceph) and drbd. Partitions that guests made on their volumes have no row.',
  }),
  text('disk_dmname', {
    title: 'DMNAME',
    source: '/sys/block/<dev>/dm/name',
    formula: 'friendly name of a device-mapper device',
    meaning:
      'Its name at a higher level: a logical volume, the data set of a zvol, pool/image of Ceph, resource/volume of DRBD, the label of bcache.',
    needs: 'device mapper',
  }),
];

function reads(formula: string): Declaration<'disk_reads'> {
  return rate('disk_reads', {
    title: 'READS/s',
    unit: 'per second',
    source: '/proc/diskstats f1',
    formula,
    meaning: 'Completed reads.',
    original: { id: 'dsk_READS/s' },
    counter: { unit: 'one', counted: 'parts', help: 'Completed reads' },
  });
}
