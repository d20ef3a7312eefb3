import type { MetricTable } from './define.ts';

/** CPU used and CPU waited for. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const cpu = {
  vm: [
    ['cpu_cores', 'CORES', 'count', 'gauge', 'default', 'connector', 'vCPUs that are plugged in now', 'cpu_cores'],
    ['cpu_total', '%USED', 'percent', 'percent', 'default', '/proc/<pid>/task/<tid>/schedstat field 1', 'mean over vCPU threads of delta(run ns)/delta(ns)*100; 0..100', 'cpu_%used'],
    ['cpu_steal', '%RDY', 'percent', 'percent', 'default', '/proc/<pid>/task/<tid>/schedstat field 2', 'mean over vCPU threads of delta(run-queue wait ns)/delta(ns)*100', 'cpu_%rdy'],
    ['cpu_other_total', '%SYS', 'percent', 'percent', 'default', '/proc/<pid>/task/<tid>/schedstat field 1', 'SUM over all other threads of the process (main loop, iothreads, workers) and of its vhost kernel threads, percent of one core', 'cpu_%sys'],
    ['cpu_other_steal', '%OTHRDY', 'percent', 'percent', 'default', '/proc/<pid>/task/<tid>/schedstat field 2', 'SUM over the same threads, percent of one core', 'cpu_%othrdy'],
    ['cpu_throttled', '%MLMTD', 'percent', 'percent', 'verbose', 'cgroup v2 cpu.stat throttled_usec of the VM scope', 'delta(us)/delta(us)*100; omitted where the cgroup has no cpu controller', '', 'cgroup v2 cpu controller'],
    ['cpu_affinity', 'AFFINITY', '-', 'text', 'verbose', '/proc/<pid>/task/<tid>/status Cpus_allowed_list', 'CPUs of the host that its vCPUs may run on; looked at every 30 s', '', 'its process on this host'],
  ],
  vm_vcpu: [
    ['cpu_total', '%USED', 'percent', 'percent', 'default', '/proc/<pid>/task/<tid>/schedstat', 'one vCPU', ''],
    ['cpu_steal', '%RDY', 'percent', 'percent', 'default', '/proc/<pid>/task/<tid>/schedstat', 'one vCPU', ''],
  ],
  host: [
    ['cpu_cores', 'CORES', 'count', 'gauge', 'default', '/proc/stat lines cpuN', 'online logical CPUs', 'cpu_cores'],
    ['cpu_curfreq', 'FREQ', 'MHz', 'gauge', 'default', '/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq, else /proc/cpuinfo cpu MHz', 'mean over online CPUs; omitted if neither exists', 'cpu_curfreq', 'cpufreq or cpu MHz in cpuinfo'],
    ['cpu_user', '%USER', 'percent', 'percent', 'default', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%user'],
    ['cpu_system', '%SYS', 'percent', 'percent', 'default', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%sys'],
    ['cpu_idle', '%IDLE', 'percent', 'percent', 'default', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%idle'],
    ['cpu_steal', '%STEAL', 'percent', 'percent', 'default', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%steal'],
    ['cpu_iowait', '%IOWAIT', 'percent', 'percent', 'default', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%iowait'],
    ['cpu_nice', '%NICE', 'percent', 'percent', 'verbose', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%nice'],
    ['cpu_irq', '%IRQ', 'percent', 'percent', 'verbose', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%irq'],
    ['cpu_softirq', '%SOFTIRQ', 'percent', 'percent', 'verbose', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%softirq'],
    ['cpu_guest', '%GUEST', 'percent', 'percent', 'verbose', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%guest'],
    ['cpu_guestnice', '%GUESTNICE', 'percent', 'percent', 'verbose', '/proc/stat line cpu', 'delta(ticks)/sum of the deltas of user..steal *100 (the kernel counts guest inside user and guestnice inside nice: never add them to the sum)', 'cpu_%guestnice'],
    ['cpu_minfreq', 'MINFREQ', 'MHz', 'gauge', 'verbose', 'cpufreq/cpuinfo_min_freq', 'mean', 'cpu_minfreq', 'cpufreq'],
    ['cpu_maxfreq', 'MAXFREQ', 'MHz', 'gauge', 'verbose', 'cpufreq/cpuinfo_max_freq', 'mean', 'cpu_maxfreq', 'cpufreq'],
    ['cpu_load1', 'LOAD1', 'count', 'mean', 'verbose', '/proc/loadavg', '1 minute load', ''],
    ['cpu_load5', 'LOAD5', 'count', 'mean', 'verbose', '/proc/loadavg', '5 minute load', ''],
    ['cpu_load15', 'LOAD15', 'count', 'mean', 'verbose', '/proc/loadavg', '15 minute load', ''],
    ['cpu_overcommit', 'VCPU/CPU', 'ratio', 'gauge', 'verbose', 'derived', 'sum of running VMs vCPUs / online CPUs', ''],
  ],
} as const satisfies MetricTable;
