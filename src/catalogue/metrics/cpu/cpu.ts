import { gauge, mean, percent, text } from '../../metric.ts';
import type { CounterFacts, MetricTable } from '../../metric.ts';
import { eachCpu } from './cpu-each.ts';
import { cpuShortage, usedAndWorst } from './cpu-guest.ts';

/** What makes QEMU itself busy. */
const muchEmulation = {
  causes: [
    'Much disk or network I/O goes through QEMU: use virtio, an iothread for each disk, more queues.',
    'A backup, a mirror or a live migration of the VM is running.',
  ],
} as const;

/** Load is compared with the number of CPUs. */
const manyTasks = {
  levels: '1/2',
  levelsIn: { to: 'cpu_cores', scale: 1, unit: 'per CPU of the host' },
  causes: [
    'More tasks want to run than the host has CPUs: see %RDY of the VMs.',
    'Tasks wait for a disk that is slow or gone, such as a hanging NFS server: see the pressure of I/O.',
  ],
} as const;

/** A vCPU, or the mean over those of a VM. */
const running = {
  title: '%USED',
  meaning:
    'Share of time its vCPUs run on a host CPU (of a container: of the CPUs it may use). 100 % is all of them, all the time.',
  counter: {
    name: 'cpu_seconds',
    unit: 'ns',
    counted: { vm: 'parts', container: 'reading' },
    help: 'Time that vCPUs, or the processes of a container, ran',
  },
} as const;

const ready = {
  title: '%RDY',
  meaning:
    'Share of time its vCPUs are ready to run but wait for a free CPU. The guest stands still meanwhile and may see this as steal time.',
  counter: {
    name: 'cpu_steal_seconds',
    unit: 'ns',
    counted: 'parts',
    help: 'Time that vCPUs were ready to run and waited for a CPU',
  },
  ...cpuShortage,
} as const;

/** Parts of the time of all CPUs. */
const hostTime = {
  source: '/proc/stat line cpu',
  formula:
    'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)',
} as const;

/** CPU used and CPU waited for. */
export const cpu = {
  vm: [
    gauge('cpu_cores', {
      title: 'CORES',
      unit: 'count',
      source: 'connector',
      formula: 'vCPUs that are plugged in now',
      container:
        'cgroup v2 cpuset.cpus.effective: the CPUs that it may run on; without that controller those of the host',
      meaning: 'Number of vCPUs of the VM, or of host CPUs that the container may use.',
      original: { id: 'cpu_cores' },
    }),
    percent('cpu_total', {
      ...running,
      source: '/proc/<pid>/task/<tid>/schedstat field 1',
      formula: 'mean over vCPU threads of delta(run ns)/delta(ns)*100; 0..100',
      container: 'cgroup v2 cpu.stat usage_usec: delta(us)/delta(us)/cpu_cores*100',
      original: { id: 'cpu_%used' },
    }),
    percent('cpu_steal', {
      ...ready,
      source: '/proc/<pid>/task/<tid>/schedstat field 2',
      formula: 'mean over vCPU threads of delta(run-queue wait ns)/delta(ns)*100',
      container:
        'not known: the kernel sums up for no cgroup how long its tasks wait. The CPU pressure tells in which part of the time any of them waited, %MLMTD how long its own limit held it back.',
      original: { id: 'cpu_%rdy' },
    }),
    ...usedAndWorst,
    percent('cpu_other_total', {
      title: '%SYS',
      source: '/proc/<pid>/task/<tid>/schedstat field 1',
      formula:
        'SUM over all other threads of the process (main loop, iothreads, workers) and of its vhost kernel threads, percent of one core',
      meaning: 'CPU time of QEMU besides the vCPUs: main loop, I/O threads, vhost. 100 % is one host CPU.',
      original: { id: 'cpu_%sys' },
      counter: {
        name: 'cpu_other_seconds',
        unit: 'ns',
        counted: 'added',
        help: 'Time that threads other than vCPUs ran',
      },
      ...muchEmulation,
    }),
    percent('cpu_other_steal', {
      title: '%OTHRDY',
      source: '/proc/<pid>/task/<tid>/schedstat field 2',
      formula: 'SUM over the same threads, percent of one core',
      meaning: "Time that QEMU's other threads wait for a CPU. It delays disk and network I/O.",
      original: { id: 'cpu_%othrdy' },
      counter: {
        name: 'cpu_other_steal_seconds',
        unit: 'ns',
        counted: 'added',
        help: 'Time that these threads waited for a CPU',
      },
      ...muchEmulation,
    }),
    gauge('cpu_tasks', {
      title: 'TASKS',
      unit: 'count',
      source: 'cgroup v2 pids.current of a container',
      formula: 'processes and their threads',
      meaning: 'Tasks (processes and threads) in the container.',
      needs: 'a container and the pids controller',
    }),
    percent('cpu_throttled', {
      title: '%MLMTD',
      shown: 'verbose',
      source: 'cgroup v2 cpu.stat throttled_usec of the VM scope',
      formula: 'delta(us)/delta(us)*100; omitted where the cgroup has no cpu controller',
      meaning:
        'Time that a CPU limit (cpulimit of Proxmox VE) keeps the guest from running. Counted per CPU, so it can exceed 100 %.',
      needs: 'cgroup v2 cpu controller',
      counter: {
        name: 'cpu_throttled_seconds',
        unit: 'us',
        shown: 'verbose',
        counted: 'reading',
        help: 'Time in which a CPU limit held the VM or container back',
      },
      levels: '1',
      causes: [
        'It needs more than its limit (cpulimit): raise the limit, or accept that it is slow.',
        'The limit is below what the emulation needs beside the vCPUs, such as disk and network I/O.',
      ],
    }),
    text('cpu_affinity', {
      title: 'AFFINITY',
      shown: 'verbose',
      source: '/proc/<pid>/task/<tid>/status Cpus_allowed_list',
      meaning: 'host CPUs that its vCPUs may run on; read every 30 s',
      needs: 'its process on this host',
      container: 'cgroup v2 cpuset.cpus.effective, looked at every 10 s',
    }),
  ],
  vm_vcpu: [
    percent('cpu_total', {
      ...running,
      source: '/proc/<pid>/task/<tid>/schedstat',
      formula: 'one vCPU',
    }),
    percent('cpu_steal', {
      ...ready,
      source: '/proc/<pid>/task/<tid>/schedstat',
      formula: 'one vCPU',
    }),
  ],
  host: [
    gauge('cpu_cores', {
      title: 'CORES',
      unit: 'count',
      source: '/proc/stat lines cpuN',
      formula: 'online logical CPUs',
      meaning: 'Logical CPUs of the host that are online.',
      original: { id: 'cpu_cores' },
    }),
    gauge('cpu_curfreq', {
      title: 'FREQ',
      unit: 'MHz',
      source: '/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq, else /proc/cpuinfo cpu MHz',
      formula: 'mean over online CPUs; omitted if neither exists',
      meaning: 'The clock at which the CPUs of the host run now.',
      original: { id: 'cpu_curfreq' },
      needs: 'cpufreq or cpu MHz in cpuinfo',
    }),
    percent('cpu_user', {
      ...hostTime,
      title: '%USER',
      meaning: 'Time that programs run on the CPUs of the host, vCPUs among them.',
      original: { id: 'cpu_%user' },
      counter: mode('user'),
    }),
    percent('cpu_system', {
      ...hostTime,
      title: '%SYS',
      meaning: 'Time that the kernel of the host runs.',
      original: { id: 'cpu_%sys' },
      counter: mode('system'),
    }),
    percent('cpu_idle', {
      ...hostTime,
      title: '%IDLE',
      meaning: 'Time that CPUs of the host have nothing to do.',
      original: { id: 'cpu_%idle' },
      counter: mode('idle'),
    }),
    percent('cpu_steal', {
      ...hostTime,
      title: '%STEAL',
      meaning: 'Share of time this host, itself a VM, waits for a CPU of its own host.',
      original: { id: 'cpu_%steal' },
      ...cpuShortage,
      counter: mode('steal'),
    }),
    percent('cpu_iowait', {
      ...hostTime,
      title: '%IOWAIT',
      meaning: 'Time that CPUs of the host have nothing to do while a task waits for a disk.',
      original: { id: 'cpu_%iowait' },
      counter: mode('iowait'),
    }),
    percent('cpu_nice', {
      ...hostTime,
      title: '%NICE',
      shown: 'verbose',
      meaning: 'Time that programs of low priority run on the host.',
      original: { id: 'cpu_%nice' },
      counter: mode('nice'),
    }),
    percent('cpu_irq', {
      ...hostTime,
      title: '%IRQ',
      shown: 'verbose',
      meaning: 'Time that the host handles interrupts.',
      original: { id: 'cpu_%irq' },
      counter: mode('irq'),
    }),
    percent('cpu_softirq', {
      ...hostTime,
      title: '%SOFTIRQ',
      shown: 'verbose',
      meaning: 'Time that the host handles what interrupts left to be done, mostly network packets.',
      original: { id: 'cpu_%softirq' },
      counter: mode('softirq'),
    }),
    percent('cpu_guest', {
      ...hostTime,
      title: '%GUEST',
      shown: 'verbose',
      meaning: 'Time that vCPUs run; it is part of the time of programs.',
      original: { id: 'cpu_%guest' },
      counter: guestMode('user'),
    }),
    percent('cpu_guestnice', {
      ...hostTime,
      title: '%GUESTNICE',
      shown: 'verbose',
      meaning: 'Time that vCPUs of low priority run; it is part of the time of programs of low priority.',
      original: { id: 'cpu_%guestnice' },
      counter: guestMode('nice'),
    }),
    gauge('cpu_minfreq', {
      title: 'MINFREQ',
      unit: 'MHz',
      shown: 'verbose',
      source: 'cpufreq/cpuinfo_min_freq',
      formula: 'mean',
      meaning: 'The lowest clock that the CPUs of the host can have.',
      original: { id: 'cpu_minfreq' },
      needs: 'cpufreq',
    }),
    gauge('cpu_maxfreq', {
      title: 'MAXFREQ',
      unit: 'MHz',
      shown: 'verbose',
      source: 'cpufreq/cpuinfo_max_freq',
      formula: 'mean',
      meaning: 'The highest clock that the CPUs of the host can have.',
      original: { id: 'cpu_maxfreq' },
      needs: 'cpufreq',
    }),
    mean('cpu_load1', {
      title: 'LOAD1',
      unit: 'count',
      shown: 'verbose',
      source: '/proc/loadavg',
      formula: '1 minute load',
      meaning: 'Tasks that run, are ready to run or wait for a disk, averaged over about a minute.',
      prometheus: 'gauge',
      ...manyTasks,
    }),
    mean('cpu_load5', {
      title: 'LOAD5',
      unit: 'count',
      shown: 'verbose',
      source: '/proc/loadavg',
      formula: '5 minute load',
      meaning: 'Tasks that run, are ready to run or wait for a disk, averaged over about 5 minutes.',
      prometheus: 'gauge',
      ...manyTasks,
    }),
    mean('cpu_load15', {
      title: 'LOAD15',
      unit: 'count',
      shown: 'verbose',
      source: '/proc/loadavg',
      formula: '15 minute load',
      meaning: 'Tasks that run, are ready to run or wait for a disk, averaged over about 15 minutes.',
      prometheus: 'gauge',
      ...manyTasks,
    }),
    gauge('cpu_overcommit', {
      title: 'VCPU/CPU',
      unit: 'ratio',
      shown: 'verbose',
      source: 'derived',
      formula: 'sum of running VMs vCPUs / online CPUs',
      meaning: 'Number of vCPUs per host CPU.',
    }),
  ],
  host_cpu: eachCpu,
} satisfies MetricTable;

function mode(name: string): CounterFacts {
  return {
    name: 'cpu_seconds',
    unit: 'ticks',
    counted: 'added',
    help: 'Time of all CPUs by what they did; user holds that of guests, nice that of nice ones',
    label: ['mode', name],
  };
}

function guestMode(name: string): CounterFacts {
  return {
    name: 'cpu_guest_seconds',
    unit: 'ticks',
    shown: 'verbose',
    counted: 'added',
    help: 'Time of all CPUs spent in guests, user and nice; it is part of that in proxtop_host_cpu_seconds',
    label: ['mode', name],
  };
}
