import { gauge, mean, percent, text } from '../../metric.ts';

/** Time spent waiting for a CPU; the levels are the usual ones of esxtop. */
export const cpuShortage = {
  levels: '5/10',
  causes: [
    'More vCPUs want to run than the host has CPUs: key b shows who runs most. Migrate VMs away, or assign fewer vCPUs.',
    'The VM runs into its own CPU limit: see %MLMTD.',
    'The VM is pinned (affinity) to CPUs that others use too, or has a small share (cpuunits) against them.',
    'The host itself is busy: ZFS, backups, Ceph, the network stack (see %SYS and %SOFTIRQ of the host).',
  ],
} as const;

/** What a VM uses of the CPUs in all, its worst vCPU, its limits, and the busiest thread of QEMU itself. */
export const usedAndWorst = [
  mean('cpu_used', {
    title: 'CPUS',
    unit: 'count',
    source: '/proc/<pid>/task/<tid>/schedstat field 1',
    formula: 'sum of delta(run ns)/delta(ns) over all threads: vCPUs, QEMU itself, vhost',
    container: 'cgroup v2 cpu.stat usage_usec: delta(us)/delta(us)',
    meaning: 'Host CPUs that the VM or container uses in total.',
  }),
  percent('cpu_total_max', {
    title: '%UMAX',
    source: '/proc/<pid>/task/<tid>/schedstat field 1',
    formula: 'cpu_total of the busiest vCPU',
    meaning:
      'Share of time its busiest vCPU runs. At 100 % a single-threaded program in the guest cannot go faster.',
    prometheus: 'gauge',
  }),
  percent('cpu_steal_max', {
    title: '%RMAX',
    source: '/proc/<pid>/task/<tid>/schedstat field 2',
    formula: 'cpu_steal of the vCPU that waits most',
    meaning: 'Share of time the worst vCPU waits for a CPU.',
    prometheus: 'gauge',
    levels: '12/25',
    causes: cpuShortage.causes,
  }),
  percent('cpu_contention', {
    title: '%CONT',
    shown: 'verbose',
    source: 'derived',
    formula: 'max(0, cpu_steal - cpu_throttled/vCPUs)',
    meaning: "Share of time its vCPUs wait because others run, not because of the VM's own limit.",
    needs: 'a cgroup of its own, and no limits of single vCPUs (libvirt quota)',
    prometheus: 'gauge',
    levels: '5/10',
    causes: cpuShortage.causes,
  }),
  // Not a count: that would print whole numbers only, and half a CPU is a limit too.
  mean('cpu_limit', {
    title: 'CPULIMIT',
    unit: 'count',
    source: 'cgroup v2 cpu.max / Proxmox config cpulimit / libvirt XML cputune',
    formula:
      'quota/period; libvirt global_quota/global_period, or vCPUs * quota/period if that is less; omitted where there is none',
    container: 'cgroup v2 cpu.max',
    meaning:
      'Host CPUs that the VM or container may use in total (cpulimit of Proxmox VE; quotas of libvirt).',
    prometheus: 'gauge',
    needs: 'a CPU limit',
  }),
  percent('cpu_limit_used', {
    title: '%CPULIMIT',
    source: 'derived',
    formula: 'cpu_used/cpu_limit*100; of limits of vCPUs (libvirt quota) cpu_total*vCPUs/cpu_limit',
    meaning: 'Share of its CPU limit in use. At 100 % it is throttled (%MLMTD).',
    needs: 'a CPU limit',
    prometheus: 'gauge',
  }),
  gauge('cpu_weight', {
    title: 'WEIGHT',
    unit: 'count',
    shown: 'verbose',
    source: 'cgroup v2 cpu.weight / Proxmox config cpuunits / libvirt XML shares',
    container: 'cgroup v2 cpu.weight',
    formula: '',
    meaning: 'Its weight against others when CPUs are short.',
    needs: 'cgroup v2 cpu controller, Proxmox cpuunits, or libvirt shares',
  }),
  percent('cpu_other_max', {
    title: '%SMAX',
    source: '/proc/<pid>/task/<tid>/schedstat field 1',
    formula: 'the busiest of the threads that run no vCPU, percent of one core',
    meaning: 'Use of the busiest thread of QEMU itself. At 100 % its disk or NIC cannot go faster.',
    prometheus: 'gauge',
    levels: '90',
    causes: [
      'One I/O thread serves too much: give each disk its own (iothread=1 with virtio-scsi-single), NICs more queues.',
      'Compression or encryption of a backup or migration runs in QEMU.',
    ],
  }),
  text('cpu_other_busiest', {
    title: 'BUSIEST',
    shown: 'verbose',
    source: '/proc/<pid>/task/<tid>/comm',
    needs: 'a thread of QEMU that runs',
    meaning:
      'Name of that thread: kvm is the main loop, IO iothread... an I/O thread, vhost-... a queue of a NIC',
  }),
];
