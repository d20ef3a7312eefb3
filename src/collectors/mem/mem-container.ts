import type { Counters } from '../../kernel/base/counters.ts';
import { growth } from '../../kernel/base/counters.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import { readRecord, readValue } from '../../kernel/base/read.ts';
import type { Cgroup } from '../../kernel/sys/cgroup/cgroup.ts';
import { parseCgroupLimit } from '../../kernel/sys/cgroup/cgroup-limit.ts';
import {
  CgroupMemoryEvents,
  CgroupMemoryStat,
  cgroupMemoryEventsCounters,
  cgroupMemoryStatCounters,
  parseCgroupMemoryEvents,
  parseCgroupMemoryStat,
} from '../../kernel/sys/cgroup/cgroup-memory.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import { Readings, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const vmSlots = slots('mem', 'vm');
const { file: FILE, pgmajfault: MAJFLT } = cgroupMemoryStatCounters;
const { oomKill: OOM_KILL } = cgroupMemoryEventsCounters;
/** Seconds between two readings of memory.stat: the kernel adds up what all CPUs count for each of them. */
const STAT_BEAT = 5;

/** What a container has in memory at one instant. */
export class ContainerMemoryReading {
  /** Monotonic seconds. */
  time = NaN;
  /** Bytes charged to it, read with its caches: both change fast. */
  current = NaN;
  readonly stat = new CgroupMemoryStat();

  get counters(): Counters {
    return this.stat.counters;
  }
}

/** Processes of a container that were killed, up to one instant. */
class KillReading {
  time = NaN;
  readonly events = new CgroupMemoryEvents();

  get counters(): Counters {
    return this.events.counters;
  }
}

/**
 * Sets what a container uses as Proxmox VE computes it: what is charged to it without its caches (PVE::LXC vmstatus).
 * @param limit bytes; Infinity without
 */
export function deriveContainerMemory(
  { current, stat }: Pick<ContainerMemoryReading, 'current' | 'stat'>,
  limit: number,
  { values }: Row,
): void {
  const cache = stat.counters.value(FILE);
  // Read one after the other, the cache can have grown beyond what was charged.
  const used = Math.max(0, current - cache);
  values[vmSlots.ram_cache] = cache;
  values[vmSlots.ram_used] = used;
  if (!(limit < Infinity)) return;
  values[vmSlots.ram_total] = limit;
  values[vmSlots.ram_limit] = limit;
  values[vmSlots.ram_limit_used] = (used / limit) * 100;
}

/** Memory of one container, by its cgroup. */
export class ContainerMem {
  private readonly beat = new SlowBeat(STAT_BEAT);
  private readonly readings = new Readings(() => new ContainerMemoryReading());
  private readonly kills = new Readings(() => new KillReading());
  /** Whether the last look at memory.stat succeeded. */
  private known = false;
  private limit = NaN;

  constructor(private readonly cgroup: Cgroup) {}

  /** @returns NaN: a limit is not memory that was given to it */
  collect({ row }: GuestTarget, wanted: Wanted): number {
    const { values } = row;
    if (this.beat.due(now())) this.read();
    if (this.known) {
      deriveContainerMemory(this.readings.current, this.limit, row);
      this.setFaults(row);
    }
    this.setKills(row);
    if (wanted.verbose) {
      values[vmSlots.ram_swap] = readValue(this.cgroup.memorySwap, parseNumberAt);
      values[vmSlots.ram_cgroup] = readValue(this.cgroup.memoryCurrent, parseNumberAt);
    }
    return NaN;
  }

  private read(): void {
    const { spare } = this.readings;
    spare.current = readValue(this.cgroup.memoryCurrent, parseNumberAt);
    this.known = readRecord(this.cgroup.memoryStat, parseCgroupMemoryStat, spare.stat);
    if (!this.known) return;
    spare.time = now();
    this.readings.commit();
    this.limit = readValue(this.cgroup.memoryMax, parseCgroupLimit);
  }

  private setFaults({ values, counters }: Row): void {
    counters[vmSlots.ram_majflt] = this.readings.current.counters.value(MAJFLT);
    values[vmSlots.ram_majflt] = rateOf(this.readings, MAJFLT);
  }

  private setKills({ values, counters }: Row): void {
    const { kills } = this;
    if (!readRecord(this.cgroup.memoryEvents, parseCgroupMemoryEvents, kills.spare.events)) return;
    kills.spare.time = now();
    kills.commit();
    counters[vmSlots.ram_oom_kills] = kills.current.counters.value(OOM_KILL);
    values[vmSlots.ram_oom_kills] = rateOf(kills, OOM_KILL);
  }
}

/** What a counter grew by per second; NaN as long as it was read once. */
function rateOf(
  { previous, current, complete }: Readings<{ readonly time: number; readonly counters: Counters }>,
  index: number,
): number {
  if (!complete) return NaN;
  return growth(previous.counters, current.counters, index) / (current.time - previous.time);
}
