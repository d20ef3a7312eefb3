import { KernelFile, readOnce } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { cgroupOf } from '../../kernel/pid/proc-pid-cgroup.ts';
import { PidStat, parsePidStat } from '../../kernel/pid/proc-pid-stat.ts';
import { innermostPid } from '../../kernel/pid/proc-pid-status.ts';
import { childrenOf } from '../../kernel/pid/proc-pid-task.ts';
import { processStart } from '../../kernel/process/process-start.ts';
import type { ContainerPlace } from './container-places.ts';

/** Processes of a monitor, and children of one, that are looked at: it is one process with one child. */
const MOST_CANDIDATES = 16;

/** The first process of a container: it lives exactly as long as this run of the container. */
export class InitProcess {
  private readonly file: KernelFile;
  private readonly stat = new PidStat();

  private constructor(
    paths: Paths,
    readonly pid: number,
  ) {
    this.file = new KernelFile(paths.pid(pid, 'stat'));
  }

  /**
   * Looks for it among the children of the process that started the container; no program is run and no cgroup of the
   * tenant looked at. It is the one that is process 1 in a pid namespace of its own, and in the cgroup of the container.
   *
   * @returns undefined where there is none yet, or the kernel does not tell of children (CONFIG_PROC_CHILDREN)
   */
  static find(paths: Paths, { group, monitor }: ContainerPlace): InitProcess | undefined {
    for (const parent of numbers(readOnce(paths.cgroup(monitor, 'cgroup.procs')))) {
      for (const pid of childrenOf(paths, parent).slice(0, MOST_CANDIDATES)) {
        const init = InitProcess.open(paths, pid, group);
        if (init !== undefined) return init;
      }
    }
    return undefined;
  }

  private static open(paths: Paths, pid: number, group: string): InitProcess | undefined {
    const init = new InitProcess(paths, pid);
    const own = `${cgroupOf(paths, pid) ?? ''}/`;
    // Opened before it is checked, so that it is certainly the process that was checked.
    if (init.refresh() && own.startsWith(`${group}/`) && isFirst(paths, pid)) return init;
    init.close();
    return undefined;
  }

  /** Identity that no other process since the boot shares. */
  get key(): string {
    return `${this.pid}:${this.stat.startTime}`;
  }

  /** False when it has ended. */
  refresh(): boolean {
    if (!readRecord(this.file, parsePidStat, this.stat)) return this.file.trouble === undefined;
    return this.stat.state !== 'Z' && this.stat.state !== 'X';
  }

  /** When it started; see {@link processStart}. */
  started(paths: Paths): number | undefined {
    return processStart(paths, this.stat);
  }

  close(): void {
    this.file.close();
  }
}

function isFirst(paths: Paths, pid: number): boolean {
  return innermostPid(readOnce(paths.pid(pid, 'status')) ?? '') === 1;
}

function numbers(text = ''): number[] {
  return text
    .split('\n', MOST_CANDIDATES)
    .map(Number)
    .filter((pid) => pid > 0);
}
