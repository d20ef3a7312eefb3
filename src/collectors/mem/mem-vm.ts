import type { BalloonReading, Detail } from '../../guests/guest.ts';
import type { MemorySource } from '../../guests/sources.ts';
import { Counters, growth } from '../../kernel/base/counters.ts';
import type { KernelFile } from '../../kernel/base/kernel-file.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import { pidStatCounters } from '../../kernel/pid/proc-pid-stat.ts';
import { parseKsmStat } from '../../kernel/pid/proc-pid-ksm.ts';
import { PidMemory, parsePidMemory } from '../../kernel/pid/proc-pid-status.ts';
import type { Process } from '../../kernel/process/process.ts';
import { readRecord, readValue } from '../../kernel/base/read.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import type { NumaNodes } from '../../kernel/sys/numa-nodes.ts';
import { NumaLocality } from './mem-numa.ts';
import { Readings, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const vmSlots = slots('mem', 'vm');

const faultRates: readonly (readonly [slot: number, counter: number])[] = [
  [vmSlots.ram_minflt, pidStatCounters.minflt],
  [vmSlots.ram_majflt, pidStatCounters.majflt],
  [vmSlots.ram_cminflt, pidStatCounters.cminflt],
  [vmSlots.ram_cmajflt, pidStatCounters.cmajflt],
];

/** Seconds between two checks of a process's status, where something in it is wanted or changes, and elsewhere. */
const [STATUS_BEAT, SELDOM_BEAT] = [5, 60] as const;

/** Page faults of a QEMU process at one instant. */
export class FaultReading {
  /** Monotonic seconds. */
  time = NaN;
  readonly counters = new Counters(Object.keys(pidStatCounters).length);
}

/** Sets the page faults per second between two readings. */
export function deriveFaults(previous: FaultReading, current: FaultReading, row: Row): void {
  const elapsed = current.time - previous.time;
  for (const [slot, counter] of faultRates) {
    row.values[slot] = growth(previous.counters, current.counters, counter) / elapsed;
  }
}

/**
 * Sets the guest's view of its memory. Used memory is known only where the guest reports what is free.
 * @param configured bytes it was given as far as the inventory knows: QEMU knows better, and what the balloon leaves to
 *   it cannot be more
 */
export function deriveGuestMemory(
  balloon: BalloonReading | undefined,
  configured: number | undefined,
  row: Row,
): void {
  const { values } = row;
  const given = balloon?.max ?? Math.max(configured ?? NaN, balloon?.actual ?? 0);
  const total = balloon?.total ?? given;
  const free = balloon?.free ?? NaN;
  // Free memory is a share of what the guest sees; against the configured size it would give a wrong difference.
  const used = balloon?.total === undefined ? NaN : total - free;
  values[vmSlots.ram_total] = total;
  values[vmSlots.ram_free] = free;
  values[vmSlots.ram_used] = used;
  values[vmSlots.ram_active] = (used / total) * 100;
  values[vmSlots.ram_actual] = balloon?.actual ?? NaN;
  values[vmSlots.ram_max] = balloon?.max ?? NaN;
  values[vmSlots.ram_ballooned] = (balloon?.max ?? NaN) - (balloon?.actual ?? NaN);
}

/** Bytes per second that the guest swapped between two answers of its balloon; NaN where not known. */
export function deriveSwap(previous: Detail, current: Detail, counter: 'swapIn' | 'swapOut'): number {
  const delta = (current.balloon?.[counter] ?? NaN) - (previous.balloon?.[counter] ?? NaN);
  return delta >= 0 ? delta / (current.time - previous.time) : NaN;
}

/** Memory of one VM. */
export class VmMem {
  private readonly faults = new Readings(() => new FaultReading());
  private current: Detail | undefined;
  /** Bytes per second swapped between the last two answers of the balloon. */
  private swappedIn = NaN;
  private swappedOut = NaN;
  private readonly status = new PidMemory();
  private readonly statusBeat = new SlowBeat(STATUS_BEAT);
  private readonly ksmBeat = new SlowBeat(SELDOM_BEAT);
  /** Bytes. */
  private ksm = NaN;
  private readonly seldomBeat = new SlowBeat(SELDOM_BEAT);
  private readonly numa: NumaLocality | undefined;

  /** @param pageSize bytes */
  constructor(
    private readonly source: MemorySource,
    private readonly pageSize: number,
  ) {
    const isPlaced = source.kind === 'process' && !source.spread;
    this.numa = isPlaced ? new NumaLocality(source.qemu, source.cgroup) : undefined;
  }

  /**
   * @param nodes of the host, where they are known
   * @returns what the VM's memory counts as on the host, in bytes; NaN if not known
   */
  collect(target: GuestTarget, wanted: Wanted, nodes?: NumaNodes): number {
    const { guest, row } = target;
    const { source } = this;
    const { values } = row;
    deriveGuestMemory(guest.detail?.balloon, guest.memory, row);
    this.setSwapRates(guest.detail, row);
    values[vmSlots.ram_guest_age] = ageOf(guest.detail);
    values[vmSlots.ram_rss] = guest.detail?.rss ?? NaN;
    if (source.kind === 'process') {
      this.readStatus(source.qemu, wanted);
      this.setFaults(source.qemu, row);
      if (nodes !== undefined)
        values[vmSlots.ram_numa_local] = this.numa?.look(now(), nodes, this.status.hugetlb) ?? NaN;
      if (wanted.verbose) {
        values[vmSlots.ram_swap] = this.swapOf(source);
        if (this.ksmBeat.due(now())) this.ksm = readValue(source.qemu.ksm, parseKsmStat) * this.pageSize;
        values[vmSlots.ram_ksm] = this.ksm;
        values[vmSlots.ram_cgroup] = numberIn(source.cgroup?.memoryCurrent);
      }
    }
    return values[vmSlots.ram_total] as number;
  }

  private setSwapRates(detail: Detail | undefined, { values, counters }: Row): void {
    if (detail !== this.current) {
      const { current: previous } = this;
      this.current = detail;
      const both = previous !== undefined && detail !== undefined;
      this.swappedIn = both ? deriveSwap(previous, detail, 'swapIn') : NaN;
      this.swappedOut = both ? deriveSwap(previous, detail, 'swapOut') : NaN;
    }
    counters[vmSlots.ram_swapin] = detail?.balloon?.swapIn ?? NaN;
    counters[vmSlots.ram_swapout] = detail?.balloon?.swapOut ?? NaN;
    values[vmSlots.ram_swapin] = this.swappedIn;
    values[vmSlots.ram_swapout] = this.swappedOut;
  }

  /**
   * The status file takes longer to read than all others of a process together, so it is read less often, and even less if
   * the process has no huge pages and nothing else in it is wanted.
   */
  private readStatus({ status }: Process, wanted: Wanted): void {
    const often = wanted.verbose || this.status.hugetlb > 0;
    if (!(often ? this.statusBeat : this.seldomBeat).due(now())) return;
    if (readRecord(status, parsePidMemory, this.status)) return;
    this.status.swap = NaN;
    this.status.hugetlb = NaN;
  }

  /**
   * For memory shared with other processes, no file of the process shows what is swapped out without walking its page
   * tables. Its own cgroup does.
   */
  private swapOf(source: MemorySource & { kind: 'process' }): number {
    const { shared, hugetlb, swap } = this.status;
    const isShared = shared > 0 || (source.shared && !(hugetlb > 0));
    return isShared ? numberIn(source.cgroup?.memorySwap) : swap;
  }

  private setFaults({ stat }: Process, row: Row): void {
    row.values[vmSlots.ram_rss] = stat.rss * this.pageSize + (this.status.hugetlb || 0);
    row.values[vmSlots.ram_vsize] = stat.vsize;
    const { faults } = this;
    faults.spare.time = now();
    faults.spare.counters.copy(stat.counters);
    faults.commit();
    for (const [slot, counter] of faultRates) row.counters[slot] = faults.current.counters.value(counter);
    if (faults.complete) deriveFaults(faults.previous, faults.current, row);
  }
}

/** How long ago the guest reported its memory, in seconds; NaN where that is not known. */
function ageOf(detail: Detail | undefined): number {
  return detail === undefined ? NaN : (detail.balloon?.age ?? NaN) + now() - detail.time;
}

function numberIn(file: KernelFile | undefined): number {
  return file === undefined ? NaN : readValue(file, parseNumberAt);
}
