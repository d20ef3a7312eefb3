import { gauge, mean, percent, rate, text } from '../../metric.ts';
import type { MetricTable } from '../../metric.ts';
import { diskBelow } from './disk-below.ts';
import { diskLimits } from './disk-limits.ts';
import { hostDisk, hostDisks, utilisation } from './disk-host.ts';
import { hostPool } from './disk-pool.ts';
import { diskTails } from './disk-tails.ts';
import { commands, readMib, writeMib, writes } from './transfers.ts';

/** Latencies as the guest sees them; the levels are the usual ones of esxtop. */
const slowStorage = {
  levels: '15/25',
  causes: [
    'The storage is slow or overloaded: compare AWAIT and %UTIL of the host; key b shows who uses it most.',
    'The VM asks for more than a limit of its disk (iops, mbps): QEMU makes it wait.',
    'AWAIT of the host is low: then the time goes to a network storage, to ZFS, or to QEMU waiting for a CPU (%OTHRDY).',
    'A backup or snapshot of the VM is running.',
  ],
} as const;

/** A disk as the guest sees it, or the sum over those of a VM. */
const sizes = [
  gauge('disk_capacity', {
    title: 'SIZE',
    unit: 'bytes',
    source: 'QMP query-block virtual-size / Proxmox config size= / libvirt block.capacity',
    formula: 'virtual size',
    meaning: 'Size of its disks as the guest sees them.',
    container: 'size= of its volumes in the Proxmox config',
    original: { id: 'dsk_SIZE' },
  }),
  gauge('disk_allocation', {
    title: 'ALLOC',
    unit: 'bytes',
    source: 'QMP query-block actual-size / libvirt block.allocation',
    formula: 'omitted where it cannot be known: never a copy of the capacity',
    meaning: 'Space that the image really takes on the storage.',
    original: { id: 'dsk_ALLOC' },
    needs: 'disk image in a file, or libvirt',
  }),
];

const operations = [
  rate('disk_reads', {
    title: 'READS/s',
    unit: 'per second',
    source: 'QMP query-blockstats / libvirt block.<n>.* rd_operations',
    container: 'cgroup v2 io.stat rios; with ZFS from its objset statistics',
    formula: 'rate',
    meaning: 'Completed reads.',
    original: { id: 'dsk_READS/s' },
    counter: { unit: 'one', counted: 'parts', help: 'Completed reads' },
  }),
  rate('disk_writes', {
    ...writes,
    source: 'QMP query-blockstats / libvirt block.<n>.* wr_operations',
    container: 'cgroup v2 io.stat wios; with ZFS from its objset statistics',
  }),
  rate('disk_read_mib', {
    ...readMib,
    source: 'QMP query-blockstats / libvirt block.<n>.* rd_bytes',
    container: 'cgroup v2 io.stat rbytes; with ZFS from its objset statistics',
    counter: { ...readMib.counter, unit: 'bytes' },
  }),
  rate('disk_write_mib', {
    ...writeMib,
    source: 'QMP query-blockstats / libvirt block.<n>.* wr_bytes',
    container: 'cgroup v2 io.stat wbytes; with ZFS from its objset statistics',
    counter: { ...writeMib.counter, unit: 'bytes' },
  }),
  mean('disk_lat_rd', {
    title: 'LAT/rd',
    unit: 'ms',
    source: 'QMP query-blockstats / libvirt block.<n>.* rd_total_time_ns',
    formula: 'delta(time)/delta(ops); omitted without operations',
    meaning:
      'Time a read of the guest takes in QEMU and below: limits, page cache, file system, device, network.',
    original: { id: 'dsk_LAT/rd', differs: '0 without operations' },
    ...slowStorage,
    operations: ['disk_reads'],
  }),
  mean('disk_lat_wr', {
    title: 'LAT/wr',
    unit: 'ms',
    source: 'QMP query-blockstats / libvirt block.<n>.* wr_total_time_ns',
    formula: 'as above',
    meaning: 'Time a write of the guest takes in QEMU and below.',
    original: { id: 'dsk_LAT/wr' },
    ...slowStorage,
    operations: ['disk_writes'],
  }),
  mean('disk_lat_fl', {
    title: 'LAT/fl',
    unit: 'ms',
    source: 'QMP query-blockstats / libvirt block.<n>.* flush_total_time_ns',
    formula: 'as above',
    meaning: 'Time a flush of the guest takes: until everything is safe on disk.',
    original: { id: 'dsk_LAT/fl' },
    needs: 'a guest that flushes',
    levels: '15/25',
    causes: [
      'The storage has no safe cache for writes: disks without power-loss protection, ZFS without a fast log.',
      'The guest wants every small write to be safe, as databases do; the cache mode of the disk matters.',
    ],
    operations: ['disk_flushes'],
  }),
  mean('disk_lat_avg', {
    title: 'LAT/avg',
    unit: 'ms',
    source: 'derived',
    formula: 'all times / all operations',
    meaning: "Mean time of an operation of the guest: reads, writes and flushes. esxtop's GAVG.",
    container:
      'not known: the kernel measures it for no cgroup. The I/O pressure tells how much of the time it waits.',
    original: { id: 'dsk_LAT/avg' },
    ...slowStorage,
    operations: ['disk_reads', 'disk_writes', 'disk_flushes'],
  }),
  gauge('disk_physical', {
    title: 'PHYSICAL',
    unit: 'bytes',
    shown: 'verbose',
    source: 'libvirt block.physical',
    formula: '',
    meaning: 'Where the image ends on the storage.',
    original: { id: 'dsk_PHYSICAL' },
    needs: 'libvirt',
  }),
];

const details = [
  rate('disk_commands', {
    ...commands,
    formula: 'disk_reads + disk_writes + disk_flushes',
    container: 'disk_reads + disk_writes; the kernel counts flushes for no cgroup',
  }),
  rate('disk_flushes', {
    title: 'FLUSH/s',
    unit: 'per second',
    shown: 'verbose',
    source: 'QMP query-blockstats / libvirt block.<n>.* flush_operations',
    formula: 'rate',
    meaning: 'Flushes of the guest: requests to have everything safe on disk.',
    original: { id: 'dsk_FLUSH/s' },
    counter: { unit: 'one', counted: 'parts', help: 'Completed flushes' },
  }),
  rate('disk_read_time', {
    title: 'RDTM',
    unit: 'ms per second',
    shown: 'verbose',
    source: 'QMP query-blockstats / libvirt block.<n>.*',
    formula: 'rate of rd_total_time',
    meaning: 'Time spent in reads; parallel ones add up.',
    original: { id: 'dsk_RDTM' },
    counter: {
      name: 'disk_read_seconds',
      unit: 'ns',
      counted: 'parts',
      help: 'Time that reads took, summed over parallel ones',
    },
  }),
  rate('disk_write_time', {
    title: 'WRTM',
    unit: 'ms per second',
    shown: 'verbose',
    source: 'QMP query-blockstats / libvirt block.<n>.*',
    formula: 'rate of wr_total_time',
    meaning: 'Time spent in writes; parallel ones add up.',
    original: { id: 'dsk_WRTM' },
    counter: {
      name: 'disk_write_seconds',
      unit: 'ns',
      counted: 'parts',
      help: 'Time that writes took, summed over parallel ones',
    },
  }),
  rate('disk_flush_time', {
    title: 'FLTM',
    unit: 'ms per second',
    shown: 'verbose',
    source: 'QMP query-blockstats / libvirt block.<n>.*',
    formula: 'rate of flush_total_time',
    meaning: 'Time spent in flushes; parallel ones add up.',
    original: { id: 'dsk_FLTM' },
    counter: {
      name: 'disk_flush_seconds',
      unit: 'ns',
      counted: 'parts',
      help: 'Time that flushes took, summed over parallel ones',
    },
  }),
  rate('disk_errors', {
    title: 'ERRS/s',
    unit: 'per second',
    shown: 'verbose',
    source: 'QMP query-blockstats / libvirt block.<n>.* failed_* and invalid_* operations',
    formula: 'rate',
    meaning: 'Operations that failed or were refused.',
    counter: { unit: 'one', counted: 'parts', help: 'Operations that failed or were invalid' },
    levels: '1',
    causes: [
      'The storage is full, gone, or has bad blocks: see the log of the kernel.',
      'The guest asks for sectors that the disk does not have.',
    ],
  }),
];

/** Disks as the guest sees them and as the host sees them. */
export const disk = {
  vm: [
    ...sizes,
    percent('disk_util', {
      ...utilisation,
      source: 'derived',
      formula: 'host disk_util * min(1, VM bytes/s / host bytes/s): an estimate',
      prometheus: 'gauge',
    }),
    ...operations,
    gauge('disk_root_size', {
      title: 'ROOTSZ',
      unit: 'bytes',
      source: 'statfs of the root of a container',
      formula: 'looked at every minute; omitted where the root has no file system of its own',
      meaning: "Size of the container's root file system.",
      needs: 'a container whose root is a file system of its own',
    }),
    gauge('disk_root_used', {
      title: 'ROOTUSED',
      unit: 'bytes',
      source: 'statfs of the root of a container',
      formula: 'size - free',
      meaning: "Used space of the container's root file system.",
      needs: 'a container whose root is a file system of its own',
    }),
    percent('disk_root_use', {
      title: '%ROOT',
      source: 'statfs of the root of a container',
      formula: 'used/(used + available to users)*100, as df shows it',
      meaning: "Used share of the container's root file system.",
      needs: 'a container whose root is a file system of its own',
      levels: '90/97',
      causes: [
        'The container fills its root: logs, caches of packages, a database. Remove what is not needed, or enlarge the volume.',
      ],
    }),
    ...details,
    rate('disk_blkio_delay', {
      title: 'BLKIO',
      unit: 'ms per second',
      shown: 'verbose',
      source: '/proc/<pid>/stat delayacct_blkio_ticks',
      formula: 'rate; 0 unless kernel.task_delayacct=1',
      meaning: 'Time that QEMU waited for host disks. Stays 0 without kernel.task_delayacct.',
      original: { id: 'dsk_BLKIO', differs: 'ticks' },
      counter: {
        name: 'disk_blkio_delay_seconds',
        unit: 'ticks',
        shown: 'verbose',
        counted: 'reading',
        help: 'Time that the process waited for block devices; 0 unless kernel.task_delayacct=1',
      },
    }),
  ],
  vm_disk: [
    ...sizes,
    ...operations,
    ...diskBelow,
    ...diskLimits,
    ...diskTails,
    text('disk_path', {
      title: 'PATH',
      shown: 'verbose',
      source: 'QMP query-block / libvirt block.path',
      meaning: 'file or device behind the disk',
      needs: 'a disk that is a file or device of the host',
    }),
    text('disk_storage', {
      title: 'STORAGE',
      shown: 'verbose',
      source: 'Proxmox config',
      meaning: 'storage that the disk lies on; for a plain path its directory',
      needs: 'Proxmox',
    }),
    ...details,
  ],
  host: hostDisks,
  host_disk: hostDisk,
  host_pool: hostPool,
} satisfies MetricTable;
