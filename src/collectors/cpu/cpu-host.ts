import { readdirSync } from 'node:fs';
import { growth } from '../../kernel/base/counters.ts';
import { KernelFile, readOnce } from '../../kernel/base/kernel-file.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { parseCpuinfo } from '../../kernel/proc/proc-cpuinfo.ts';
import { LoadAvg, parseLoadAvg } from '../../kernel/proc/proc-loadavg.ts';
import { ProcStat, procStatCounters, parseProcStat } from '../../kernel/proc/proc-stat.ts';
import { readRecord, readValue } from '../../kernel/base/read.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { HostTarget, Wanted } from '../collector.ts';
import { setEachCpu } from './cpu-each.ts';
import { wholeTicks } from './cpu-shares.ts';
import type { PinnedGuests } from './cpu-each.ts';
import { Readings, Totals, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const hostSlots = slots('cpu', 'host');

const KHZ_PER_MHZ = 1000;
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
  readonly stat: ProcStat;

  /** @param wantsEach whether each CPU is wanted by itself */
  constructor(wantsEach = false) {
    this.stat = new ProcStat(wantsEach);
  }
}

/**
 * Sets how the host's CPU time was spent between two readings, in percent of all its CPUs.
 * @returns whether the shares are known; nothing is set where they are not
 */
export function deriveShares(previous: CpuReading, current: CpuReading, row: Row): boolean {
  const [before, after] = [previous.stat, current.stat];
  const elapsed = current.time - previous.time;
  const [fewest, most] = [Math.min(before.cpus, after.cpus), Math.max(before.cpus, after.cpus)];
  const sum = wholeTicks(before.counters, after.counters, elapsed, fewest, most);
  if (Number.isNaN(sum)) return false;
  for (const [slot, counter] of shares) {
    row.values[slot] = (growth(before.counters, after.counters, counter) / sum) * 100;
  }
  return true;
}

/** CPU time, frequency and load of the host. */
export class HostCpu {
  private readonly stat: KernelFile;
  private readonly loadavg: KernelFile;
  private readonly load = new LoadAvg();
  private readonly readings: Readings<CpuReading>;
  private readonly totals = new Totals(Object.keys(procStatCounters).length);
  private readonly frequencies: Frequencies;

  constructor(
    paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.readings = new Readings(() => new CpuReading(wanted.verbose && wanted.devices));
    this.stat = new KernelFile(paths.proc('stat'));
    this.loadavg = new KernelFile(paths.proc('loadavg'));
    this.frequencies = new Frequencies(paths);
  }

  /**
   * @param vcpus vCPUs of all running VMs
   * @param pinned names of the VMs that are pinned to a CPU
   */
  collect({ row, devices }: HostTarget, vcpus: number, pinned: PinnedGuests): void {
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
    if (!readings.current.stat.wantsEach) return;
    const elapsed = readings.current.time - readings.previous.time;
    setEachCpu(readings.previous.stat, readings.current.stat, elapsed, devices.cpus, pinned);
  }

  /** How many are online. */
  get cpus(): number {
    return this.readings.current.stat.cpus;
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
