import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Paths } from '../../src/kernel/base/paths.ts';
import { Tree } from '../collectors/support.ts';

const HEAD = 'Inter-| Receive | Transmit\n face |bytes packets\n';
const ZEROS = '0 '.repeat(16).trim();

/** A host of files, with what the kernel shows of containers. */
export class ContainerTree extends Tree {
  readonly host: Paths;

  constructor(t: TestContext) {
    super(t);
    this.host = new Paths({
      ...this.paths.roots,
      pvedir: join(this.root, 'pve'),
      rundir: join(this.root, 'run'),
    });
    this.write('sys/fs/cgroup/cgroup.controllers', 'cpu io memory pids\n');
    this.write('proc/uptime', '1000.00 1.00\n');
    this.write('proc/1/net/dev', HEAD);
  }

  /** A container that runs: its cgroups, the process that started it, its first process. */
  run(group: string, monitor: string, pid: number, started = 50_000): void {
    this.write(`sys/fs/cgroup${group}/cgroup.events`, 'populated 1\nfrozen 0\n');
    this.write(`sys/fs/cgroup${monitor}/cgroup.procs`, `${pid - 1}\n`);
    this.write(`proc/${pid - 1}/task/${pid - 1}/children`, `${pid} `);
    this.write(`proc/${pid}/cgroup`, `0::${group}/ns/init.scope\n`);
    this.write(`proc/${pid}/status`, `Name:\tinit\nNSpid:\t${pid}\t1\n`);
    this.write(`proc/${pid}/stat`, stat(pid, started));
    this.write(
      `proc/${pid}/net/dev`,
      `${HEAD}    lo: ${ZEROS}\n  eth0: ${ZEROS}\ndocker0: ${ZEROS}\nveth1a2b: ${ZEROS}\n`,
    );
    this.write(`proc/${pid}/mountinfo`, '243 215 253:3 / / rw - ext4 /dev/mapper/pve-vm rw\n');
  }

  stop(group: string, pid: number): void {
    this.write(`sys/fs/cgroup${group}/cgroup.events`, 'populated 0\nfrozen 0\n');
    this.write(`proc/${pid}/stat`, stat(pid, 50_000, 'Z'));
  }
}

/** The line of its first process in /proc/<pid>/stat. */
export function stat(pid: number, started: number, state = 'S'): string {
  return `${pid} (init) ${state} 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${started} 1000 10 ${'0 '.repeat(17)}0 0 0\n`;
}
