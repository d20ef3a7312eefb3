import { slots } from '../catalogue/catalogue.ts';
import { parseCpuList } from '../kernel/sys/cpu-list.ts';
import type { Row } from '../catalogue/row.ts';
import type { GuestRows } from '../sampling/sample.ts';
import { DiskSignals, NicSignals } from './device-signals.ts';
import { Followed } from './followed.ts';
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

/** Percent of its memory on the NUMA nodes that its vCPUs run on, up to which it is far from them. */
export const NEAR = 80;

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

const diskName = ({ texts }: Row): string => texts[diskNames.device] ?? '';
const newDisk = (name: string): DiskSignals => new DiskSignals(name);
const nicName = ({ texts }: Row): string => texts[nicNames.device] ?? '';
const newNic = (name: string): NicSignals => new NicSignals(name);
const textsVersion = ({ textsVersion: version }: Row): number => version;

/** What a guest adds to its means now. */
const now = new Float64Array(Object.keys(of).length);

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
  private readonly followedDisks = new Followed(diskName, newDisk, textsVersion);
  private readonly followedNics = new Followed(nicName, newNic, textsVersion);
  readonly explanation = new Sticky<string>();
  rows!: GuestRows;
  /** Whether it can suffer from a shortage: it runs, has booted, and is not about to leave. */
  isAtWork = false;
  /** Processes killed for want of memory in the last minute, and the seconds since. */
  kills = 0;
  sinceKill = Infinity;
  /** Whether its own limit of memory was reached then, or just before: a kill makes room. */
  killedAtLimit = false;
  /** Seconds for which its memory has been far from its vCPUs. */
  farFor = 0;
  private limitUsed = NaN;
  private age: number;
  private detailAge = Infinity;
  private list: string | undefined;
  private parsed: ReadonlySet<number> | undefined;

  /** @param isNew whether it came while others were measured already */
  constructor(isNew: boolean) {
    this.age = isNew ? 0 : BOOTED;
  }

  get disks(): readonly DiskSignals[] {
    return this.followedDisks.all;
  }

  get nics(): readonly NicSignals[] {
    return this.followedNics.all;
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
    const cores = values[cpu.cpu_cores] as number;
    // The kernel counts that for each CPU: of a container as many as it may use, of a VM its vCPUs.
    const limit = this.isContainer ? (values[cpu.cpu_limit] as number) : NaN;
    const throttled = (values[cpu.cpu_throttled] as number) / (limit > 0 ? limit : cores);
    const ready = values[cpu.cpu_steal] as number;
    const waits = Math.max(0, ready - (throttled || 0));
    const used = (values[cpu.cpu_used] as number) * 100;
    const others = values[cpu.cpu_other_total] as number;
    now[of.used] = values[cpu.cpu_total] as number;
    now[of.cpus] = Number.isNaN(used) ? (values[cpu.cpu_total] as number) * cores + (others || 0) : used;
    now[of.ready] = ready;
    now[of.throttled] = throttled;
    now[of.waits] = waits;
    now[of.waitsJudged] = Math.min(waits, WAITS * CLIP);
    now[of.worst] = Math.max(0, (values[cpu.cpu_steal_max] as number) - (throttled || 0));
    now[of.limitUsed] = values[cpu.cpu_limit_used] as number;
    now[of.others] = others;
    now[of.othersWait] = values[cpu.cpu_other_steal] as number;
    now[of.othersWaitJudged] = Math.min(values[cpu.cpu_other_steal] as number, OTHERS_WAIT * CLIP);
    now[of.thread] = values[cpu.cpu_other_max] as number;
    now[of.cpuPressure] = values[pressure.psi_some_cpu_avg10] as number;
    now[of.memoryPressure] = values[pressure.psi_full_mem_avg10] as number;
    now[of.faults] = values[mem.ram_majflt] as number;
    now[of.faultsJudged] = Math.min(values[mem.ram_majflt] as number, FAULTS * CLIP);
    now[of.swapIn] = values[mem.ram_swapin] as number;
    now[of.vcpu] = values[cpu.cpu_total_max] as number;
    this.means.addAll(now, weight);
    this.sinceKill += seconds;
    const kills = (values[mem.ram_oom_kills] as number) * seconds;
    if (this.sinceKill > KILLS_TOLD) this.kills = 0;
    const limitUsed = values[mem.ram_limit_used] as number;
    if (kills > 0) {
      [this.kills, this.sinceKill] = [this.kills + kills, 0];
      this.killedAtLimit = Math.max(limitUsed || 0, this.limitUsed || 0) >= FULL;
    }
    this.limitUsed = limitUsed;
    this.farFor = (values[mem.ram_numa_local] as number) <= NEAR ? this.farFor + seconds : 0;
    this.isAtWork = this.canSuffer();
    const detailAge = values[identity.detail_age] as number;
    const isBeat = !(detailAge > this.detailAge);
    this.detailAge = detailAge;
    const disks = this.followedDisks.follow(rows.disks);
    for (let index = 0; index < disks.length; index++)
      disks[index]?.follow(rows.disks[index] as Row, isBeat, seconds, weight);
    const nics = this.followedNics.follow(rows.nics);
    for (let index = 0; index < nics.length; index++) nics[index]?.follow(rows.nics[index] as Row, weight);
  }

  private canSuffer(): boolean {
    const uptime = this.value(identity.uptime);
    if (this.age < BOOTED || uptime < BOOTED || this.isHung) return false;
    return !atRest.has(this.text('state')) && this.text('lock') !== 'migrate';
  }
}
