import { readdirSync } from 'node:fs';
import { readOnce } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';
import { kernelThreads } from '../base/paths.ts';
import { Thread } from './process.ts';

/** The start of stat of a kernel thread that works for the virtual NICs of a QEMU: its name has the pid of that. */
const WORKER = new RegExp(`^\\d+ \\((vhost-(\\d+))\\) \\S ${kernelThreads} `);

interface Worker {
  /** The pid of its QEMU. */
  readonly owner: number;
  readonly thread: Thread;
}

/**
 * The kernel threads of vhost, which carry the packets of virtual NICs. Until kernel 6.4, and since 6.17 where
 * /sys/module/vhost/parameters/fork_from_owner_default says so, they are no threads of QEMU but children of kthreadd.
 *
 * Each kernel thread is looked at once. Their list is one file where the kernel has it (CONFIG_PROC_CHILDREN): 40 us with
 * 66 of them.
 */
export class VhostWorkers {
  /** What each process is, by its pid; undefined for all that are no such workers. */
  private known = new Map<number, Worker | undefined>();

  constructor(private readonly paths: Paths) {}

  /** The workers that run now, by the pid of their QEMU; a thread is the same object from call to call. */
  find(): ReadonlyMap<number, readonly Thread[]> {
    const before = this.known;
    this.known = new Map();
    const workers = new Map<number, Thread[]>();
    for (const pid of this.candidates()) {
      const worker = before.has(pid) ? before.get(pid) : this.look(pid);
      before.delete(pid);
      this.known.set(pid, worker);
      if (worker === undefined) continue;
      const others = workers.get(worker.owner);
      if (others === undefined) workers.set(worker.owner, [worker.thread]);
      else others.push(worker.thread);
    }
    closeAll(before);
    return workers;
  }

  /** Gives all descriptors back. */
  close(): void {
    closeAll(this.known);
    this.known.clear();
  }

  private look(pid: number): Worker | undefined {
    const [, comm = '', owner] = WORKER.exec(readOnce(this.paths.pid(pid, 'stat')) ?? '') ?? [];
    if (owner === undefined) return undefined;
    return { owner: Number(owner), thread: new Thread(pid, comm, this.paths.task(pid, pid, 'schedstat')) };
  }

  private candidates(): number[] {
    const children = readOnce(this.paths.task(kernelThreads, kernelThreads, 'children'));
    return (children?.split(' ') ?? this.processes()).map(Number).filter((pid) => pid > 0);
  }

  private processes(): string[] {
    try {
      return readdirSync(this.paths.proc(''));
    } catch {
      return [];
    }
  }
}

function closeAll(workers: ReadonlyMap<number, Worker | undefined>): void {
  for (const worker of workers.values()) worker?.thread.schedstat.close();
}
