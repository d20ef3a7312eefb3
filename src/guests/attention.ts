import { availableParallelism } from 'node:os';
import type { PollSchedule } from './poll-schedule.ts';

/** Seconds between two visits to the monitor of a VM that the user looks at. */
const INTERVAL = 2;
/** Share of the host's CPU time that the visits before their time may take. */
const LARGEST_SHARE = 0.02;
/** Seconds of CPU that one visit takes, ours and QEMU's together (docs/performance.md). */
const VISIT_COST = 0.002;

/** A VM whose monitor can be visited. */
interface Visited {
  readonly key: string;
  readonly schedule: PollSchedule;
}

/**
 * Decides whose monitors are polled more often than the interval says: those of the VMs that the user looks at. The screen
 * decides how many VMs that are. The cost is limited to a fixed share of the host; VMs that have waited longest come first.
 */
export class Attention {
  /** Keys of the VMs whose threads are shown. */
  expanded: ReadonlySet<string> = new Set();
  private watched: ReadonlySet<string> = new Set();
  /** Visits that may be made now. */
  private allowance = 0;
  private askedAt: number | undefined;
  /** Visits a second. */
  private readonly rate: number;

  constructor(cpus: number = availableParallelism()) {
    this.rate = (LARGEST_SHARE * cpus) / VISIT_COST;
  }

  /**
   * @param keys of the VMs that are looked at from now on
   * @param expanded those of them that are looked at in detail
   */
  watch(keys: ReadonlySet<string>, expanded: ReadonlySet<string> = new Set()): void {
    this.watched = keys;
    this.expanded = expanded;
  }

  /**
   * The VMs to visit before their time.
   * @param vms that are not due by their own interval
   * @param time monotonic seconds
   */
  choose<T extends Visited>(vms: readonly T[], time: number): readonly T[] {
    const elapsed = Math.min(INTERVAL, time - (this.askedAt ?? time));
    this.askedAt = time;
    this.allowance = Math.min(this.allowance + elapsed * this.rate, INTERVAL * this.rate);
    const wanted = vms.filter(({ key, schedule }) => this.watched.has(key) && schedule.due(time, INTERVAL));
    const chosen = wanted
      .sort((one, other) => one.schedule.visitedAt - other.schedule.visitedAt)
      .slice(0, Math.floor(this.allowance));
    this.allowance -= chosen.length;
    return chosen;
  }
}
