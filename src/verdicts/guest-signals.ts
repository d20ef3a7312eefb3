import { slots } from '../catalogue/catalogue.ts';
import { parseCpuList } from '../kernel/sys/cpu-list.ts';
import type { GuestRows } from '../sampling/sample.ts';
import { DiskSignals, NicSignals } from './device-signals.ts';
import { followRows } from './follow-rows.ts';
import { Sticky } from './hysteresis.ts';
import { CLIP, Means } from './means.ts';

const identity = slots('identity', 'vm');
const cpu = slots('cpu', 'vm');
const mem = slots('mem', 'vm');
const pressure = slots('pressure', 'vm');
const diskNames = slots('identity', 'vm_disk');
const nicNames = slots('identity', 'vm_nic');

/** Where time waited for a CPU begins to be a symptom, percent: the mean of the vCPUs, the worst of them. */
export const WAITS = 10;
export const WORST_WAITS = 25;
/** Where the threads of QEMU itself wait too long, percent of one CPU. */
export const OTHERS_WAIT = 20; /** Where much of the memory comes back from swap, faults per second. */
export const FAULTS = 50;

/** Means of a guest. Those that end in Judged are clipped. */
export const of = {
  used: 0,
  /** CPUs of the host, in percent of one. */
  cpus: 1,
  ready: 2,
  /** Percent of the time of a vCPU for which a limit of its own holds it back. */
  throttled: 3,
  /** Ready without what the own limit does. */
  waits: 4,
  waitsJudged: 5,
  worst: 6,
  limitUsed: 7,
  others: 8,
  othersWait: 9,
  othersWaitJudged: 10,
  thread: 11,
  cpuPressure: 12,
  memoryPressure: 13,
  faults: 14,
  faultsJudged: 15,
  swapIn: 16,
  vcpu: 17,
} as const;

/** States in which a guest is inactive and cannot suffer. */
const atRest: ReadonlySet<string | undefined> = new Set([
  'paused',
  'suspended',
  'prelaunch',
  'inmigrate',
  'postmigrate',
  'finish-migrate',
  'shutdown',
  'frozen',
  'io-error',
  'internal-error',
  'guest-panicked',
]);
/** Seconds from which on a guest has booted. */
const BOOTED = 60;
/** Percent from which on a limit is full. */
const FULL = 90;
/** Seconds for which a kill for lack of memory is reported. */
const KILLS_TOLD = 60;

/** Seconds without an answer from which on a monitor hangs: a shorter time is overload. */
const HUNG = 10;
/** Jobs of Proxmox VE that keep the monitor of a guest busy. */
const busyMonitor: ReadonlySet<string | undefined> = new Set(['snapshot', 'migrate', 'backup']);

/** What is kept of a guest as long as it runs. */
export class GuestSignals {
  readonly means = new Means(Object.keys(of).length);
  readonly disks = new Map<string, DiskSignals>();
  readonly nics = new Map<string, NicSignals>();
  readonly explanation = new Sticky<string>();
  rows!: GuestRows;
  /** Whether it can suffer from a shortage: it runs, has booted, and is not about to leave. */
  isAtWork = false;
  /** Processes killed for want of memory in the last minute, and the seconds since. */
  kills = 0;
  sinceKill = Infinity;
  /** Whether its own limit of memory was reached then, or just before: a kill makes room. */
  killedAtLimit = false;
  private limitUsed = NaN;
  private age: number;
  private detailAge = Infinity;
  private list: string | undefined;
  private parsed: ReadonlySet<number> | undefined;

  /** @param isNew whether it came while others were measured already */
  constructor(isNew: boolean) {
    this.age = isNew ? 0 : BOOTED;
  }

  get key(): string {
    return this.rows.guest.key;
  }

  get isContainer(): boolean {
    return this.rows.guest.type !== 'qemu';
  }

  text(id: keyof typeof identity): string | undefined {
    return this.rows.row.texts[identity[id]];
  }

  value(slot: number): number {
    return this.rows.row.values[slot] ?? NaN;
  }

  /** The CPUs it may run on; undefined where that is not known. */
  get affinity(): ReadonlySet<number> | undefined {
    const list = this.rows.row.texts[cpu.cpu_affinity];
    if (list !== this.list) [this.list, this.parsed] = [list, list === undefined ? list : parseCpuList(list)];
    return this.parsed;
  }

  /** Whether its monitor has been silent for so long that it hangs. */
  get isHung(): boolean {
    return this.text('qmp') === 'timeout' && this.value(identity.qmp_age) >= HUNG && !this.isBeingMoved;
  }

  /** Whether something is done with it that keeps its monitor busy. */
  private get isBeingMoved(): boolean {
    return busyMonitor.has(this.text('lock'));
  }

  /** @param seconds since the sample before */
  follow(rows: GuestRows, seconds: number, weight: number): void {
    this.rows = rows;
    this.age += seconds;
    const { values } = rows.row;
    const value = (slot: number): number => values[slot] ?? NaN;
    const add = (slot: number, number: number): void => {
      this.means.add(slot, number, weight);
    };
    const cores = value(cpu.cpu_cores);
    // The kernel counts that for each CPU: of a container as many as it may use, of a VM its vCPUs.
    const limit = this.isContainer ? value(cpu.cpu_limit) : NaN;
    const throttled = value(cpu.cpu_throttled) / (limit > 0 ? limit : cores);
    const ready = value(cpu.cpu_steal);
    const waits = Math.max(0, ready - (throttled || 0));
    const used = value(cpu.cpu_used) * 100;
    const others = value(cpu.cpu_other_total);
    add(of.used, value(cpu.cpu_total));
    add(of.cpus, Number.isNaN(used) ? value(cpu.cpu_total) * cores + (others || 0) : used);
    add(of.ready, ready);
    add(of.throttled, throttled);
    add(of.waits, waits);
    add(of.waitsJudged, Math.min(waits, WAITS * CLIP));
    add(of.worst, Math.max(0, value(cpu.cpu_steal_max) - (throttled || 0)));
    add(of.limitUsed, value(cpu.cpu_limit_used));
    add(of.others, others);
    add(of.othersWait, value(cpu.cpu_other_steal));
    add(of.othersWaitJudged, Math.min(value(cpu.cpu_other_steal), OTHERS_WAIT * CLIP));
    add(of.thread, value(cpu.cpu_other_max));
    add(of.cpuPressure, value(pressure.psi_some_cpu_avg10));
    add(of.memoryPressure, value(pressure.psi_full_mem_avg10));
    add(of.faults, value(mem.ram_majflt));
    add(of.faultsJudged, Math.min(value(mem.ram_majflt), FAULTS * CLIP));
    add(of.swapIn, value(mem.ram_swapin));
    add(of.vcpu, value(cpu.cpu_total_max));
    this.sinceKill += seconds;
    const kills = value(mem.ram_oom_kills) * seconds;
    if (this.sinceKill > KILLS_TOLD) this.kills = 0;
    const limitUsed = value(mem.ram_limit_used);
    if (kills > 0) {
      [this.kills, this.sinceKill] = [this.kills + kills, 0];
      this.killedAtLimit = Math.max(limitUsed || 0, this.limitUsed || 0) >= FULL;
    }
    this.limitUsed = limitUsed;
    this.isAtWork = this.canSuffer();
    const detailAge = value(identity.detail_age);
    const isBeat = !(detailAge > this.detailAge);
    this.detailAge = detailAge;
    const newDisk = (): DiskSignals => new DiskSignals();
    followRows(this.disks, rows.disks, diskNames.device, newDisk, (disk, row) => {
      disk.follow(row, isBeat, seconds, weight);
    });
    const newNic = (): NicSignals => new NicSignals();
    followRows(this.nics, rows.nics, nicNames.device, newNic, (nic, row) => {
      nic.follow(row, weight);
    });
  }

  private canSuffer(): boolean {
    const uptime = this.value(identity.uptime);
    if (this.age < BOOTED || uptime < BOOTED || this.isHung) return false;
    return !atRest.has(this.text('state')) && this.text('lock') !== 'migrate';
  }
}
