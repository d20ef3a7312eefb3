import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { Paths, defaultRoots } from '../src/kernel/base/paths.ts';
import { cgroupMount } from '../test/lab/cgroup.ts';
import { until } from '../test/lab/processes.ts';

/** Enters the cgroup of the monitor, and its child, the first of a pid namespace, that of the container. */
const START = `echo 0 >"$0/cgroup.procs"; exec unshare --pid --fork --kill-child sh -c 'echo 0 >"$0/cgroup.procs"; exec sleep infinity' "$1"`;
const FIRST_VMID = 1000;

/**
 * What proxtop sees of containers of Proxmox VE, and nothing more: cgroups with a first process. They are cheap enough to be
 * hundreds.
 */
export class BareContainers {
  readonly paths: Paths;
  private readonly root = cgroupMount();
  private monitors: ChildProcess[] = [];

  constructor() {
    for (const group of ['lxc', 'lxc.monitor']) mkdirSync(join(this.root, group));
    this.paths = new Paths({ ...defaultRoots, cgroupfs: this.root });
  }

  /** Starts as many; resolves when all run. */
  async start(count: number): Promise<void> {
    const vmids = Array.from({ length: count }, (_, index) => String(FIRST_VMID + index));
    this.monitors = vmids.map((vmid) => {
      const [monitor, group] = this.groups(vmid);
      for (const each of [monitor, group]) mkdirSync(each);
      return spawn('sh', ['-c', START, monitor, group], { stdio: 'ignore' });
    });
    const populated = (vmid: string): boolean =>
      readFileSync(join(this.groups(vmid)[1], 'cgroup.events'), 'latin1').includes('populated 1');
    await until('all containers run', () => vmids.every(populated));
  }

  /** Ends all and removes their cgroups. */
  async stop(): Promise<void> {
    await Promise.all(
      this.monitors.map(async (monitor, index) => {
        const ended = once(monitor, 'exit');
        monitor.kill('SIGKILL');
        await ended;
        for (const group of this.groups(String(FIRST_VMID + index)))
          await until(`${group} is empty`, () => removed(group));
      }),
    );
    this.monitors = [];
  }

  async close(): Promise<void> {
    await this.stop();
    for (const group of ['lxc', 'lxc.monitor']) rmdirSync(join(this.root, group));
  }

  private groups(vmid: string): [monitor: string, group: string] {
    return [join(this.root, 'lxc.monitor', vmid), join(this.root, 'lxc', vmid)];
  }
}

function removed(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group);
  }
}
