import type { Cgroup } from '../../kernel/sys/cgroup/cgroup.ts';
import { SCHEDSTAT_ROOM, schedstatCounters } from '../../kernel/pid/proc-pid-schedstat.ts';
import { pidStatCounters } from '../../kernel/pid/proc-pid-stat.ts';
import type { Process, Thread } from '../../kernel/process/process.ts';
import { ReadBatch } from '../../kernel/base/read.ts';
import { NS_PER_TICK } from '../../kernel/base/ticks.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import { CpuLimit } from './cpu-limit.ts';
import { Throttling } from './cpu-throttle.ts';
import { ThreadCpu } from './cpu-thread.ts';
import { Totals, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const vmSlots = slots('cpu', 'vm');
const vcpuSlots = slots('cpu', 'vm_vcpu');
const { run, wait } = schedstatCounters;
/** The counts of a VM: of its vCPUs, and of its other threads. */
const [RUN, WAIT, OTHER_RUN, OTHER_WAIT] = [0, 1, 2, 3] as const;
const PERCENT = 100;
/** Seconds between two readings of a dormant thread. */
const DORMANT_BEAT = 5;
/**
 * Threads without a vCPU that are read, each of which keeps a descriptor: QEMU has 64 for each of its I/O threads at
 * most, Ceph some 100 for a VM. With more than that what they ran together is not known.
 */
const OTHER_THREADS = 256;
/** ns of the process's CPU time that threads need not account for: it is counted in ticks, rounded down twice. */
const UNSEEN = 2 * NS_PER_TICK;

/** The threads of one VM. */
export class VmCpu {
  private threads: ThreadCpu[] = [];
  /** Kernel threads that work for it alone. */
  private workers: ThreadCpu[] = [];
  /** Whether there are threads that are not read. */
  private cut = false;
  private generation = -1;
  private lastCycle: number | undefined;
  private readonly totals = new Totals(4);
  private readonly dormantBeat = new SlowBeat(DORMANT_BEAT);
  /** CPU time of the process when it was first and last looked at, ns. */
  private processRanFirst = NaN;
  private processRan = NaN;
  /** What it grew by, since the dormant threads were read, beyond that of the threads that were; ns. */
  private unseen = NaN;
  private readonly throttling: Throttling | undefined;
  private readonly affinityBeat = new SlowBeat(30);
  private affinity: string | undefined;
  private readonly limit: CpuLimit;

  constructor(
    private readonly process: Process,
    cgroup: Cgroup | undefined,
  ) {
    this.throttling = cgroup && new Throttling(cgroup.cpuStat);
    this.limit = new CpuLimit(cgroup);
  }

  /** Reads the files of its threads, for {@link collect} to look at. */
  fetch(batch: ReadBatch): ReadBatch {
    if (this.generation !== this.process.generation) this.follow();
    const time = (this.lastCycle = now());
    for (const cpu of this.threads) {
      if (cpu.dormant(time)) cpu.forget();
      else cpu.fetch(batch);
    }
    for (const worker of this.workers) worker.fetch(batch);
    return batch;
  }

  /** @param batch what {@link fetch} was given in this cycle; without it the files are read now */
  collect(target: GuestTarget, wanted: Wanted, batch = this.fetch(new ReadBatch(SCHEDSTAT_ROOM))): void {
    const { lastCycle: time = NaN } = this;
    this.readThreads(time, batch);
    const isKept = this.keepsStatistics();
    let vcpus = 0;
    let used = 0;
    let ready = 0;
    let otherUsed = this.cut ? NaN : 0;
    let otherReady = otherUsed;
    let mostUsed = NaN;
    let mostReady = NaN;
    let busiest: ThreadCpu | undefined;
    for (const worker of this.workers) {
      worker.read(batch);
      if (worker.gone) continue;
      this.count(worker);
      otherUsed += worker.used;
      otherReady += worker.ready;
      busiest = busier(busiest, worker);
    }
    for (const cpu of this.threads) {
      if (cpu.gone) continue;
      if (cpu.thread.vcpu === undefined) {
        otherUsed += cpu.used;
        otherReady += cpu.ready;
        busiest = busier(busiest, cpu);
        continue;
      }
      vcpus++;
      used += cpu.used;
      ready += cpu.ready;
      if (!(cpu.used <= mostUsed)) mostUsed = cpu.used;
      if (!(cpu.ready <= mostReady)) mostReady = cpu.ready;
      if (wanted.devices && cpu.readable) {
        const row = target.devices.vcpus.add(String(cpu.thread.vcpu));
        if (isKept) setVcpu(row, cpu);
      }
    }
    if (isKept && wanted.threads?.has(target.guest.key) === true) this.setThreads(target, time);
    const { values, counters } = target.row;
    // Where no thread is known to run a vCPU, the others cannot be told from those that do.
    if (vcpus > 0 && isKept) {
      values[vmSlots.cpu_total] = Math.min(100, used / vcpus);
      values[vmSlots.cpu_steal] = ready / vcpus;
      values[vmSlots.cpu_used] = (used + otherUsed) / PERCENT;
      // An unknown vCPU may be the worst.
      values[vmSlots.cpu_total_max] = Number.isNaN(used) ? NaN : Math.min(PERCENT, mostUsed);
      values[vmSlots.cpu_steal_max] = Number.isNaN(ready) ? NaN : mostReady;
      values[vmSlots.cpu_other_max] = Number.isNaN(otherUsed) ? NaN : (busiest?.used ?? NaN);
      this.limit.set(values, target.guest);
      values[vmSlots.cpu_other_total] = otherUsed;
      values[vmSlots.cpu_other_steal] = otherReady;
      counters[vmSlots.cpu_total] = this.totals.at(RUN);
      counters[vmSlots.cpu_steal] = this.totals.at(WAIT);
      counters[vmSlots.cpu_other_total] = this.cut ? NaN : this.totals.at(OTHER_RUN);
      counters[vmSlots.cpu_other_steal] = this.cut ? NaN : this.totals.at(OTHER_WAIT);
    }
    if (!wanted.verbose) return;
    this.throttling?.collect(target.row);
    // Throttled time of single vCPUs is in cgroups of their own.
    if (this.throttling !== undefined && target.guest.vcpuLimit === undefined)
      values[vmSlots.cpu_contention] = contention(values, vcpus, this.throttling);
    if (busiest !== undefined && busiest.used > 0)
      target.row.texts[vmSlots.cpu_other_busiest] = busiest.thread.comm;
    target.row.texts[vmSlots.cpu_affinity] = this.pinnedTo();
  }

  /** A row for each thread that runs no vCPU: the main loop, and those that ran in the last seconds. @param time monotonic seconds */
  private setThreads({ threads }: GuestTarget, time: number): void {
    for (const cpu of [...this.threads, ...this.workers]) {
      const { tid, vcpu, comm } = cpu.thread;
      const isSeen = tid === this.process.pid || !cpu.dormant(time);
      if (vcpu === undefined && cpu.readable && isSeen) setVcpu(threads.add(`${comm} ${tid}`), cpu);
    }
  }

  /** Takes over which kernel threads work for this VM. */
  employ(threads: readonly Thread[]): void {
    const known = new Map(this.workers.map((worker) => [worker.thread, worker]));
    this.workers = threads.map((thread) => known.get(thread) ?? new ThreadCpu(thread, undefined));
  }

  /** Of its QEMU. */
  get pid(): number {
    return this.process.pid;
  }

  /** Whether QEMU has threads for its vhost devices, as all have where the kernel makes no threads of its own for them. */
  get hasVhostThreads(): boolean {
    return this.process.threads.some(({ comm }) => comm.startsWith('vhost-'));
  }

  /**
   * Reads the threads; dormant ones only now and then, and as soon as the process used CPU time that the others did not.
   * So at most 20 ms of what they ran come up to {@link DORMANT_BEAT} late, and nothing is lost.
   */
  private readThreads(time: number, batch: ReadBatch): void {
    const before = this.processRan;
    const { counters } = this.process.stat;
    this.processRan =
      (counters.value(pidStatCounters.utime) + counters.value(pidStatCounters.stime)) * NS_PER_TICK;
    if (Number.isNaN(before)) this.processRanFirst = this.processRan;
    this.unseen += this.processRan - before;
    let dormant = 0;
    for (const cpu of this.threads) {
      if (cpu.dormant(time)) dormant++;
      else this.unseen -= this.read(cpu, batch);
    }
    const wanted = dormant === 0 || this.dormantBeat.due(time) || !(this.unseen <= UNSEEN);
    if (wanted) this.unseen = 0;
    for (const cpu of this.threads) {
      if (!cpu.dormant(time)) continue;
      if (wanted) this.read(cpu, batch);
      else cpu.skip(time);
    }
  }

  /** False if a process uses CPU time but none of its threads ever ran: then the zeros are not statistics. */
  private keepsStatistics(): boolean {
    return !(this.processRan > this.processRanFirst) || this.threads.some(({ hasRun }) => hasRun);
  }

  /** @returns ns that the thread ran since the cycle before; NaN where that is not known */
  private read(cpu: ThreadCpu, batch: ReadBatch): number {
    cpu.read(batch);
    if (cpu.gone) this.process.relist();
    if (!cpu.readable) return NaN;
    this.count(cpu);
    return cpu.ran;
  }

  private count({ thread, ran, waited }: ThreadCpu): void {
    const isVcpu = thread.vcpu !== undefined;
    this.totals.add(isVcpu ? RUN : OTHER_RUN, ran);
    this.totals.add(isVcpu ? WAIT : OTHER_WAIT, waited);
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
    const read = this.threads.filter(({ thread }) => thread.vcpu !== undefined).length + OTHER_THREADS;
    this.cut = this.threads.length > read;
    for (const { thread } of this.threads.splice(read)) thread.schedstat.close();
    this.generation = this.process.generation;
  }
}

/**
 * Time waited for others, without what the limit of the VM itself held back: the kernel counts that as waiting as well, once for
 * each CPU. A cgroup without the cpu controller has no limit.
 */
function contention(values: Float64Array, vcpus: number, { hasController }: Throttling): number {
  const limited = hasController ? (values[vmSlots.cpu_throttled] as number) : 0;
  return Math.max(0, (values[vmSlots.cpu_steal] as number) - limited / vcpus);
}

/** The one of two threads that ran more. */
function busier(one: ThreadCpu | undefined, other: ThreadCpu): ThreadCpu {
  return one === undefined || other.used > one.used ? other : one;
}

function setVcpu({ values, counters }: Row, cpu: ThreadCpu): void {
  const { counters: counts } = cpu.readings.current.schedstat;
  values[vcpuSlots.cpu_total] = Math.min(100, cpu.used);
  values[vcpuSlots.cpu_steal] = cpu.ready;
  counters[vcpuSlots.cpu_total] = counts.value(run);
  counters[vcpuSlots.cpu_steal] = counts.value(wait);
}
