/** The directions of a NIC's counters, in words. */
const directions = {
  rx: 'received: by the VM, or by the interface of the host',
  tx: 'sent: by the VM, or by the interface of the host',
} as const;

/** Spans of the means of a pressure file. */
const spans = { avg10: '10 seconds', avg60: 'minute', avg300: '5 minutes' } as const;

/** What some or all tasks wait for, by the name of the pressure file. */
const waits = { cpu: 'for a CPU', io: 'for I/O', mem: 'for memory, to be swapped in or reclaimed' } as const;

/** What a number means, in plain words, by its id; `scope.id` where it means something else there. */
export const meanings: Readonly<Record<string, string>> = {
  cpu_cores: 'How many vCPUs the VM has.',
  'host.cpu_cores': 'How many logical CPUs the host has online.',
  cpu_total: 'How much of the time its vCPUs run on a CPU of the host; 100 is all of them, all the time.',
  cpu_steal:
    'How much of the time its vCPUs want to run, and wait because no CPU is free for them. The guest stands still meanwhile and may see it as steal time.',
  'host.cpu_steal': 'How much of the time this host, which is a VM itself, waits for a CPU of its own host.',
  cpu_other_total:
    'What QEMU itself uses beside the vCPUs: main loop, I/O threads, vhost; 100 is one CPU of the host.',
  cpu_other_steal:
    'How long the threads of QEMU beside the vCPUs wait for a CPU: it delays disk and network I/O.',
  cpu_throttled:
    'How long a CPU limit of the VM (cpulimit of Proxmox VE) holds it back although it wants to run. Counted for each CPU, so that it can pass 100.',
  cpu_curfreq: 'The clock at which the CPUs of the host run now.',
  cpu_minfreq: 'The lowest clock that the CPUs of the host can have.',
  cpu_maxfreq: 'The highest clock that the CPUs of the host can have.',
  cpu_user: 'Time that programs run on the CPUs of the host, vCPUs among them.',
  cpu_system: 'Time that the kernel of the host runs.',
  cpu_idle: 'Time that CPUs of the host have nothing to do.',
  cpu_iowait: 'Time that CPUs of the host have nothing to do while a task waits for a disk.',
  cpu_nice: 'Time that programs of low priority run on the host.',
  cpu_irq: 'Time that the host handles interrupts.',
  cpu_softirq: 'Time that the host handles what interrupts left to be done, mostly network packets.',
  cpu_guest: 'Time that vCPUs run; it is part of the time of programs.',
  cpu_guestnice: 'Time that vCPUs of low priority run; it is part of the time of programs of low priority.',
  cpu_load1: 'How many tasks of the host run, want to run or wait for a disk, mean of about a minute.',
  cpu_load5: 'How many tasks of the host run, want to run or wait for a disk, mean of about 5 minutes.',
  cpu_load15: 'How many tasks of the host run, want to run or wait for a disk, mean of about 15 minutes.',
  cpu_overcommit: 'How many vCPUs there are for each CPU of the host.',

  ram_total: 'How much memory the guest sees.',
  ram_used:
    'How much of its memory the guest uses, as it says itself; caches count as used where the guest counts them so.',
  ram_free: 'How much of its memory the guest does not use for anything, as it says itself.',
  ram_active: 'Which part of its memory the guest uses, as it says itself.',
  ram_rss:
    'How much memory of the host the QEMU process has now; it rarely gives any back without a balloon.',
  ram_actual:
    'How much memory the balloon leaves to the guest; less than its maximum when the host takes some back.',
  ram_max: 'How much memory the guest has with an empty balloon.',
  ram_vsize: 'How much address space the QEMU process has; most of it may never be used.',
  ram_minflt: 'Memory accesses of QEMU that had to be given a page, but needed no disk.',
  ram_majflt: 'Memory accesses of QEMU that had to wait for a disk: memory comes back from swap.',
  ram_cminflt: 'The same as MINFLT of child processes that have ended.',
  ram_cmajflt: 'The same as MAJFLT of child processes that have ended.',
  ram_guest_age:
    'How long ago the guest last reported its memory use; if that is long, its balloon driver is not running.',
  ram_swap:
    'How much memory of the VM the host has put into swap: the guest waits for a disk when it wants that back.',
  ram_swapin: 'What the guest reads back from its own swap space.',
  ram_swapout: 'What the guest writes to its own swap space: it has too little memory.',
  ram_cgroup: 'What the host charges to the VM: its memory, and the page cache of its disk images.',
  'host.ram_total': 'How much memory the host has.',
  'host.ram_free':
    'Memory of the host that is used for nothing at all; a healthy host has little, as caches use the rest.',
  'host.ram_active': 'Memory of the host that was used lately.',
  ram_available:
    'Memory of the host that programs could still have without swapping: free, or in caches that can be dropped.',
  ram_cached: 'Files that the host keeps in memory.',
  ram_swapused: 'How much of its swap space the host uses.',
  ram_buffers: 'Blocks of disks that the host keeps in memory.',
  ram_swapcached: 'Memory that is both in swap and in memory.',
  ram_inactive: 'Memory of the host that was not used lately, and would be reclaimed first.',
  ram_activeanon: 'Memory of programs that was used lately.',
  ram_inactiveanon: 'Memory of programs that was not used lately.',
  ram_activefile: 'File contents in memory that were used lately.',
  ram_inactivefile: 'File contents in memory that were not used lately.',
  ram_unevictable: 'Memory that cannot be reclaimed.',
  ram_mlocked: 'Memory that programs have locked, so that it is never swapped.',
  ram_swaptotal: 'How much swap space the host has.',
  ram_swapfree: 'How much of its swap space the host does not use.',
  ram_dirty: 'Written file contents that are not on disk yet.',
  ram_writeback: 'File contents on their way to the disk.',
  ram_anonpages: 'Memory of programs that belongs to no file, the memory of guests among it.',
  ram_mapped: 'Files that programs have mapped into memory.',
  ram_shmem: 'Shared memory and files in memory (tmpfs).',
  ram_kreclaimable: 'Memory of the kernel that it gives back when memory is short.',
  ram_slab: 'Objects that the kernel keeps for itself.',
  ram_sreclaimable: 'The part of SLAB that can be given back.',
  ram_sunreclaim: 'The part of SLAB that cannot be given back.',
  ram_kernelstack: 'Stacks of all tasks in the kernel.',
  ram_pagetables: 'What the kernel needs to tell which memory is where.',
  ram_nfsunstable: 'Sent to an NFS server that has not confirmed to have it on disk.',
  ram_bounce: 'Copies for devices that cannot reach all memory.',
  ram_writebacktmp: 'What FUSE file systems keep while they write.',
  ram_commitlimit: 'How much memory could be promised to programs under strict accounting.',
  ram_committedas: 'How much memory has been promised to programs.',
  ram_vmalloctotal: 'Address space of the kernel for memory that is not in one piece.',
  ram_vmallocused: 'The part of VMALLOCTOTAL that is used.',
  ram_vmallocchunk: 'The largest free piece of VMALLOCTOTAL.',
  ram_percpu: 'What the kernel keeps once for each CPU.',
  ram_hardwarecorrupted: 'Memory that failed and is no longer used.',
  ram_anonhugepages: 'Memory of programs in huge pages, which makes guests faster.',
  ram_shmemhugepages: 'Shared memory in huge pages.',
  ram_shmempmdmapped: 'Shared memory that programs have mapped as huge pages.',
  ram_cmatotal: 'Memory set aside for devices that need it in one piece.',
  ram_cmafree: 'The part of CMATOTAL that is free.',
  ram_hugepagesize: 'Size of a huge page.',
  ram_hugetlb: 'Memory set aside as huge pages, of all sizes.',
  ram_directmap4k: 'Memory that the kernel reaches through pages of 4 kB.',
  ram_directmap2m: 'Memory that the kernel reaches through pages of 2 MB.',
  ram_directmap1g: 'Memory that the kernel reaches through pages of 1 GB.',
  ram_hugepagestotal: 'Huge pages set aside.',
  ram_hugepagesfree: 'Huge pages set aside that nobody has.',
  ram_hugepagesrsvd: 'Huge pages promised, but not taken yet.',
  ram_hugepagessurp: 'Huge pages beyond those set aside.',
  ram_ksm: 'Memory saved because guests share equal pages.',
  ram_zfsarc: 'Memory that ZFS uses as its cache; it gives it back slowly.',
  ram_overcommit:
    'Memory of all running VMs together in parts of that of the host; above 1 they cannot all have theirs.',

  disk_capacity: 'How large the guest sees its disks.',
  disk_allocation: 'How much of it the image really takes on the storage.',
  disk_physical: 'Where the image ends on the storage.',
  disk_util:
    'How much of the time a disk of the host is busy; of a VM its share of that, estimated by the bytes of its disks that are on disks of the host. Devices that work in parallel can take more at 100.',
  disk_reads: 'Read operations that were finished.',
  disk_writes: 'Write operations that were finished.',
  disk_flushes: 'Times that the guest wanted everything to be safe on disk.',
  disk_read_mib: 'What was read.',
  disk_write_mib: 'What was written.',
  disk_lat_rd:
    'How long a read takes that the guest asks for, in QEMU and below: limits of QEMU, page cache, file system, device, network.',
  disk_lat_wr: 'How long a write takes that the guest asks for, in QEMU and below.',
  disk_lat_fl: 'How long it takes until everything is safe on disk when the guest wants that.',
  disk_lat_avg:
    'How long an operation of the guest takes, reads, writes and flushes together: what esxtop calls GAVG.',
  disk_read_time: 'Time in reads, all that run at once added up.',
  disk_write_time: 'Time in writes, all that run at once added up.',
  disk_flush_time: 'Time in flushes, all that run at once added up.',
  disk_errors: 'Operations that failed or were refused.',
  disk_blkio_delay: 'How long QEMU waited for disks of the host. Without kernel.task_delayacct it stays 0.',
  disk_queue_depth: 'Operations that are under way at this moment.',
  disk_queue_length: 'Operations that were under way at a time, mean over the interval.',
  disk_service_time: 'Busy time for each operation; it says little about devices that work in parallel.',
  disk_await:
    'How long an operation takes in the kernel and the device, queueing included: what esxtop calls DAVG.',
  disk_reads_merged: 'Reads that were joined with a neighbouring one before they reached the device.',
  disk_writes_merged: 'Writes that were joined with a neighbouring one before they reached the device.',
  disk_sectors_read: 'Sectors of 512 bytes that were read.',
  disk_sectors_written: 'Sectors of 512 bytes that were written.',
  disk_time_reading: 'Time in reads, all that run at once added up.',
  disk_time_writing: 'Time in writes, all that run at once added up.',
  disk_time_io: 'Time in which the device was busy.',
  disk_time_weighted: 'Time in operations, all that run at once added up.',
  disk_count: 'How many devices the sums of the host run over.',
  disk_type:
    'What kind of device it is; also dmraid, dm (other device-mapper devices), bcache, rbd (Ceph) and drbd. Partitions that guests made on their volumes have no row.',
  disk_dmname:
    'Its name at a higher level: a logical volume, the data set of a zvol, pool/image of Ceph, resource/volume of DRBD, the label of bcache.',

  ...network('rx'),
  ...network('tx'),
  net_speed:
    'What the link could carry in each direction. Virtual functions and representors are not added to their port.',

  io_read_mib:
    'What the QEMU process had read from storage; less than the guest read where the host had it in memory.',
  io_write_mib: 'What the QEMU process had written to storage.',
  io_read_ops: 'Calls of QEMU to the kernel that read, from whatever: files, sockets, eventfds.',
  io_write_ops: 'Calls of QEMU to the kernel that write, to whatever.',
  io_read_bytes: 'What the QEMU process had read from storage.',
  io_write_bytes: 'What the QEMU process had written to storage.',
  io_rchar: 'What QEMU read by system calls, from memory of the host or not.',
  io_wchar: 'What QEMU wrote by system calls, to memory of the host or not.',
  io_cancelled_write_bytes: 'What was written and deleted before it reached the storage.',

  ...pressure('cpu'),
  ...pressure('io'),
  ...pressure('mem'),

  profile_likeliness:
    'How usual it is for this VM to behave as it does now, after what proxprofiler learned about it; near 0 is unusual.',

  host_uptime: 'How long ago the host started.',
  host_vms: 'How many VMs run.',
};

function network(direction: keyof typeof directions): Record<string, string> {
  const what = directions[direction];
  const id = (name: string): string => `net_${direction}_${name}`;
  return {
    [id('mbit')]: `Traffic ${what}.`,
    [id('bytes')]: `Traffic ${what}, in bytes.`,
    [id('packets')]: `Packets ${what}.`,
    [id('drop_percent')]: `Which part of the packets was dropped that should be ${what}.`,
    [id('dropped')]: `Packets that were dropped and should be ${what}.`,
    [id('errors')]: `Packets that were broken and should be ${what}.`,
    [id('fifo')]: `Packets lost because a buffer of the device overran, that should be ${what}.`,
    [id('compressed')]: `Compressed packets ${what}.`,
    ...(direction === 'rx'
      ? {
          net_rx_frame: `Packets with a broken frame, that should be ${what}.`,
          net_rx_multicast: `Packets to many receivers, ${what}.`,
        }
      : {
          net_tx_collisions: `Collisions on the wire while packets were ${what}.`,
          net_tx_carrier: `Times without a carrier when packets should be ${what}.`,
        }),
  };
}

function pressure(resource: keyof typeof waits): Record<string, string> {
  const means = Object.entries(spans).flatMap(([span, words]) => [
    [
      `psi_some_${resource}_${span}`,
      `How much of the last ${words} at least one task waited ${waits[resource]}.`,
    ],
    [
      `psi_full_${resource}_${span}`,
      `How much of the last ${words} all tasks that had something to do waited ${waits[resource]}.`,
    ],
  ]);
  return Object.fromEntries([
    ...means,
    [`psi_some_${resource}_total`, `How long at least one task waited ${waits[resource]}.`],
    [`psi_full_${resource}_total`, `How long all tasks that had something to do waited ${waits[resource]}.`],
  ]) as Record<string, string>;
}
