import { closeSync, fstatSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { readOnce } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { descriptorPath } from '../../kernel/base/paths.ts';
import { ownerOf } from '../../kernel/pid/proc-pid-status.ts';
import { QmpError } from '../../qmp/errors.ts';
import type { Entrance } from '../../qmp/monitor.ts';
import { Monitor } from '../../qmp/monitor.ts';
import { OwnMonitor } from '../../qmp/own/own-monitor.ts';
import { VISIT_DEADLINE } from '../../qmp/visit.ts';
import { openInNamespaceOf } from './own-namespace.ts';

const ROOT = 0;
/** How the program of a QEMU is named, wherever it is from. */
const QEMU_PROGRAM = /qemu|kvm/;
/** ms that a connection to the monitor of a user's process may wait for its greeting: it may be anything. */
const USERS_PATIENCE = 60_000;

/**
 * Whether the paths that a process names may be followed with our rights: it is a QEMU of root's, or of the user that we
 * are. The user of a setuid program chooses all its arguments, including argv[0], so its program must be QEMU.
 */
export function isTrusted(paths: Paths, pid: number): boolean {
  const owner = userOf(paths, pid);
  if (owner !== ROOT) return owner !== undefined && owner === process.geteuid?.();
  try {
    return QEMU_PROGRAM.test(basename(readlinkSync(paths.pid(pid, 'exe'))));
  } catch {
    return false;
  }
}

function userOf(paths: Paths, pid: number): number | undefined {
  return ownerOf(readOnce(paths.pid(pid, 'status')) ?? '');
}

/**
 * Which monitor sockets are used. Any user can start a process that calls itself kvm and names any path, and we have the
 * rights of root. So the socket must belong to the user whose process names it, or the process be a QEMU of root's; and
 * of several processes that name one socket (device and inode) only the first one gets it, until it is gone.
 */
export class MonitorSockets {
  private readonly holders = new Map<string, NamedSocket>();

  constructor(private readonly paths: Paths) {}

  /** The monitor on the socket that a process names. */
  monitor(pid: number, path: string): Monitor {
    return new Monitor(path, VISIT_DEADLINE, this.entrance(pid, path));
  }

  /**
   * The monitor of a QEMU that was given a second one for proxtop alone.
   * @param own path of that one
   * @param path of the one that others use as well
   */
  ownMonitor(pid: number, own: string, path: string): Monitor {
    return new OwnMonitor(own, this.entrance(pid, own), this.monitor(pid, path));
  }

  /** The path to that socket. */
  entrance(pid: number, path: string): Entrance {
    return new NamedSocket(this.paths, this.holders, pid, path);
  }
}

/** A socket that passed the checks. It stays open as a reference (O_PATH): the descriptor never leads to another socket. */
interface Admitted {
  readonly descriptor: number;
  /** ms that a connection may wait. */
  readonly patience: number;
}

/**
 * The socket that one process names. It is looked for and checked at the first visit, and again after a visit that failed:
 * doing so each time cost half as much as a visit.
 */
class NamedSocket implements Entrance {
  /** The socket it was when it was used last. */
  private held: string | undefined;
  private admitted: Admitted | undefined;

  constructor(
    private readonly paths: Paths,
    private readonly holders: Map<string, NamedSocket>,
    private readonly pid: number,
    private readonly path: string,
  ) {}

  enter<T>(connect: (address: string, patience: number) => T): T {
    const { descriptor, patience } = (this.admitted ??= this.find());
    // Not by the path, which may lead elsewhere by now.
    return connect(descriptorPath(descriptor), patience);
  }

  recheck(): void {
    if (this.admitted !== undefined) closeSync(this.admitted.descriptor);
    this.admitted = undefined;
  }

  leave(): void {
    this.recheck();
    if (this.held !== undefined) this.holders.delete(this.held);
    this.held = undefined;
  }

  private find(): Admitted {
    const descriptor = this.open();
    try {
      return { descriptor, patience: this.admit(descriptor) };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  private open(): number {
    try {
      return openInNamespaceOf(this.paths, this.pid, this.path);
    } catch (error) {
      // Where it was, another socket may get its inode.
      this.leave();
      const { message, code } = error as NodeJS.ErrnoException;
      throw this.refused(message, code);
    }
  }

  /** Checks the socket and takes it. @returns ms that a connection may wait */
  private admit(socket: number): number {
    const { pid } = this;
    const stats = fstatSync(socket);
    if (!stats.isSocket()) throw this.refused('it is not a socket');
    const trusted = isTrusted(this.paths, pid);
    const owner = userOf(this.paths, pid);
    if (!trusted && (owner === ROOT || owner !== stats.uid))
      throw this.refused(
        `it belongs to user ${stats.uid}, but process ${pid} is not a QEMU of that user or of root`,
      );
    const id = `${stats.dev}:${stats.ino}`;
    const holder = this.holders.get(id) ?? this;
    if (holder !== this)
      throw this.refused(`it is the monitor of process ${holder.pid}, not of process ${pid}`);
    if (this.held !== id && this.held !== undefined) this.holders.delete(this.held);
    this.holders.set(id, this);
    this.held = id;
    return trusted ? Infinity : USERS_PATIENCE;
  }

  /** @param code of the system call that failed, if one did */
  private refused(why: string, code?: string): QmpError {
    return new QmpError('error', this.path, `not used: ${why}`, code);
  }
}
