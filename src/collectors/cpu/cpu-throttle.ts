import { growth } from '../../kernel/base/counters.ts';
import type { KernelFile } from '../../kernel/base/kernel-file.ts';
import { readRecord } from '../../kernel/base/read.ts';
import {
  CgroupCpuStat,
  cgroupCpuStatCounters,
  parseCgroupCpuStat,
} from '../../kernel/sys/cgroup/cgroup-cpu-stat.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import { Readings, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const vmSlots = slots('cpu', 'vm');
const { nrPeriods, throttledUsec } = cgroupCpuStatCounters;
const US_PER_S = 1e6;
/** Seconds between two readings while no limit is in force. */
const UNLIMITED_BEAT = 5;

/** CPU limits of a cgroup at one instant. */
export class ThrottleReading {
  time = NaN;
  readonly cpuStat = new CgroupCpuStat();
}

/** Percent of the time in which the cgroup was kept off the CPU by its limit. Source: cgroup-v2.rst, cpu.stat. */
export function deriveThrottled(previous: ThrottleReading, current: ThrottleReading): number {
  const elapsed = (current.time - previous.time) * US_PER_S;
  return (growth(previous.cpuStat.counters, current.cpuStat.counters, throttledUsec) / elapsed) * 100;
}

/**
 * How much the CPU limit of one VM holds it back. The kernel counts periods only where a limit is set and the VM runs:
 * while it counts none, nothing is throttled, and it is enough to check now and then whether that has changed.
 */
export class Throttling {
  private readonly readings = new Readings(() => new ThrottleReading());
  private readonly beat = new SlowBeat(UNLIMITED_BEAT);
  private limited = true;
  private known = false;

  /** @param file cpu.stat of its cgroup */
  constructor(private readonly file: KernelFile) {}

  collect({ values, counters }: Row): void {
    const time = now();
    if (this.limited || this.beat.due(time)) this.read(time);
    if (!this.known) return;
    const { previous, current, complete } = this.readings;
    counters[vmSlots.cpu_throttled] = current.cpuStat.counters.value(throttledUsec);
    if (complete) values[vmSlots.cpu_throttled] = deriveThrottled(previous, current);
  }

  /** Whether the cgroup tells how long a limit held it back, as far as it was read. */
  get hasController(): boolean {
    return this.known && !Number.isNaN(this.readings.current.cpuStat.counters.value(throttledUsec));
  }

  private read(time: number): void {
    const { readings } = this;
    this.known = readRecord(this.file, parseCgroupCpuStat, readings.spare.cpuStat);
    if (!this.known) return;
    readings.spare.time = time;
    readings.commit();
    const { previous, current, complete } = readings;
    this.limited = !complete || growth(previous.cpuStat.counters, current.cpuStat.counters, nrPeriods) > 0;
  }
}
