import type { BlockStats } from '../../qmp/blockstats.ts';
import { queryBlockstats } from '../../qmp/blockstats.ts';
import { queryMemoryDevices, queryMemorySize } from '../../qmp/memory.ts';
import type { QmpAnswer, QmpQuery } from '../../qmp/query.ts';
import { PreparedQueries } from '../../qmp/query.ts';
import type { Balloon, Cpu, GuestStats, Status } from '../../qmp/replies.ts';
import { queryBalloon, queryCpus, queryGuestStats, queryStatus } from '../../qmp/replies.ts';

/** Seconds between two queries without a useful answer, or whose answer changes only by hot-plug. */
const SLOW_BEAT = 60;

/** What QEMU told in one visit; the optional ones only if they were asked. */
export interface QemuAnswers {
  readonly status: QmpAnswer<Status>;
  readonly blocks: QmpAnswer<readonly BlockStats[]>;
  readonly balloon?: QmpAnswer<Balloon>;
  readonly guest?: QmpAnswer<GuestStats>;
  readonly cpus?: QmpAnswer<readonly Cpu[]>;
  readonly base?: QmpAnswer<number>;
  readonly plugged?: QmpAnswer<number>;
}

type Name = keyof QemuAnswers;

const queries: Readonly<Record<Name, QmpQuery<unknown>>> = {
  status: queryStatus,
  blocks: queryBlockstats,
  balloon: queryBalloon,
  guest: queryGuestStats,
  cpus: queryCpus,
  base: queryMemorySize,
  plugged: queryMemoryDevices,
};

/** The text of one choice of questions, and whose answers they are. */
export class Questions {
  private static readonly known = new Map<string, Questions>();
  readonly prepared: PreparedQueries;

  private constructor(private readonly names: readonly Name[]) {
    this.prepared = new PreparedQueries(names.map((name) => queries[name]));
  }

  /** Made once for each choice, of which there are few. */
  static of(names: readonly Name[]): Questions {
    const key = names.join(' ');
    let questions = this.known.get(key);
    if (questions === undefined) this.known.set(key, (questions = new Questions(names)));
    return questions;
  }

  /** @param answers in the order of the questions */
  sort(answers: readonly QmpAnswer<unknown>[]): QemuAnswers {
    const told: Partial<Record<Name, QmpAnswer<unknown> | undefined>> = {};
    for (const [index, name] of this.names.entries()) told[name] = answers[index];
    return told as QemuAnswers;
  }
}

/**
 * What one VM is asked: its state and the counters of its disks at each visit, because they have no other source; the rest
 * only while the answer may be new. A query costs QEMU 0.1 to 0.4 ms, even if it is refused.
 */
export class VisitPlan {
  private balloonAt = -Infinity;
  private guestAt = -Infinity;
  private memoryAt = -Infinity;
  /** Whether the last query of the balloon was answered, but without the guest's report that Proxmox VE's QEMU adds. */
  private stock = false;
  private hasBalloon = true;
  private guestReports = false;
  /** Generation of the threads that were asked about last. */
  private threads = -1;

  /**
   * @param time monotonic seconds
   * @param memory whether only QEMU knows of memory that was plugged in
   * @param threads generation of the process's threads, if only QEMU knows which of them are vCPUs
   */
  choose(time: number, memory: boolean, threads: number | undefined): Questions {
    const names: Name[] = ['status', 'blocks'];
    if (this.hasBalloon || time - this.balloonAt >= SLOW_BEAT) names.push('balloon');
    if (this.stock && (this.guestReports || time - this.guestAt >= SLOW_BEAT)) names.push('guest');
    if (threads !== undefined && threads !== this.threads) names.push('cpus');
    if (memory && time - this.memoryAt >= SLOW_BEAT) names.push('base', 'plugged');
    return Questions.of(names);
  }

  /**
   * @param time when it was asked, monotonic seconds
   * @param threads as {@link choose} was given it
   */
  learn({ balloon, guest, cpus, base }: QemuAnswers, time: number, threads: number | undefined): void {
    if (balloon !== undefined) {
      this.balloonAt = time;
      this.hasBalloon = balloon.value !== undefined;
      this.stock = balloon.value !== undefined && balloon.value.max === undefined;
    }
    if (guest !== undefined) {
      this.guestAt = time;
      this.guestReports = guest.value?.lastUpdate !== undefined;
    }
    if (cpus !== undefined && threads !== undefined) this.threads = threads;
    if (base !== undefined) this.memoryAt = time;
  }

  /** Has the memory asked for at the next visit. */
  memoryChanged(): void {
    this.memoryAt = -Infinity;
  }
}
