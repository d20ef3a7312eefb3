import { readdirSync } from 'node:fs';
import type { Paths } from '../kernel/paths.ts';
import { readCmdline } from '../kernel/proc-pid-cmdline.ts';
import type { QemuArguments } from './qemu-arguments.ts';
import { parseQemuArguments, runsVm } from './qemu-arguments.ts';

/** A process that runs a VM. */
export interface QemuProcess {
  readonly pid: number;
  readonly args: QemuArguments;
}

interface Seen {
  /** Monotonic seconds. */
  readonly first: number;
  /** Undefined for a process that is not QEMU. */
  readonly args: QemuArguments | undefined;
}

/** Seconds after which processes that were seen before are looked at again: their pids may have been reused. */
const RENEWAL = 60;
/** Seconds in which a process that is not QEMU may still become it: who starts QEMU forks first. */
const SETTLING = 5;

/**
 * Finds QEMU among the processes of the host. The command line of a process is read once, and of another program's
 * for its first seconds: it takes the process's mmap lock and may block. A listing of /proc alone costs about 1 us a
 * process.
 */
export class QemuFinder {
  private seen = new Map<number, Seen>();
  private renewedAt = -Infinity;

  constructor(private readonly paths: Paths) {}

  /** @param time monotonic seconds */
  find(time: number): QemuProcess[] {
    const renew = time - this.renewedAt >= RENEWAL;
    if (renew) this.renewedAt = time;
    const seen = new Map<number, Seen>();
    const found: QemuProcess[] = [];
    for (const pid of this.pids()) {
      const before = this.seen.get(pid);
      const settled = before !== undefined && (before.args !== undefined || time - before.first > SETTLING);
      const now = settled && !renew ? before : { first: before?.first ?? time, args: this.examine(pid) };
      seen.set(pid, now);
      if (now.args !== undefined) found.push({ pid, args: now.args });
    }
    this.seen = seen;
    return found;
  }

  private examine(pid: number): QemuArguments | undefined {
    const argv = readCmdline(this.paths, pid);
    return runsVm(argv) ? parseQemuArguments(argv) : undefined;
  }

  private pids(): number[] {
    try {
      return readdirSync(this.paths.proc(''))
        .map(Number)
        .filter((pid) => pid > 0);
    } catch {
      return [];
    }
  }
}
