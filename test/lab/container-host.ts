import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRoot } from './container-root.ts';
import { until } from './processes.ts';

/** Runs in namespaces of its own, says when it is ready and ends with its input. */
const HOST = `mount -t sysfs none /sys && mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
echo ready
exec cat >/dev/null`;
const UNSHARE = '--cgroup --mount --pid --net --uts --fork --kill-child --mount-proc --propagation private';

/**
 * Containers of LXC in the layout of Proxmox VE, in a pid, network, mount and cgroup namespace of their own with nothing but
 * cgroup v2: neither other tests nor the machine's own proxtop see them, and they end with this process. Needs root and
 * lxc, busybox-static.
 */
export class ContainerHost {
  private readonly directory = mkdtempSync(join(tmpdir(), 'proxtop-containers-'));
  private readonly cgroup: string;
  private readonly holder: ChildProcess;
  private pid = 0;

  private constructor(cgroup: string) {
    this.cgroup = cgroup;
    mkdirSync(cgroup);
    this.holder = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        'sh',
        '-c',
        `echo $$ >"$0/cgroup.procs" && exec unshare ${UNSHARE} sh -ec "$1"`,
        cgroup,
        HOST,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
  }

  /** Starts one without containers. @param mount where cgroup v2 is mounted */
  static async create(mount: string): Promise<ContainerHost> {
    const host = new ContainerHost(join(mount, `proxtop-test-${process.pid}`));
    await once(host.holder.stdout as NodeJS.ReadableStream, 'data');
    const outer = host.holder.pid ?? 0;
    host.pid = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8'));
    return host;
  }

  /** A command line that runs in it. */
  inside(...command: readonly string[]): string[] {
    const enter = `echo $$ >"$0/cgroup.procs" && exec nsenter --target ${this.pid} --cgroup --mount --pid --net --uts "$@"`;
    return ['sh', '-c', enter, this.cgroup, ...command];
  }

  /** Runs a command in it and gives what it wrote. */
  run(...command: readonly string[]): string {
    const [program = '', ...args] = this.inside(...command);
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Starts a container, or starts it again. @param script what its first process, a shell, does */
  async start(vmid: number, script: string): Promise<void> {
    const home = join(this.directory, String(vmid));
    rmSync(home, { recursive: true, force: true });
    makeRoot(join(home, 'rootfs'), script);
    writeFileSync(join(home, 'config'), this.config(vmid, home));
    this.run('lxc-start', '-P', this.directory, '-n', String(vmid), '-d');
    await until(
      `container ${vmid} runs`,
      () => this.run('lxc-info', '-P', this.directory, '-n', String(vmid), '-sH').trim() === 'RUNNING',
    );
  }

  stop(vmid: number): void {
    this.run('lxc-stop', '-P', this.directory, '-n', String(vmid), '-k');
  }

  /** Where its cgroup is on the machine. */
  groupOf(vmid: number): string {
    return join(this.cgroup, 'lxc', String(vmid));
  }

  private config(vmid: number, home: string): string {
    return `lxc.uts.name = ct${vmid}
lxc.rootfs.path = dir:${home}/rootfs
lxc.init.cmd = /init
lxc.cgroup.relative = 0
lxc.cgroup.dir.monitor = lxc.monitor/${vmid}
lxc.cgroup.dir.container = lxc/${vmid}
lxc.cgroup.dir.container.inner = ns
lxc.net.0.type = veth
lxc.net.0.veth.pair = veth${vmid}i0
lxc.net.0.name = eth0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.9.0.2/24
lxc.mount.auto = proc:mixed sys:mixed
lxc.apparmor.profile = unconfined
`;
  }

  /** Ends all containers and removes what they left. */
  async close(): Promise<void> {
    this.holder.kill('SIGKILL');
    await once(this.holder, 'exit');
    const groups = ['lxc', 'lxc.monitor', 'lxc.pivot', '.'].map((name) => join(this.cgroup, name));
    await until('its cgroups are empty', () => groups.map(removed).every(Boolean));
    rmSync(this.directory, { recursive: true });
  }
}

/** Removes a cgroup with those below; whether it is gone. */
function removed(group: string): boolean {
  try {
    execFileSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'], { stdio: 'ignore' });
    return true;
  } catch {
    return !existsSync(group);
  }
}
