import type { CpuSource } from '../guests/sources.ts';
import { KernelFile } from '../kernel/base/kernel-file.ts';
import { growth } from '../kernel/base/counters.ts';
import type { Paths } from '../kernel/base/paths.ts';
import { readRecord } from '../kernel/base/read.ts';
import { TICKS_PER_S } from '../kernel/base/ticks.ts';
import { pidStatCounters } from '../kernel/pid/proc-pid-stat.ts';
import { ProcStat, parseProcStat, procStatCounters } from '../kernel/proc/proc-stat.ts';
import {
  CgroupCpuStat,
  cgroupCpuStatCounters,
  parseCgroupCpuStat,
} from '../kernel/sys/cgroup/cgroup-cpu-stat.ts';
import { findPowerZones } from '../kernel/sys/powercap.ts';
import type { PowerZone } from '../kernel/sys/powercap.ts';
import { slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import type { Collector, GuestTarget, HostTarget, Wanted } from './collector.ts';
import { wholeTicks } from './cpu/cpu-shares.ts';
import { PerGuest } from './per-guest.ts';
import { Readings, now } from './readings.ts';
import { SlowBeat } from './slow-beat.ts';

const hostSlots = slots('energy', 'host');
const vmSlots = slots('energy', 'vm');
const { power: ZONE_POWER } = slots('energy', 'host_zone');
const UJ_PER_J = 1e6;
const US_PER_S = 1e6;
/** Seconds between two readings: CPU time is told in ticks of 10 ms, and a reading asks each package. */
const READ_BEAT = 5;
/** Seconds between two searches for zones: the driver is a module. */
const LOOK_BEAT = 60;
/** Seconds after which a counter may have gone round more than once: at 4 kW 262 kJ last 65 s. */
const LONGEST = 60;

const working = (['user', 'nice', 'system', 'irq', 'softirq'] as const).map((name) => procStatCounters[name]);

/** Energy, and what it is by second; nothing is known before the second reading. */
class Power {
  /** W over the last interval; NaN where not known. */
  watts = NaN;
  private joules = NaN;

  /** @param joules NaN where not known, which adds nothing */
  add(joules: number, elapsed: number): void {
    this.watts = joules / elapsed;
    if (joules >= 0) this.joules = this.joules >= 0 ? this.joules + joules : joules;
  }

  set({ values, counters }: Row, slot: number): void {
    values[slot] = this.watts;
    counters[slot] = this.joules * UJ_PER_J;
  }
}

/** A zone and its last reading, J. */
interface KnownZone {
  readonly zone: PowerZone;
  readonly power: Power;
  told: number;
}

/** CPU time of one guest, and its share of the power. */
class GuestEnergy {
  readonly power = new Power();
  /** Seconds that it ran since the reading before; NaN where not known. */
  ran = NaN;
  private total = NaN;
  private readonly stat = new CgroupCpuStat();

  constructor(private readonly source: CpuSource) {}

  read(): void {
    const before = this.total;
    this.total = this.cpuTime();
    this.ran = this.total >= before ? this.total - before : NaN;
  }

  /** Seconds of CPU time in all; NaN where it is not counted on this host. */
  private cpuTime(): number {
    const { source } = this;
    switch (source.kind) {
      case 'threads': {
        const { counters } = source.qemu.stat;
        return (counters.value(pidStatCounters.utime) + counters.value(pidStatCounters.stime)) / TICKS_PER_S;
      }
      case 'cgroup':
        if (!readRecord(source.cgroup.cpuStat, parseCgroupCpuStat, this.stat)) return NaN;
        return this.stat.counters.value(cgroupCpuStatCounters.usageUsec) / US_PER_S;
      case 'told':
        return NaN;
    }
  }
}

/**
 * Power of the CPUs and of their memory, and an estimate of each guest's share: the active part, by the share of time in
 * which CPUs were busy, is divided among guests by their CPU time; the idle part belongs to nobody. Kepler estimates
 * likewise.
 */
export class EnergyCollector implements Collector {
  readonly name = 'energy';
  private zones: readonly KnownZone[] = [];
  private readonly stat: KernelFile;
  private readonly cpus = new Readings(() => ({ time: NaN, stat: new ProcStat() }));
  private readAt = NaN;
  /** Seconds that all CPUs were busy together between the last two readings. */
  private busy = NaN;
  private readonly total = new Power();
  private readonly active = new Power();
  private readonly idle = new Power();
  private readonly lookBeat = new SlowBeat(LOOK_BEAT);
  private readonly readBeat = new SlowBeat(READ_BEAT);
  private readonly guests = new PerGuest(({ guest }) => new GuestEnergy(guest.sources.cpu));

  constructor(
    private readonly paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.stat = new KernelFile(paths.proc('stat'));
  }

  collect({ row, devices }: HostTarget, vms: readonly GuestTarget[]): void {
    const time = now();
    if (this.zones.length === 0 && this.lookBeat.due(time)) this.look();
    if (this.zones.length === 0) return;
    if (this.readBeat.due(time)) this.read(time, vms);
    this.total.set(row, hostSlots.power);
    this.active.set(row, hostSlots.power_active);
    this.idle.set(row, hostSlots.power_idle);
    for (const target of vms) this.guests.of(target).power.set(target.row, vmSlots.power_estimate);
    if (!this.wanted.devices) return;
    for (const { zone, power } of this.zones) power.set(devices.zones.add(zone.name), ZONE_POWER);
  }

  private look(): void {
    const zones = findPowerZones(this.paths) ?? [];
    this.zones = zones.map((zone) => ({ zone, power: new Power(), told: NaN }));
  }

  private read(time: number, vms: readonly GuestTarget[]): void {
    const elapsed = time - this.readAt;
    this.readAt = time;
    const joules = this.readZones(elapsed);
    const active = joules * this.readBusy(time);
    this.total.add(joules, elapsed);
    this.active.add(active, elapsed);
    this.idle.add(joules - active, elapsed);
    let guests = 0;
    for (const target of vms) {
      const guest = this.guests.of(target);
      guest.read();
      guests += guest.ran || 0;
    }
    // Ticks are rounded: guests together can have run no longer than the CPUs were busy.
    const all = Math.max(this.busy, guests);
    for (const target of vms) {
      const { power, ran } = this.guests.of(target);
      power.add(active * (ran === 0 ? 0 : ran / all), elapsed);
    }
  }

  /** J of all zones since the reading before; NaN where one of them is not known. */
  private readZones(elapsed: number): number {
    let sum = 0;
    for (const known of this.zones) {
      const told = known.zone.read();
      const grown = elapsed <= LONGEST ? known.zone.grown(known.told, told) : NaN;
      known.told = told;
      known.power.add(grown, elapsed);
      sum += grown;
    }
    return sum;
  }

  /** The share of their time in which CPUs were busy since the reading before; NaN where not known. */
  private readBusy(time: number): number {
    const { cpus } = this;
    this.busy = NaN;
    if (!readRecord(this.stat, parseProcStat, cpus.spare.stat)) return NaN;
    cpus.spare.time = time;
    cpus.commit();
    const [before, after] = [cpus.previous.stat, cpus.current.stat];
    const elapsed = cpus.current.time - cpus.previous.time;
    const [fewest, most] = [Math.min(before.cpus, after.cpus), Math.max(before.cpus, after.cpus)];
    const whole = wholeTicks(before.counters, after.counters, elapsed, fewest, most);
    let ticks = 0;
    for (const counter of working) ticks += growth(before.counters, after.counters, counter);
    this.busy = ticks / TICKS_PER_S;
    return ticks / whole;
  }

  close(): void {
    this.stat.close();
    for (const { zone } of this.zones) zone.close();
  }
}
