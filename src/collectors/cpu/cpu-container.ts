import { growth } from '../../kernel/base/counters.ts';
import { readOnce } from '../../kernel/base/kernel-file.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord, readValue } from '../../kernel/base/read.ts';
import type { Cgroup } from '../../kernel/sys/cgroup/cgroup.ts';
import { cgroupCpuStatCounters, parseCgroupCpuStat } from '../../kernel/sys/cgroup/cgroup-cpu-stat.ts';
import { parseCpuList } from '../../kernel/sys/cpu-list.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import { CpuLimit } from './cpu-limit.ts';
import { ThrottleReading, deriveThrottled } from './cpu-throttle.ts';
import { Readings, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const vmSlots = slots('cpu', 'vm');
const { usageUsec, throttledUsec } = cgroupCpuStatCounters;
const US_PER_S = 1e6;
const NS_PER_US = 1000;
/** Seconds between two checks of where it may run: Proxmox VE moves containers to other CPUs every 10 s. */
const CPUS_BEAT = 10;

/**
 * Sets how much a container used between two readings, in CPUs and of those that it may run on.
 * @param cores how many these are; NaN if not known
 */
export function deriveContainerCpu(
  previous: ThrottleReading,
  current: ThrottleReading,
  cores: number,
  { values }: Row,
): void {
  const elapsed = (current.time - previous.time) * US_PER_S;
  const used = growth(previous.cpuStat.counters, current.cpuStat.counters, usageUsec) / elapsed;
  values[vmSlots.cpu_used] = used;
  values[vmSlots.cpu_total] = Math.min(100, (used / cores) * 100);
}

/**
 * CPU time of one container, by its cgroup. The kernel does not sum up how long its processes wait for a CPU; the pressure
 * is the share of time in which some of them waited.
 */
export class ContainerCpu {
  private readonly readings = new Readings(() => new ThrottleReading());
  private readonly beat = new SlowBeat(CPUS_BEAT);
  private readonly limit: CpuLimit;
  /** How many CPUs it may run on; NaN if not known. */
  private cores = NaN;
  private affinity: string | undefined;

  constructor(
    private readonly paths: Paths,
    private readonly cgroup: Cgroup,
  ) {
    this.limit = new CpuLimit(cgroup);
  }

  collect({ row, guest }: GuestTarget, wanted: Wanted): void {
    const { values, texts } = row;
    if (this.beat.due(now())) this.lookAtCpus();
    values[vmSlots.cpu_cores] = this.cores;
    values[vmSlots.cpu_tasks] = readValue(this.cgroup.pids, parseNumberAt);
    if (wanted.verbose) texts[vmSlots.cpu_affinity] = this.affinity;
    this.setUsed(row, wanted);
    this.limit.set(values, guest);
  }

  private setUsed(row: Row, wanted: Wanted): void {
    const { readings } = this;
    const { values, counters } = row;
    if (!readRecord(this.cgroup.cpuStat, parseCgroupCpuStat, readings.spare.cpuStat)) return;
    readings.spare.time = now();
    readings.commit();
    const { counters: counts } = readings.current.cpuStat;
    counters[vmSlots.cpu_total] = counts.value(usageUsec) * NS_PER_US;
    if (readings.complete) deriveContainerCpu(readings.previous, readings.current, this.cores, row);
    if (!wanted.verbose) return;
    counters[vmSlots.cpu_throttled] = counts.value(throttledUsec);
    if (readings.complete)
      values[vmSlots.cpu_throttled] = deriveThrottled(readings.previous, readings.current);
  }

  private lookAtCpus(): void {
    this.affinity = this.cgroup.cpuset.text();
    const cpus = this.affinity ?? readOnce(this.paths.onlineCpus);
    this.cores = cpus === undefined ? NaN : parseCpuList(cpus).size;
  }
}
