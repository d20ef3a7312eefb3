import { gauge, rate, text } from '../metric.ts';
import type { Declaration } from '../metric.ts';

/** Why the host swaps. */
export const hostShortage = [
  'The host has too little memory: see AVAILABLE, SWCUR and the pressure of memory.',
];

/** Of lines of /proc/meminfo that not every kernel has. */
const someKernels = { needs: 'a kernel with this line' };

/** Memory of the host. */
export const memHost = [
  gauge('ram_total', {
    title: 'TOTAL',
    unit: 'bytes',
    source: '/proc/meminfo MemTotal',
    formula: 'kB*1024',
    meaning: 'Memory of the host.',
    original: { id: 'mem_Total', differs: 'KiB' },
  }),
  gauge('ram_free', {
    title: 'FREE',
    unit: 'bytes',
    source: '/proc/meminfo MemFree',
    formula: 'kB*1024',
    meaning: 'Unused memory of the host. A healthy host has little, because caches use the rest.',
    original: { id: 'mem_Free', differs: 'KiB' },
  }),
  text('ram_state', {
    title: 'MEMORY',
    source: 'derived',
    formula:
      'swapping: ram_pswpin from 1 MiB/s; tight: ram_obtainable up to 4 % of ram_total, or up to 10 % with a pressure (some, 10 s) of 10 %',
    meaning: 'memory state of the host: ok, tight or swapping',
  }),
  gauge('ram_obtainable', {
    title: 'OBTAINABLE',
    unit: 'bytes',
    source: '/proc/meminfo MemAvailable + arcstats size - c_min',
    formula: 'ram_available and the ZFS cache above its minimum',
    meaning: 'Memory that programs can still get without swapping if ZFS gives back what it can.',
  }),
  rate('ram_pswpin', {
    title: 'SWR/s',
    unit: 'bytes per second',
    source: '/proc/vmstat pswpin',
    formula: 'rate * page size',
    meaning: 'Data that the host reads back from swap: somebody waits for it.',
    needs: 'a kernel with swap',
    counter: {
      name: 'ram_pswpin_bytes',
      unit: 'bytes',
      counted: 'reading',
      help: 'Bytes that the host read from swap',
    },
    levels: '1M/10M',
    causes: [
      'The host has too little memory for its VMs: see MEM/CAP, and RSS for who has it.',
      'Memory that was swapped out earlier is needed again, for example after a backup.',
    ],
  }),
  rate('ram_pswpout', {
    title: 'SWW/s',
    unit: 'bytes per second',
    shown: 'verbose',
    source: '/proc/vmstat pswpout',
    formula: 'rate * page size',
    meaning: 'Data that the host writes to swap.',
    needs: 'a kernel with swap',
    counter: {
      name: 'ram_pswpout_bytes',
      unit: 'bytes',
      shown: 'verbose',
      counted: 'reading',
      help: 'Bytes that the host wrote to swap',
    },
  }),
  gauge('ram_available', {
    title: 'AVAILABLE',
    unit: 'bytes',
    source: '/proc/meminfo MemAvailable',
    formula: 'kB*1024',
    meaning: 'Memory that programs can still get without swapping: free, or in caches that can be dropped.',
    original: { id: 'mem_Avail', differs: 'KiB' },
    levels: '10/4',
    levelsIn: { to: 'ram_total', scale: 100, unit: 'percent of ram_total' },
    causes: [
      'The VMs together have more memory than the host: see MEM/CAP.',
      'The ZFS cache (ARC) is large; it gives memory back, but slowly.',
      'Balloons are not inflated: a guest without the driver never gives memory back.',
    ],
  }),
  gauge('ram_cached', {
    title: 'CACHED',
    unit: 'bytes',
    source: '/proc/meminfo Cached',
    formula: 'kB*1024',
    meaning: 'File contents in memory.',
    original: { id: 'mem_Cached', differs: 'KiB' },
  }),
  gauge('ram_active', {
    title: 'ACTIVE',
    unit: 'bytes',
    source: '/proc/meminfo Active',
    formula: 'kB*1024',
    meaning: 'Recently used memory.',
    original: { id: 'mem_Active', differs: 'KiB' },
  }),
  gauge('ram_swapused', {
    title: 'SWAPUSED',
    unit: 'bytes',
    source: '/proc/meminfo SwapTotal-SwapFree',
    formula: '',
    meaning: 'Used swap space of the host.',
    original: { id: 'mem_SwapUsed', differs: 'KiB' },
    causes: hostShortage,
  }),
  meminfo('ram_buffers', 'Buffers', 'Raw disk blocks in memory.'),
  meminfo('ram_swapcached', 'SwapCached', 'Memory that is both in swap and in memory.', { ...someKernels }),
  meminfo('ram_inactive', 'Inactive', 'Memory not used recently; it is reclaimed first.'),
  meminfo('ram_activeanon', 'Active(anon)', 'Program memory used recently.'),
  meminfo('ram_inactiveanon', 'Inactive(anon)', 'Program memory not used recently.'),
  meminfo('ram_activefile', 'Active(file)', 'File contents in memory, used recently.'),
  meminfo('ram_inactivefile', 'Inactive(file)', 'File contents in memory, not used recently.'),
  meminfo('ram_unevictable', 'Unevictable', 'Memory that cannot be reclaimed.'),
  meminfo('ram_mlocked', 'Mlocked', 'Memory that programs have locked: it is never swapped out.'),
  meminfo('ram_swaptotal', 'SwapTotal', 'Swap space of the host.'),
  meminfo('ram_swapfree', 'SwapFree', 'Free swap space of the host.'),
  meminfo('ram_dirty', 'Dirty', 'File contents that wait to be written to disk.'),
  meminfo('ram_writeback', 'Writeback', 'File contents being written to disk.'),
  meminfo('ram_anonpages', 'AnonPages', 'Memory of programs that belongs to no file, such as guest memory.'),
  meminfo('ram_mapped', 'Mapped', 'Files that programs have mapped into memory.'),
  meminfo('ram_shmem', 'Shmem', 'Shared memory and files in memory (tmpfs).'),
  meminfo('ram_kreclaimable', 'KReclaimable', 'Kernel memory that is given back when memory is short.', {
    original: undefined,
    ...someKernels,
  }),
  meminfo('ram_slab', 'Slab', 'Kernel objects.'),
  meminfo('ram_sreclaimable', 'SReclaimable', 'The part of SLAB that can be given back.'),
  meminfo('ram_sunreclaim', 'SUnreclaim', 'The part of SLAB that cannot be given back.'),
  meminfo('ram_kernelstack', 'KernelStack', 'Kernel stacks of all tasks.'),
  meminfo('ram_pagetables', 'PageTables', 'Page tables.'),
  meminfo(
    'ram_nfsunstable',
    'NFS_Unstable',
    'Data sent to an NFS server that has not confirmed it as stored.',
    { ...someKernels },
  ),
  meminfo('ram_bounce', 'Bounce', 'Bounce buffers for devices that cannot reach all memory.', {
    ...someKernels,
  }),
  meminfo('ram_writebacktmp', 'WritebackTmp', 'Temporary buffers of FUSE writeback.', {
    ...someKernels,
  }),
  meminfo(
    'ram_commitlimit',
    'CommitLimit',
    'Memory that could be promised to programs under strict accounting.',
  ),
  meminfo('ram_committedas', 'Committed_AS', 'Memory promised to programs.'),
  meminfo('ram_vmalloctotal', 'VmallocTotal', 'Address space of the kernel for non-contiguous memory.'),
  meminfo('ram_vmallocused', 'VmallocUsed', 'The part of VMALLOCTOTAL that is used.'),
  meminfo('ram_vmallocchunk', 'VmallocChunk', 'The largest free piece of VMALLOCTOTAL.', { ...someKernels }),
  meminfo('ram_percpu', 'Percpu', 'Per-CPU data of the kernel.', {
    original: undefined,
    ...someKernels,
  }),
  meminfo('ram_hardwarecorrupted', 'HardwareCorrupted', 'Memory that failed and is no longer used.', {
    ...someKernels,
  }),
  meminfo(
    'ram_anonhugepages',
    'AnonHugePages',
    'Memory of programs in huge pages, which makes guests faster.',
    { ...someKernels },
  ),
  meminfo('ram_shmemhugepages', 'ShmemHugePages', 'Shared memory in huge pages.', { ...someKernels }),
  meminfo('ram_shmempmdmapped', 'ShmemPmdMapped', 'Shared memory that programs have mapped as huge pages.', {
    ...someKernels,
  }),
  meminfo('ram_cmatotal', 'CmaTotal', 'Memory set aside for devices that need it in one piece.', {
    original: undefined,
    ...someKernels,
  }),
  meminfo('ram_cmafree', 'CmaFree', 'The part of CMATOTAL that is free.', {
    original: undefined,
    ...someKernels,
  }),
  meminfo('ram_hugepagesize', 'Hugepagesize', 'Size of a huge page.', { ...someKernels }),
  meminfo('ram_hugetlb', 'Hugetlb', 'Memory set aside as huge pages, of all sizes.', { ...someKernels }),
  meminfo('ram_directmap4k', 'DirectMap4k', 'Memory that the kernel reaches through pages of 4 kB.', {
    ...someKernels,
  }),
  meminfo('ram_directmap2m', 'DirectMap2M', 'Memory that the kernel reaches through pages of 2 MB.', {
    ...someKernels,
  }),
  meminfo('ram_directmap1g', 'DirectMap1G', 'Memory that the kernel reaches through pages of 1 GB.', {
    ...someKernels,
  }),
  hugePages('ram_hugepagestotal', 'HugePages_Total', 'Huge pages set aside.'),
  hugePages('ram_hugepagesfree', 'HugePages_Free', 'Free huge pages.'),
  hugePages('ram_hugepagesrsvd', 'HugePages_Rsvd', 'Huge pages promised, but not taken yet.'),
  hugePages('ram_hugepagessurp', 'HugePages_Surp', 'Huge pages beyond those set aside.'),
  gauge('ram_ksm', {
    title: 'KSM',
    unit: 'bytes',
    shown: 'verbose',
    source: '/sys/kernel/mm/ksm/pages_sharing * page size',
    formula: 'memory saved by same-page merging',
    meaning: 'Memory saved by merging equal pages.',
    needs: 'KSM',
  }),
  gauge('ram_zfsarc', {
    title: 'ARC',
    unit: 'bytes',
    shown: 'verbose',
    source: '/proc/spl/kstat/zfs/arcstats size',
    formula: 'ZFS ARC; omitted without ZFS',
    meaning: 'Cache of ZFS (ARC); it shrinks slowly.',
    needs: 'ZFS',
  }),
  gauge('ram_overcommit', {
    title: 'MEM/CAP',
    unit: 'ratio',
    shown: 'verbose',
    source: 'derived',
    formula: 'sum of running VMs ram_total / host ram_total',
    meaning: 'Memory of all running VMs divided by that of the host. Above 1 they cannot all have theirs.',
  }),
];

/** The id that the original program had for a line of /proc/meminfo: Active(anon) was mem_ActiveAnon. */
function originalId(line: string): string {
  return `mem_${line.replaceAll(/[_(](.)|\)/g, (_, next: string | undefined) => (next ?? '').toUpperCase())}`;
}

/** A line of /proc/meminfo under its own name. */
function meminfo<Id extends string>(
  id: Id,
  line: string,
  meaning: string,
  more: { readonly needs?: string; readonly original?: undefined } = {},
): Declaration<Id> {
  return gauge(id, {
    title: line.toUpperCase(),
    unit: 'bytes',
    shown: 'verbose',
    source: `/proc/meminfo ${line}`,
    formula: 'kB*1024; omitted where the kernel has no such line',
    meaning,
    original: { id: originalId(line), differs: 'KiB' },
    ...more,
  });
}

/** The lines of /proc/meminfo that count pages. */
function hugePages<Id extends string>(id: Id, line: string, meaning: string): Declaration<Id> {
  return gauge(id, {
    title: line.toUpperCase(),
    unit: 'count',
    shown: 'verbose',
    source: `/proc/meminfo ${line}`,
    formula: 'pages, not bytes',
    meaning,
    original: { id: originalId(line) },
    ...someKernels,
  });
}
