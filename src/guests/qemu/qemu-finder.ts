import { readdirSync } from 'node:fs';
import { isShortage, refusedOpens } from '../../kernel/base/open-files.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readCmdline } from '../../kernel/pid/proc-pid-cmdline.ts';
import { programNames } from '../../kernel/pid/proc-pid-exe.ts';
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
/** Names of programs that may be QEMU: qemu-system-x86_64, qemu-kvm, kvm, .qemu-system-x86_64-wrapped, ... */
const LIKE_QEMU = /qemu|kvm/i;

/**
 * The command line of a process that runs QEMU, or may do so after the name of its program; empty for all others. A
 * command line is read only if need be: that takes the process's mmap lock, and a process that waits for a dead disk
 * with it locked would make us wait as well, as it does ps.
 */
export function qemuCommandLine(paths: Paths, pid: number): string[] {
  return programNames(paths, pid).some((name) => LIKE_QEMU.test(name)) ? readCmdline(paths, pid) : [];
}

/**
 * Finds QEMU among the processes of the host. A process is looked at once, and one of another program in its first
 * seconds. A listing of /proc alone costs about 1 us a process.
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
      const now = settled && !renew ? before : this.examine(pid, before, time);
      if (now === undefined) continue;
      seen.set(pid, now);
      if (now.args !== undefined) found.push({ pid, args: now.args });
    }
    this.seen = seen;
    return found;
  }

  /** If no descriptor is left the list stays, and a new process is examined the next time. */
  private examine(pid: number, before: Seen | undefined, time: number): Seen | undefined {
    const refused = refusedOpens();
    const argv = qemuCommandLine(this.paths, pid);
    if (refusedOpens() !== refused) return before;
    return { first: before?.first ?? time, args: runsVm(argv) ? parseQemuArguments(argv) : undefined };
  }

  private pids(): Iterable<number> {
    try {
      return readdirSync(this.paths.proc(''))
        .map(Number)
        .filter((pid) => pid > 0);
    } catch (error) {
      return isShortage(error) ? this.seen.keys() : [];
    }
  }
}
