import { growth } from '../../kernel/base/counters.ts';
import { Schedstat, parsePidSchedstat, schedstatCounters } from '../../kernel/pid/proc-pid-schedstat.ts';
import type { Thread } from '../../kernel/process/process.ts';
import type { ReadBatch } from '../../kernel/base/read.ts';
import { Readings, now } from '../readings.ts';

const { run, wait } = schedstatCounters;
const NS_PER_S = 1e9;
/** Seconds without running after which a thread counts as dormant. */
const DORMANT_AFTER = 3;

/** CPU time of one thread at one instant. */
export class ThreadReading {
  /** Monotonic seconds. */
  time = NaN;
  readonly schedstat = new Schedstat();
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

/** A thread with its readings, and what was derived from them in this cycle. */
export class ThreadCpu {
  readonly readings = new Readings(() => new ThreadReading());
  /** ns that it ran, and that it waited on a run queue, since the cycle before; NaN where not known. */
  ran = NaN;
  waited = NaN;
  /** Whether the last reading succeeded. */
  readable = false;
  /** Percent of one CPU that it ran. */
  used = NaN;
  /** Percent of the time that it waited on a run queue. */
  ready = NaN;
  /** Its number in the batch of this cycle; -1 where it is in none. */
  private fetched = -1;
  /** When it was last seen to have run, or first seen; monotonic seconds. */
  private ranAt: number;

  /**
   * @param born since when it is known not to have existed: its counters, which begin at 0, then belong to the time
   *   since; undefined when it was there before we looked
   */
  constructor(
    readonly thread: Thread,
    born: number | undefined,
  ) {
    this.ranAt = now();
    if (born === undefined) return;
    const { spare } = this.readings;
    spare.time = born;
    spare.schedstat.counters.set(run, 0);
    spare.schedstat.counters.set(wait, 0);
    this.readings.commit();
  }

  /** Whether it ever ran, by the kernel; one without these statistics writes zeros for all threads. */
  get hasRun(): boolean {
    return this.readings.current.schedstat.counters.value(run) > 0;
  }

  /**
   * Whether it runs no vCPU and has not run for long, as most threads of a QEMU: those that free memory, serve VNC or
   * wait for disks that nobody reads.
   */
  dormant(time: number): boolean {
    return this.readable && this.thread.vcpu === undefined && time - this.ranAt >= DORMANT_AFTER;
  }

  /** Whether it has ended, so that its missing reading makes no sum unknown. */
  get gone(): boolean {
    return this.thread.schedstat.trouble === 'gone';
  }

  /** Reads its file, for {@link read} to look at. */
  fetch(batch: ReadBatch): void {
    this.fetched = batch.add(this.thread.schedstat);
  }

  /** Begins a cycle in which its file is not in the batch. */
  forget(): void {
    this.fetched = -1;
  }

  /**
   * Takes a reading. Where there is none, nothing is known about this cycle.
   * @param batch in which its file may be
   */
  read(batch: ReadBatch): void {
    if (this.fetched < 0) this.fetch(batch);
    const { readings, fetched } = this;
    const { spare } = readings;
    this.fetched = -1;
    this.readable = batch.parse(fetched, this.thread.schedstat, parsePidSchedstat, spare.schedstat);
    if (!this.readable) {
      this.ran = this.waited = this.used = this.ready = NaN;
      return;
    }
    spare.time = batch.time(fetched) / 1000;
    readings.commit();
    if (!readings.complete) return;
    const { previous, current } = readings;
    this.ran = grown(previous, current, run);
    this.waited = grown(previous, current, wait);
    this.used = deriveThread(this.ran, previous, current);
    this.ready = deriveThread(this.waited, previous, current);
    if (this.ran !== 0) this.ranAt = current.time;
  }

  /** Stands for a reading of a thread that did not run. @param time monotonic seconds */
  skip(time: number): void {
    this.readings.current.time = time;
    this.ran = this.waited = this.used = this.ready = 0;
  }
}
