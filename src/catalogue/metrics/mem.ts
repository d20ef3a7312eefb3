import { gauge, percent, rate } from '../metric.ts';
import type { MetricTable } from '../metric.ts';
import { hostShortage, memHost } from './mem-host.ts';
import { memNuma } from './mem-numa.ts';

/** Why a guest swaps. */
const guestShortage = {
  causes: [
    'The guest has too little memory: give it more, or see whether its balloon takes it (MCTL below MAXSZ).',
  ],
} as const;

/** Memory: what the guest has, what the host gives. */
export const mem = {
  vm: [
    gauge('ram_total', {
      title: 'MEMSZ',
      unit: 'bytes',
      source:
        'QMP query-balloon total_mem (Proxmox QEMU), balloon guest-stats (stock QEMU), libvirt balloon.available; else the memory that QEMU was given (query-balloon max_mem, query-memory-size-summary and query-memory-devices, libvirt balloon.maximum), else configured memory with DIMMs',
      formula: 'memory the guest sees',
      container: 'cgroup v2 memory.max; omitted where there is no limit',
      meaning: 'Memory that the guest sees.',
      original: { id: 'mem_MEMSZ', differs: 'KiB' },
    }),
    gauge('ram_used', {
      title: 'GRANT',
      unit: 'bytes',
      source: 'as above',
      formula: 'ram_total - ram_free; omitted when the guest reports no balloon statistics',
      meaning:
        'Memory in use, as the guest reports it (some guests count caches as used). Of a container: without caches; tmpfs counts as cache.',
      original: { id: 'mem_GRANT', differs: 'KiB' },
      needs: 'balloon statistics from the guest',
      container:
        'cgroup v2 memory.current - file of memory.stat, as Proxmox VE shows it; read every 5 s; needs the memory controller',
    }),
    gauge('ram_free', {
      title: 'FREE',
      unit: 'bytes',
      source: 'query-balloon free_mem / balloon.unused',
      formula:
        'omitted when the guest reports none, or nothing credible, and when its report was older than 30 s as QEMU was asked',
      meaning: 'Memory that the guest does not use at all, as it reports.',
      original: { id: 'mem_FREE', differs: 'KiB' },
      needs: 'balloon statistics from the guest',
    }),
    percent('ram_active', {
      title: '%ACTV',
      source: 'derived',
      formula: 'ram_used/ram_total*100',
      meaning: 'Share of its memory that the guest uses, as it reports.',
      original: { id: 'mem_%ACTV' },
      needs: 'balloon statistics from the guest',
    }),
    gauge('ram_rss', {
      title: 'RSS',
      unit: 'bytes',
      source: '/proc/<pid>/stat rss * page size + /proc/<pid>/status HugetlbPages',
      formula: 'resident memory of the QEMU process, huge pages included',
      meaning: 'Host memory that the QEMU process holds. Without a balloon it rarely gives any back.',
      container: 'not told: what a container uses is GRANT, and what the host charges to it MEMHOST',
      original: { id: 'mem_RSS' },
    }),
    gauge('ram_actual', {
      title: 'MCTL',
      unit: 'bytes',
      source: 'query-balloon actual / balloon.current',
      formula: 'balloon size now',
      meaning:
        'Memory that the balloon leaves to the guest; below the maximum when the host takes some back.',
      original: { id: 'mem_MCTL', differs: 'KiB' },
      needs: 'balloon device',
    }),
    gauge('ram_ballooned', {
      title: 'MCTLSZ',
      unit: 'bytes',
      source: 'query-balloon / balloon.maximum, balloon.current',
      formula: 'ram_max - ram_actual',
      meaning: 'Memory that the balloon has taken from the guest because the host needs it. 0 is good.',
      needs: 'balloon device',
      levels: '1',
      causes: [
        'The host is short of memory, or its target for balloons is reached (80 % with Proxmox VE): see MEM/CAP.',
        'Somebody set the balloon below the memory of the VM.',
      ],
    }),
    rate('ram_minflt', {
      title: 'MINFLT',
      unit: 'per second',
      source: '/proc/<pid>/stat minflt',
      formula: 'rate',
      meaning: 'Page faults of QEMU that needed no disk.',
      original: { id: 'mem_MINFLT', differs: 'per interval' },
      counter: {
        name: 'ram_minor_faults',
        unit: 'one',
        counted: 'reading',
        help: 'Page faults of the process without I/O',
      },
    }),
    rate('ram_majflt', {
      title: 'MAJFLT',
      unit: 'per second',
      source: '/proc/<pid>/stat majflt',
      formula: 'rate',
      meaning:
        'Page faults of QEMU that waited for a disk: memory comes back from swap. Of a container: also file reads.',
      container: 'cgroup v2 memory.stat pgmajfault, over 5 s',
      original: { id: 'mem_MAJFLT', differs: 'per interval' },
      counter: {
        name: 'ram_major_faults',
        unit: 'one',
        counted: 'reading',
        help: 'Page faults of the process that waited for I/O',
      },
      causes: hostShortage,
    }),
    gauge('ram_cache', {
      title: 'CACHE',
      unit: 'bytes',
      source: 'cgroup v2 memory.stat file of a container',
      formula: 'read every 5 s',
      meaning: 'Files of the container in memory, tmpfs included. The host can reclaim the others.',
      needs: 'a container and the memory controller',
    }),
    gauge('ram_limit', {
      title: 'MEMLIMIT',
      unit: 'bytes',
      source: 'cgroup v2 memory.max of a container',
      formula: 'omitted where there is none',
      meaning: 'Most memory that the container may use, caches included.',
      needs: 'a container with a memory limit',
    }),
    percent('ram_limit_used', {
      title: '%MEMLIMIT',
      source: 'derived',
      formula: 'ram_used/ram_limit*100',
      meaning: 'Share of its memory limit that the container uses, without caches, which can be reclaimed.',
      needs: 'a container with a memory limit',
      levels: '90/97',
      causes: [
        'The container needs more than it was given: raise its memory, or find the process that grows. At the limit its caches go first, then processes are killed (OOMKILL/s).',
        'A process leaks memory: the value grows for days and falls when a service is restarted.',
      ],
    }),
    rate('ram_oom_kills', {
      title: 'OOMKILL/s',
      unit: 'per second',
      source: 'cgroup v2 memory.events oom_kill of a container',
      formula: 'rate',
      meaning: 'Processes of the container that the kernel killed because memory ran out.',
      needs: 'a container and the memory controller',
      counter: { unit: 'one', counted: 'reading', help: 'Processes killed for want of memory' },
      levels: '0.001',
      causes: [
        'The container reached its memory limit: see %MEMLIMIT, and the log of the kernel for which process was killed.',
        'The host ran out of memory and killed a process of the container: see FREE and swap of the host.',
      ],
    }),
    gauge('ram_max', {
      title: 'MAXSZ',
      unit: 'bytes',
      shown: 'verbose',
      source: 'query-balloon max_mem / balloon.maximum',
      formula: 'upper limit of the balloon',
      meaning: 'Memory of the guest with an empty balloon.',
      original: { id: 'mem_MAXSZ', differs: 'KiB' },
      needs: 'balloon device',
    }),
    gauge('ram_vsize', {
      title: 'VSIZE',
      unit: 'bytes',
      shown: 'verbose',
      source: '/proc/<pid>/stat vsize',
      formula: '',
      meaning: 'Address space of the QEMU process; most of it may never be used.',
      original: { id: 'mem_VSIZE' },
    }),
    gauge('ram_swap', {
      title: 'SWCUR',
      unit: 'bytes',
      shown: 'verbose',
      source:
        '/proc/<pid>/status VmSwap; memory.swap.current of the VM scope where the memory of the guest is shared',
      formula:
        'QEMU memory swapped out on the host; VmSwap leaves shared memory out: where it is shared (virtiofs, vhost-user) and there is no cgroup to tell, the metric is omitted',
      meaning:
        'Memory of the guest that the host has swapped out. The guest waits for a disk to get it back.',
      needs: 'memory that is not shared, or a cgroup v2 memory controller',
      container: 'cgroup v2 memory.swap.current',
      levels: '1/1M',
      causes: [
        'The VMs together have more memory than the host: see MEM/CAP, and RSS for who has it.',
        'Other users of memory on the host grew, such as the ZFS cache (ARC) or a backup.',
        'It was swapped out earlier and has not been needed since: harmless while MAJFLT stays near 0.',
      ],
    }),
    rate('ram_swapin', {
      title: 'SWAPIN',
      unit: 'bytes per second',
      shown: 'verbose',
      source: 'balloon stat-swap-in / balloon.swap_in',
      formula: 'rate, guest view',
      meaning: 'Data that the guest reads back from its own swap.',
      original: { id: 'mem_SWAPIN' },
      needs: 'balloon statistics from the guest',
      counter: {
        name: 'ram_swapin_bytes',
        unit: 'bytes',
        shown: 'verbose',
        counted: 'reading',
        help: 'Bytes that the guest swapped in',
      },
      ...guestShortage,
    }),
    rate('ram_swapout', {
      title: 'SWAPOUT',
      unit: 'bytes per second',
      shown: 'verbose',
      source: 'balloon stat-swap-out / balloon.swap_out',
      formula: 'rate, guest view',
      meaning: 'Data that the guest writes to its own swap: it has too little memory.',
      original: { id: 'mem_SWAPOUT' },
      needs: 'balloon statistics from the guest',
      counter: {
        name: 'ram_swapout_bytes',
        unit: 'bytes',
        shown: 'verbose',
        counted: 'reading',
        help: 'Bytes that the guest swapped out',
      },
      ...guestShortage,
    }),
    rate('ram_cminflt', {
      title: 'CMINFLT',
      unit: 'per second',
      shown: 'verbose',
      source: '/proc/<pid>/stat cminflt',
      formula: 'rate',
      meaning: 'The same as MINFLT of child processes that have ended.',
      original: { id: 'mem_CMINFLT', differs: 'per interval' },
      counter: {
        name: 'ram_child_minor_faults',
        unit: 'one',
        shown: 'verbose',
        counted: 'reading',
        help: 'The same of its children that have ended',
      },
    }),
    rate('ram_cmajflt', {
      title: 'CMAJFLT',
      unit: 'per second',
      shown: 'verbose',
      source: '/proc/<pid>/stat cmajflt',
      formula: 'rate',
      meaning: 'The same as MAJFLT of child processes that have ended.',
      original: { id: 'mem_CMAJFLT', differs: 'per interval' },
      counter: {
        name: 'ram_child_major_faults',
        unit: 'one',
        shown: 'verbose',
        counted: 'reading',
        help: 'The same of its children that have ended',
      },
    }),
    gauge('ram_ksm', {
      title: 'KSM',
      unit: 'bytes',
      shown: 'verbose',
      source: '/proc/<pid>/ksm_stat ksm_merging_pages',
      formula: 'pages * page size; once a minute',
      meaning: 'Memory that the VM shares with others because the content is the same.',
      needs: 'kernel 6.1, root',
    }),
    percent('ram_numa_local', {
      title: 'N%L',
      source:
        'cgroup v2 memory.numa_stat and hugetlb.*.numa_stat of the VM, /proc/<pid>/task/*/stat, Cpus_allowed_list',
      formula:
        'anon and shmem on the nodes that the vCPUs are pinned to / on all; of vCPUs that may run on every node, on each node by the share of time that vCPUs ran there; once a minute; omitted where QEMU was told to spread the memory: several NUMA nodes of the VM, policy interleave',
      meaning: 'Share of its memory on the NUMA nodes its vCPUs run on. Access to the rest is slower.',
      needs:
        'a host with several NUMA nodes, a cgroup v2 memory controller, and a VM whose memory is not spread on purpose',
      levels: '80/40',
      causes: [
        'The VM may run on CPUs of all nodes: pin it to those of one (affinity), or let the kernel balance (kernel.numa_balancing).',
        'It is larger than a node, or its node was full when it was started: give it virtual NUMA nodes (numa, numaN with hostnodes), or move others away.',
      ],
      prometheus: 'gauge',
    }),
    gauge('ram_guest_age', {
      title: 'GUESTAGE',
      unit: 'seconds',
      shown: 'verbose',
      source:
        'query-balloon last_update (Proxmox QEMU), guest-stats last-update (stock QEMU), libvirt balloon.last-update',
      formula: 'time since the guest reported its memory; it stands still while the VM is paused',
      meaning:
        'Time since the guest last reported its memory use. A large value means that its balloon driver is not running.',
      needs: 'balloon statistics from the guest',
    }),
    gauge('ram_cgroup', {
      title: 'MEMHOST',
      unit: 'bytes',
      shown: 'verbose',
      source: 'cgroup v2 memory.current of the VM scope',
      formula: 'what the host charges to the VM; omitted without a memory controller',
      meaning:
        'Memory that the host charges to the guest: its own, and the page cache of its images or files.',
      needs: 'cgroup v2 memory controller',
    }),
  ],
  host: memHost,
  host_numa: memNuma,
} satisfies MetricTable;
