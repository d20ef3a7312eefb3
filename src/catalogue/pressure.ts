import type { MetricTable } from './define.ts';

/** Pressure stall information. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const pressure = {
  host: [
    ['psi_some_cpu_avg10', 'SCPU10', 'percent', 'percent', 'verbose', '/proc/pressure/cpu line some', 'kernel average', 'psi_some_cpu_avg10', 'PSI'],
    ['psi_some_cpu_avg60', 'SCPU60', 'percent', 'percent', 'default', '/proc/pressure/cpu line some', 'kernel average', 'psi_some_cpu_avg60', 'PSI'],
    ['psi_some_cpu_avg300', 'SCPU300', 'percent', 'percent', 'verbose', '/proc/pressure/cpu line some', 'kernel average', 'psi_some_cpu_avg300', 'PSI'],
    ['psi_some_cpu_total', 'SCPUTOTAL', 'us per second', 'rate', 'verbose', '/proc/pressure/cpu line some', 'rate of total', 'psi_some_cpu_total (us, cumulative)', 'PSI'],
    ['psi_full_cpu_avg10', 'FCPU10', 'percent', 'percent', 'verbose', '/proc/pressure/cpu line full', 'kernel average', '', 'PSI'],
    ['psi_full_cpu_avg60', 'FCPU60', 'percent', 'percent', 'verbose', '/proc/pressure/cpu line full', 'kernel average', '', 'PSI'],
    ['psi_full_cpu_avg300', 'FCPU300', 'percent', 'percent', 'verbose', '/proc/pressure/cpu line full', 'kernel average', '', 'PSI'],
    ['psi_full_cpu_total', 'FCPUTOTAL', 'us per second', 'rate', 'verbose', '/proc/pressure/cpu line full', 'rate of total', '', 'PSI'],
    ['psi_some_io_avg10', 'SIO10', 'percent', 'percent', 'verbose', '/proc/pressure/io line some', 'kernel average', 'psi_some_io_avg10', 'PSI'],
    ['psi_some_io_avg60', 'SIO60', 'percent', 'percent', 'default', '/proc/pressure/io line some', 'kernel average', 'psi_some_io_avg60', 'PSI'],
    ['psi_some_io_avg300', 'SIO300', 'percent', 'percent', 'verbose', '/proc/pressure/io line some', 'kernel average', 'psi_some_io_avg300', 'PSI'],
    ['psi_some_io_total', 'SIOTOTAL', 'us per second', 'rate', 'verbose', '/proc/pressure/io line some', 'rate of total', 'psi_some_io_total (us, cumulative)', 'PSI'],
    ['psi_full_io_avg10', 'FIO10', 'percent', 'percent', 'verbose', '/proc/pressure/io line full', 'kernel average', 'psi_full_io_avg10', 'PSI'],
    ['psi_full_io_avg60', 'FIO60', 'percent', 'percent', 'default', '/proc/pressure/io line full', 'kernel average', 'psi_full_io_avg60', 'PSI'],
    ['psi_full_io_avg300', 'FIO300', 'percent', 'percent', 'verbose', '/proc/pressure/io line full', 'kernel average', 'psi_full_io_avg300', 'PSI'],
    ['psi_full_io_total', 'FIOTOTAL', 'us per second', 'rate', 'verbose', '/proc/pressure/io line full', 'rate of total', 'psi_full_io_total (us, cumulative)', 'PSI'],
    ['psi_some_mem_avg10', 'SMEM10', 'percent', 'percent', 'verbose', '/proc/pressure/memory line some', 'kernel average', 'psi_some_mem_avg10', 'PSI'],
    ['psi_some_mem_avg60', 'SMEM60', 'percent', 'percent', 'default', '/proc/pressure/memory line some', 'kernel average', 'psi_some_mem_avg60', 'PSI'],
    ['psi_some_mem_avg300', 'SMEM300', 'percent', 'percent', 'verbose', '/proc/pressure/memory line some', 'kernel average', 'psi_some_mem_avg300', 'PSI'],
    ['psi_some_mem_total', 'SMEMTOTAL', 'us per second', 'rate', 'verbose', '/proc/pressure/memory line some', 'rate of total', 'psi_some_mem_total (us, cumulative)', 'PSI'],
    ['psi_full_mem_avg10', 'FMEM10', 'percent', 'percent', 'verbose', '/proc/pressure/memory line full', 'kernel average', 'psi_full_mem_avg10', 'PSI'],
    ['psi_full_mem_avg60', 'FMEM60', 'percent', 'percent', 'default', '/proc/pressure/memory line full', 'kernel average', 'psi_full_mem_avg60', 'PSI'],
    ['psi_full_mem_avg300', 'FMEM300', 'percent', 'percent', 'verbose', '/proc/pressure/memory line full', 'kernel average', 'psi_full_mem_avg300', 'PSI'],
    ['psi_full_mem_total', 'FMEMTOTAL', 'us per second', 'rate', 'verbose', '/proc/pressure/memory line full', 'rate of total', 'psi_full_mem_total (us, cumulative)', 'PSI'],
  ],
  vm: [
    ['psi_some_cpu_avg10', 'SCPU10', 'percent', 'percent', 'default', 'cgroup v2 cpu.pressure of the VM scope', 'pressure of one VM; omitted where its cgroup is shared with other processes', '', 'cgroup v2 of its own and PSI'],
    ['psi_full_cpu_avg10', 'FCPU10', 'percent', 'percent', 'verbose', 'cgroup v2 cpu.pressure of the VM scope', 'pressure of one VM; omitted where its cgroup is shared with other processes', '', 'cgroup v2 of its own and PSI'],
    ['psi_some_io_avg10', 'SIO10', 'percent', 'percent', 'default', 'cgroup v2 io.pressure of the VM scope', 'pressure of one VM; omitted where its cgroup is shared with other processes', '', 'cgroup v2 of its own and PSI'],
    ['psi_full_io_avg10', 'FIO10', 'percent', 'percent', 'verbose', 'cgroup v2 io.pressure of the VM scope', 'pressure of one VM; omitted where its cgroup is shared with other processes', '', 'cgroup v2 of its own and PSI'],
    ['psi_some_mem_avg10', 'SMEM10', 'percent', 'percent', 'default', 'cgroup v2 memory.pressure of the VM scope', 'pressure of one VM; omitted where its cgroup is shared with other processes', '', 'cgroup v2 of its own and PSI'],
    ['psi_full_mem_avg10', 'FMEM10', 'percent', 'percent', 'verbose', 'cgroup v2 memory.pressure of the VM scope', 'pressure of one VM; omitted where its cgroup is shared with other processes', '', 'cgroup v2 of its own and PSI'],
  ],
} as const satisfies MetricTable;
