import { cpuListText, parseCpuList } from '../sys/cpu-list.ts';
import { KernelFile, readOnce } from '../base/kernel-file.ts';
import { refusedOpens } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';
import { PidStat, parsePidStat } from '../pid/proc-pid-stat.ts';
import { cpusAllowed } from '../pid/proc-pid-status.ts';
import { MOST_THREADS, listThreads } from '../pid/proc-pid-task.ts';
import { parseTaskRun } from '../pid/proc-pid-task-stat.ts';
import type { TaskRun } from '../pid/proc-pid-task-stat.ts';
import { processStart } from './process-start.ts';
import { readRecord } from '../base/read.ts';

/** One thread of a process, with its schedstat kept open. */
export class Thread {
  /**
   * Which vCPU it runs, from 0; undefined for every other thread. Set by the inventory, which knows how QEMU names threads.
   */
  vcpu: number | undefined;
  /** A thread gets its name just after it starts: the name is read again in the next cycle. */
  fresh = true;
  readonly schedstat: KernelFile;

  constructor(
    readonly tid: number,
    /** Its name, at most 15 characters. */
    public comm: string,
    path: string,
  ) {
    this.schedstat = new KernelFile(path);
  }
}

/**
 * The /proc files of one process, opened once. They belong to this process and no later one with the same pid.
 * The threads are listed again only when their number changed or one of them was found gone: listing costs ten reads.
 */
export class Process {
  /** What {@link refresh} read last. */
  readonly stat = new PidStat();
  threads: readonly Thread[] = [];
  /** Changes whenever the list of threads or one of their names does. */
  generation = 0;
  readonly io: KernelFile;
  readonly status: KernelFile;
  readonly ksm: KernelFile;
  private readonly statFile: KernelFile;
  private relistNeeded = true;
  private closed = false;

  private constructor(
    private readonly paths: Paths,
    readonly pid: number,
  ) {
    this.statFile = new KernelFile(paths.pid(pid, 'stat'));
    this.io = new KernelFile(paths.pid(pid, 'io'));
    this.status = new KernelFile(paths.pid(pid, 'status'));
    this.ksm = new KernelFile(paths.pid(pid, 'ksm_stat'));
  }

  /** Opens a process; undefined when there is none with this pid, or only a zombie. */
  static open(paths: Paths, pid: number): Process | undefined {
    const process = new Process(paths, pid);
    if (process.refresh()) return process;
    process.close();
    return undefined;
  }

  /** Identity that no other process since the boot shares. */
  get key(): string {
    return `${this.pid}:${this.stat.startTime}`;
  }

  /** When it started; see {@link processStart}. Reads a file. */
  started(): number | undefined {
    return processStart(this.paths, this.stat);
  }

  /** Reads stat, and the list of threads where it changed; false when the process is gone or a zombie. */
  refresh(): boolean {
    if (!readRecord(this.statFile, parsePidStat, this.stat)) return false;
    if (this.stat.state === 'Z' || this.stat.state === 'X') return false;
    if (this.relistNeeded || Math.min(this.stat.threads, MOST_THREADS) !== this.threads.length) this.list();
    else this.confirmNames();
    return true;
  }

  /** Notes that a thread has ended: the next {@link refresh} lists the threads again. */
  relist(): void {
    this.relistNeeded = true;
  }

  /**
   * The CPUs that any of the threads with a vCPU may run on, as the kernel lists them; undefined where no thread is known
   * to have one. Reads a file for each.
   */
  vcpuAffinity(): string | undefined {
    let first: string | undefined;
    let all: Set<number> | undefined;
    for (const { tid, vcpu } of this.threads) {
      const list = vcpu === undefined ? undefined : this.cpusOf(tid);
      if (list === undefined || list === first) continue;
      // Nearly always all have the same.
      if (first === undefined) first = list;
      else for (const cpu of parseCpuList(list)) (all ??= new Set(parseCpuList(first))).add(cpu);
    }
    return all === undefined ? first : cpuListText(all);
  }

  private cpusOf(tid: number): string | undefined {
    const file = new KernelFile(this.paths.task(this.pid, tid, 'status'));
    const length = file.read();
    file.close();
    return length < 0 ? undefined : cpusAllowed(file.bytes.subarray(0, length));
  }

  /** How long each of the threads with a vCPU ran, and where last. Reads a file for each. */
  vcpuRuns(): readonly (TaskRun & { readonly tid: number })[] {
    return this.threads.flatMap(({ tid, vcpu }) => {
      if (vcpu === undefined) return [];
      const run = parseTaskRun(readOnce(this.paths.task(this.pid, tid, 'stat')) ?? '');
      return run === undefined ? [] : [{ tid, ...run }];
    });
  }

  /** If descriptors run out meanwhile, the list stays unchanged until the next {@link refresh}. */
  private list(): void {
    this.relistNeeded = true;
    const refused = refusedOpens();
    const known = new Map(this.threads.map((thread) => [thread.tid, thread]));
    const threads: Thread[] = [];
    for (const tid of listThreads(this.paths, this.pid) ?? []) {
      const old = known.get(tid);
      if (old !== undefined && old.schedstat.trouble !== 'gone') {
        threads.push(old);
        known.delete(tid);
        continue;
      }
      const comm = readOnce(this.paths.task(this.pid, tid, 'comm'));
      if (refusedOpens() !== refused) return;
      if (comm === undefined) continue;
      threads.push(new Thread(tid, comm, this.paths.task(this.pid, tid, 'schedstat')));
    }
    if (refusedOpens() !== refused) return;
    for (const gone of known.values()) gone.schedstat.close();
    this.threads = threads;
    this.relistNeeded = false;
    this.generation++;
  }

  private confirmNames(): void {
    for (const thread of this.threads) {
      if (!thread.fresh) continue;
      const refused = refusedOpens();
      const comm = readOnce(this.paths.task(this.pid, thread.tid, 'comm'));
      if (refusedOpens() !== refused) return;
      thread.fresh = false;
      if (comm === undefined || comm === thread.comm) continue;
      thread.comm = comm;
      this.generation++;
    }
  }

  /** Whether {@link close} was not called yet. */
  get open(): boolean {
    return !this.closed;
  }

  /** Gives all descriptors back. */
  close(): void {
    this.closed = true;
    for (const file of [this.statFile, this.io, this.status, this.ksm]) file.close();
    for (const thread of this.threads) thread.schedstat.close();
    this.threads = [];
  }
}
