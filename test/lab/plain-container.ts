import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { removeScope } from './cgroup.ts';
import { BUSYBOX, makeRoot } from './container-root.ts';
import { until } from './processes.ts';

/** ms until a container that LXC does not start is given up. */
const PATIENCE = 20_000;
/**
 * LXC in namespaces of its own, with nothing but cgroup v2 and all its processes ending with it, in a cgroup that this
 * machine sees: that of plain LXC, below the root.
 */
const START = `[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 none /sys/fs/cgroup
lxc-start -F -P "$1" -n "$2"`;
const UNSHARE = '--cgroup --mount --pid --fork --kill-child --mount-proc --propagation private';

/** What this machine lacks for a container, in words for the user; empty when one can be tried. */
export function missingForContainer(): string[] {
  const missing = [];
  if (!existsSync('/usr/bin/lxc-start')) missing.push('lxc-start (Debian package lxc)');
  if (!existsSync(BUSYBOX)) missing.push(`${BUSYBOX} (Debian package busybox-static)`);
  return missing;
}

/** A container of plain LXC on this machine, without network. It ends with this process. Needs root. */
export class PlainContainer {
  private complaint = '';
  private readonly starter: ChildProcessByStdio<null, Readable, Readable>;

  private constructor(
    private readonly directory: string,
    private readonly cgroups: string,
    private readonly name: string,
  ) {
    const enter = `echo $$ >"$0/cgroup.procs" && exec unshare ${UNSHARE} sh -ec "$1" sh "$2" "$3"`;
    this.starter = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'sh', '-c', enter, cgroups, START, directory, name],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.starter.stdout, this.starter.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.complaint += text));
  }

  /**
   * Starts one; resolves when its first process runs.
   * @param directory where its files go
   * @param cgroups where cgroup v2 is mounted
   * @param script what its first process, a shell, does
   * @throws Error with the words of LXC when it does not start
   */
  static async start(
    directory: string,
    cgroups: string,
    name: string,
    script: string,
  ): Promise<PlainContainer> {
    const home = join(directory, name);
    mkdirSync(home, { recursive: true });
    makeRoot(join(home, 'rootfs'), script);
    writeFileSync(
      join(home, 'config'),
      `lxc.uts.name = ${name}
lxc.rootfs.path = dir:${home}/rootfs
lxc.init.cmd = /init
lxc.net.0.type = empty
lxc.mount.auto = proc:mixed sys:mixed
lxc.apparmor.profile = unconfined
`,
    );
    const container = new PlainContainer(directory, cgroups, name);
    const late = Date.now() + PATIENCE;
    await until(`container ${name} runs`, () => container.runs || container.hasEnded || Date.now() > late);
    if (container.runs) return container;
    await container.stop();
    throw new Error(`LXC does not start container ${name}: ${container.complaint.trim()}`);
  }

  /** Ends it and removes what it left. */
  async stop(): Promise<void> {
    if (!this.hasEnded) {
      const ended = once(this.starter, 'exit');
      this.starter.kill('SIGKILL');
      await ended;
    }
    for (const kind of ['payload', 'monitor']) await removeScope(this.cgroups, `lxc.${kind}.${this.name}`);
    rmSync(join(this.directory, this.name), { recursive: true });
  }

  private get hasEnded(): boolean {
    return this.starter.exitCode !== null || this.starter.signalCode !== null;
  }

  private get runs(): boolean {
    const events = join(this.cgroups, `lxc.payload.${this.name}`, 'cgroup.events');
    return existsSync(events) && readFileSync(events, 'utf8').includes('populated 1');
  }
}
