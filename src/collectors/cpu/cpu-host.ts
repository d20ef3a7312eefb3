import { readdirSync } from 'node:fs';
import { growth, steppedBack } from '../../kernel/base/counters.ts';
import { KernelFile, readOnce } from '../../kernel/base/kernel-file.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { parseCpuinfo } from '../../kernel/proc/proc-cpuinfo.ts';
import { LoadAvg, parseLoadAvg } from '../../kernel/proc/proc-loadavg.ts';
import { ProcStat, procStatCounters, parseProcStat } from '../../kernel/proc/proc-stat.ts';
import { readRecord, readValue } from '../../kernel/base/read.ts';
import { TICKS_PER_S } from '../../kernel/base/ticks.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Wanted } from '../collector.ts';
import { Readings, Totals, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const hostSlots = slots('cpu', 'host');

const KHZ_PER_MHZ = 1000;
/** By how many ticks a CPU may seem to have stood still in a short interval. */
const FEW_TICKS = 2;

/** What the percentages are shares of. The kernel counts guest inside user and guest_nice inside nice. */
const summands = (['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const).map(
  (name) => procStatCounters[name],
);
const shares: readonly (readonly [slot: number, counter: number])[] = [
  [hostSlots.cpu_user, procStatCounters.user],
  [hostSlots.cpu_system, procStatCounters.system],
  [hostSlots.cpu_idle, procStatCounters.idle],
  [hostSlots.cpu_steal, procStatCounters.steal],
  [hostSlots.cpu_iowait, procStatCounters.iowait],
  [hostSlots.cpu_nice, procStatCounters.nice],
  [hostSlots.cpu_irq, procStatCounters.irq],
  [hostSlots.cpu_softirq, procStatCounters.softirq],
  [hostSlots.cpu_guest, procStatCounters.guest],
  [hostSlots.cpu_guestnice, procStatCounters.guestNice],
];

/** CPU time of the host at one instant. */
export class CpuReading {
  /** Monotonic seconds. */
  time = NaN;
  readonly stat = new ProcStat();
}

/**
 * Sets how the host's CPU time was spent between two readings, in percent of all its CPUs. Nothing is set where the whole
 * is not known: a counter of it went backwards, or it is not the time that passed. A CPU that is switched off or on makes
 * the kernel tell its idle time by another clock, which can be minutes off. Only iowait, which tickless kernels set back
 * by a tick or two now and then, counts as not having moved, and its own share is omitted.
 * Source: Documentation/filesystems/proc.rst, /proc/stat.
 * @returns whether the shares are known
 */
export function deriveShares(previous: CpuReading, current: CpuReading, row: Row): boolean {
  const [before, after] = [previous.stat, current.stat];
  let sum = 0;
  for (const counter of summands) {
    const ticks = growth(before.counters, after.counters, counter);
    if (ticks > 0) sum += ticks;
    else if (counter !== procStatCounters.iowait && steppedBack(before.counters, after.counters, counter))
      return false;
  }
  if (sum === 0 || !passed(sum, previous, current)) return false;
  for (const [slot, counter] of shares) {
    row.values[slot] = (growth(before.counters, after.counters, counter) / sum) * 100;
  }
  return true;
}

/** Whether all CPUs together can have spent so many ticks between two readings. The bounds are wide: time is told in ticks. */
function passed(ticks: number, previous: CpuReading, current: CpuReading): boolean {
  const elapsed = current.time - previous.time;
  if (!(elapsed > 0)) return true;
  const fewest = Math.min(previous.stat.cpus, current.stat.cpus);
  const most = Math.max(previous.stat.cpus, current.stat.cpus);
  const perCpu = elapsed * TICKS_PER_S;
  return ticks >= fewest * (perCpu / 3 - FEW_TICKS) && ticks <= most * (perCpu * 3 + TICKS_PER_S);
}

/** CPU time, frequency and load of the host. */
export class HostCpu {
  private readonly stat: KernelFile;
  private readonly loadavg: KernelFile;
  private readonly load = new LoadAvg();
  private readonly readings = new Readings(() => new CpuReading());
  private readonly totals = new Totals(Object.keys(procStatCounters).length);
  private readonly frequencies: Frequencies;

  constructor(
    paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.stat = new KernelFile(paths.proc('stat'));
    this.loadavg = new KernelFile(paths.proc('loadavg'));
    this.frequencies = new Frequencies(paths);
  }

  /** @param vcpus vCPUs of all running VMs */
  collect(row: Row, vcpus: number): void {
    const { values } = row;
    const { current, min, max } = this.frequencies.look();
    values[hostSlots.cpu_curfreq] = current;
    values[hostSlots.cpu_minfreq] = min;
    values[hostSlots.cpu_maxfreq] = max;
    if (this.wanted.verbose) this.setLoad(values);

    const { readings } = this;
    if (!readRecord(this.stat, parseProcStat, readings.spare.stat)) return;
    readings.spare.time = now();
    readings.commit();
    const { cpus, counters } = readings.current.stat;
    values[hostSlots.cpu_cores] = cpus;
    values[hostSlots.cpu_overcommit] = vcpus / cpus;
    if (!readings.complete) return;
    const known = deriveShares(readings.previous, readings.current, row);
    for (const [slot, counter] of shares) {
      if (known) this.totals.add(counter, growth(readings.previous.stat.counters, counters, counter));
      row.counters[slot] = this.totals.at(counter);
    }
  }

  private setLoad(values: Float64Array): void {
    if (!readRecord(this.loadavg, parseLoadAvg, this.load)) return;
    values[hostSlots.cpu_load1] = this.load.load1;
    values[hostSlots.cpu_load5] = this.load.load5;
    values[hostSlots.cpu_load15] = this.load.load15;
  }

  close(): void {
    this.stat.close();
    this.loadavg.close();
  }
}

/** Mean frequencies over the CPUs, in MHz; NaN where the machine does not tell. */
class Frequencies {
  /** Each file makes the kernel ask the CPU it belongs to. */
  private readonly beat = new SlowBeat(5);
  /** The bounds change only when a CPU is plugged in, and are as many files again, twice. */
  private readonly boundsBeat = new SlowBeat(60);
  current = NaN;
  min = NaN;
  max = NaN;

  constructor(private readonly paths: Paths) {}

  look(): this {
    if (!this.beat.due(now())) return this;
    const cpus = this.cpus();
    this.current = this.mean(cpus, 'scaling_cur_freq');
    if (this.boundsBeat.due(now())) {
      this.min = this.mean(cpus, 'cpuinfo_min_freq');
      this.max = this.mean(cpus, 'cpuinfo_max_freq');
    }
    if (Number.isNaN(this.current)) this.current = parseCpuinfo(readOnce(this.paths.proc('cpuinfo')) ?? '');
    return this;
  }

  private cpus(): string[] {
    try {
      return readdirSync(this.paths.cpus).filter((name) => /^cpu\d+$/.test(name));
    } catch {
      return [];
    }
  }

  private mean(cpus: readonly string[], file: string): number {
    let sum = 0;
    let count = 0;
    for (const cpu of cpus) {
      const source = new KernelFile(this.paths.cpufreq(cpu, file));
      const khz = readValue(source, parseNumberAt);
      source.close();
      if (Number.isNaN(khz)) continue;
      sum += khz;
      count++;
    }
    return count === 0 ? NaN : sum / count / KHZ_PER_MHZ;
  }
}
