import type { Cgroup } from '../kernel/cgroup.ts';
import { CgroupCpuStat, cgroupCpuStatCounters, parseCgroupCpuStat } from '../kernel/cgroup-cpu-stat.ts';
import { growth } from '../kernel/counters.ts';
import { Schedstat, parsePidSchedstat, schedstatCounters } from '../kernel/proc-pid-schedstat.ts';
import type { Process, Thread } from '../kernel/process.ts';
import { readRecord } from '../kernel/read.ts';
import { slots } from '../metrics/catalogue.ts';
import type { Row } from '../metrics/row.ts';
import type { VmTarget, Wanted } from './collector.ts';
import { Readings, Totals, now } from './readings.ts';
import { SlowBeat } from './slow-beat.ts';

const vmSlots = slots('cpu', 'vm');
const vcpuSlots = slots('cpu', 'vm_vcpu');
const { run, wait } = schedstatCounters;
/** The counts of a VM: of its vCPUs, and of its other threads. */
const [RUN, WAIT, OTHER_RUN, OTHER_WAIT] = [0, 1, 2, 3] as const;
const NS_PER_S = 1e9;
const US_PER_S = 1e6;

/** CPU time of one thread at one instant. */
export class ThreadReading {
  /** Monotonic seconds. */
  time = NaN;
  readonly schedstat = new Schedstat();
}

/** CPU limits of a cgroup at one instant. */
export class ThrottleReading {
  time = NaN;
  readonly cpuStat = new CgroupCpuStat();
}

/**
 * ns that a thread ran, or waited on a run queue, between two readings; NaN where it cannot be known.
 * Source: Documentation/scheduler/sched-stats.rst.
 */
export function grown(previous: ThreadReading, current: ThreadReading, counter: number): number {
  return growth(previous.schedstat.counters, current.schedstat.counters, counter);
}

/** ns between two readings in percent of one CPU. */
export function deriveThread(ns: number, previous: ThreadReading, current: ThreadReading): number {
  return (ns / ((current.time - previous.time) * NS_PER_S)) * 100;
}

/** Percent of the time in which the cgroup was kept off the CPU by its limit. Source: cgroup-v2.rst, cpu.stat. */
export function deriveThrottled(previous: ThrottleReading, current: ThrottleReading): number {
  const elapsed = (current.time - previous.time) * US_PER_S;
  const { throttledUsec } = cgroupCpuStatCounters;
  return (growth(previous.cpuStat.counters, current.cpuStat.counters, throttledUsec) / elapsed) * 100;
}

/** A thread with its readings, and what was derived from them in this cycle. */
class ThreadCpu {
  readonly readings = new Readings(() => new ThreadReading());
  /** Percent of one CPU that it ran. */
  used = NaN;
  /** Percent of the time that it waited on a run queue. */
  ready = NaN;

  /**
   * @param born since when it is known not to have existed: its counters, which begin at 0, then belong to the time
   *   since; undefined when it was there before we looked
   */
  constructor(
    readonly thread: Thread,
    born: number | undefined,
  ) {
    if (born === undefined) return;
    const { spare } = this.readings;
    spare.time = born;
    spare.schedstat.counters.set(run, 0);
    spare.schedstat.counters.set(wait, 0);
    this.readings.commit();
  }

  /** False when the thread is gone. @param totals of the VM, to which its counts are added */
  read(totals: Totals): boolean {
    const { schedstat: file } = this.thread;
    const { readings } = this;
    const { spare } = readings;
    if (!readRecord(file, parsePidSchedstat, spare.schedstat)) return false;
    spare.time = now();
    readings.commit();
    if (readings.complete) {
      const { previous, current } = readings;
      const ran = grown(previous, current, run);
      const waited = grown(previous, current, wait);
      this.used = deriveThread(ran, previous, current);
      this.ready = deriveThread(waited, previous, current);
      const isVcpu = this.thread.vcpu !== undefined;
      totals.add(isVcpu ? RUN : OTHER_RUN, ran);
      totals.add(isVcpu ? WAIT : OTHER_WAIT, waited);
    }
    return true;
  }
}

/** The threads of one VM. */
export class VmCpu {
  private threads: ThreadCpu[] = [];
  private generation = -1;
  private lastCycle: number | undefined;
  private readonly totals = new Totals(4);
  private readonly throttle = new Readings(() => new ThrottleReading());
  private readonly affinityBeat = new SlowBeat(30);
  private affinity: string | undefined;

  constructor(
    private readonly process: Process,
    private readonly cgroup: Cgroup | undefined,
  ) {}

  collect(target: VmTarget, wanted: Wanted): void {
    if (this.generation !== this.process.generation) this.follow();
    this.lastCycle = now();
    let vcpus = 0;
    let used = 0;
    let ready = 0;
    let otherUsed = 0;
    let otherReady = 0;
    for (const cpu of this.threads) {
      if (!cpu.read(this.totals)) {
        this.process.relist();
        continue;
      }
      if (cpu.thread.vcpu === undefined) {
        otherUsed += cpu.used;
        otherReady += cpu.ready;
        continue;
      }
      vcpus++;
      used += cpu.used;
      ready += cpu.ready;
      if (wanted.devices) setVcpu(target.vcpuRows.add(String(cpu.thread.vcpu)), cpu);
    }
    const { values, counters } = target.row;
    // Where no thread is known to run a vCPU, the others cannot be told from those that do.
    if (vcpus > 0) {
      values[vmSlots.cpu_total] = Math.min(100, used / vcpus);
      values[vmSlots.cpu_steal] = ready / vcpus;
      values[vmSlots.cpu_other_total] = otherUsed;
      values[vmSlots.cpu_other_steal] = otherReady;
      counters[vmSlots.cpu_total] = this.totals.at(RUN);
      counters[vmSlots.cpu_steal] = this.totals.at(WAIT);
      counters[vmSlots.cpu_other_total] = this.totals.at(OTHER_RUN);
      counters[vmSlots.cpu_other_steal] = this.totals.at(OTHER_WAIT);
    }
    if (!wanted.verbose) return;
    this.setThrottled(target.row);
    target.row.texts[vmSlots.cpu_affinity] = this.pinnedTo();
  }

  /** Where vCPUs may run changes rarely, and costs a read for each. */
  private pinnedTo(): string | undefined {
    if (this.affinityBeat.due(now())) this.affinity = this.process.vcpuAffinity();
    return this.affinity;
  }

  /** Takes over the new list of threads; those that stay keep their readings. */
  private follow(): void {
    const known = new Map(this.threads.map((cpu) => [cpu.thread, cpu]));
    this.threads = this.process.threads.map(
      (thread) => known.get(thread) ?? new ThreadCpu(thread, this.lastCycle),
    );
    this.threads.sort(
      (a, b) => (a.thread.vcpu ?? Infinity) - (b.thread.vcpu ?? Infinity) || a.thread.tid - b.thread.tid,
    );
    this.generation = this.process.generation;
  }

  private setThrottled({ values, counters }: Row): void {
    const file = this.cgroup?.cpuStat;
    const { throttle } = this;
    if (file === undefined || !readRecord(file, parseCgroupCpuStat, throttle.spare.cpuStat)) return;
    throttle.spare.time = now();
    throttle.commit();
    const { throttledUsec } = cgroupCpuStatCounters;
    counters[vmSlots.cpu_throttled] = throttle.current.cpuStat.counters.value(throttledUsec);
    if (throttle.complete)
      values[vmSlots.cpu_throttled] = deriveThrottled(throttle.previous, throttle.current);
  }
}

function setVcpu({ values, counters }: Row, cpu: ThreadCpu): void {
  const { counters: counts } = cpu.readings.current.schedstat;
  values[vcpuSlots.cpu_total] = Math.min(100, cpu.used);
  values[vcpuSlots.cpu_steal] = cpu.ready;
  counters[vcpuSlots.cpu_total] = counts.value(run);
  counters[vcpuSlots.cpu_steal] = counts.value(wait);
}
