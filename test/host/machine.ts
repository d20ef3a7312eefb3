import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { qmp } from '../lab/qmp.ts';

/** Where the machine finds this host. */
export const hostAddress = '10.0.2.2';

const BUILD_IMAGE = fileURLToPath(new URL('build-image', import.meta.url));
const READY = 'test host: ready';
/** ms; an emulated processor beside other work takes its time. */
const BOOT_DEADLINE = 900_000;
const COMMAND_DEADLINE = 600_000;

/** What a command said. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A Debian 13 machine of its own: systemd, all controllers of cgroup v2, two NUMA nodes of one CPU each, and a second disk
 * /dev/vdb for LVM. It is emulated, so that no KVM is needed; whatever is written to it is gone with it.
 */
export class Machine {
  /** All that it said on its console. */
  console = '';
  private readonly directory: string;
  private readonly qemu: ChildProcessByStdio<null, Readable, Readable>;
  private boots = 0;
  private watchers = new Set<() => void>();
  private ssh: readonly string[] = [];

  private constructor(image: string) {
    this.directory = mkdtempSync(join(tmpdir(), 'proxtop-host-'));
    const overlay = join(this.directory, 'disk.qcow2');
    const data = join(this.directory, 'data.qcow2');
    const create = (...args: string[]): void => {
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...args]);
    };
    create('-b', join(image, 'disk.raw'), '-F', 'raw', overlay);
    create(data, '256M');
    // Beside other work the timer interrupts of an emulator come too late for the check of them, and Linux panics. It also does,
    // rarely, where one emulated CPU runs code that the other one is just patching (Oops: int3): then it boots again.
    const append = 'console=ttyS0 root=/dev/vda rw net.ifnames=0 no_timer_check panic=1 quiet';
    // It ends with this process, however that ends. QEMU 7.2 miscomputes cmpxchg16b, which liblvm2cmd uses.
    this.qemu = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'qemu-system-x86_64'],
        ...['-accel', 'tcg,thread=multi', '-cpu', 'qemu64,-cx16', '-smp', '2', '-m', '2048'],
        ...[0, 1].flatMap((node) => [
          ...['-object', `memory-backend-ram,id=node${node},size=1G`],
          ...['-numa', `node,nodeid=${node},cpus=${node},memdev=node${node}`],
        ]),
        ...['-nodefaults', '-display', 'none', '-serial', 'stdio'],
        ...['-kernel', join(image, 'vmlinuz'), '-initrd', join(image, 'initrd.img'), '-append', append],
        ...['-drive', `file=${overlay},if=virtio,cache=unsafe`],
        ...['-drive', `file=${data},if=virtio,cache=unsafe`],
        ...['-netdev', 'user,id=net,hostfwd=tcp:127.0.0.1:0-:22', '-device', 'virtio-net-pci,netdev=net'],
        ...['-qmp', `unix:${this.monitor},server=on,wait=off`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.qemu.stdout, this.qemu.stderr]) {
      stream.setEncoding('utf8').on('data', (said: string) => {
        this.console += said;
        for (const look of [...this.watchers]) look();
      });
    }
  }

  /** Boots one. Making its image takes two minutes, the first time. */
  static async boot(): Promise<Machine> {
    const image = execFileSync(BUILD_IMAGE, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
    const machine = new Machine(image);
    try {
      await machine.booted();
      const port = await machine.sshPort();
      machine.ssh = [
        ...['-i', join(image, 'key'), '-p', port, '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR'],
        ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
        // One connection for all commands: an emulated processor takes seconds for its cryptography.
        ...['-o', 'ControlMaster=auto', '-o', 'ControlPersist=yes'],
        ...['-o', `ControlPath=${join(machine.directory, 'ssh')}`],
        'root@127.0.0.1',
      ];
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  /** Runs a shell script as root. @param input what it reads */
  async attempt(script: string, input?: Buffer): Promise<Result> {
    const ssh = spawn('ssh', [...this.ssh, script], { stdio: 'pipe', timeout: COMMAND_DEADLINE });
    ssh.stdin.on('error', () => undefined);
    ssh.stdin.end(input);
    // The connection that goes on in the background keeps this stream open: it has no end to wait for.
    let stderr = '';
    ssh.stderr.setEncoding('utf8').on('data', (said: string) => (stderr += said));
    const [stdout, [code]] = await Promise.all([
      text(ssh.stdout),
      once(ssh, 'exit') as Promise<[number | null]>,
    ]);
    return { code: code ?? -1, stdout, stderr };
  }

  /** Runs a shell script as root and gives what it wrote. @throws Error when it fails */
  async run(script: string, input?: Buffer): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(`set -e\n${script}`, input);
    if (code !== 0) throw new Error(`exit code ${code} of: ${script}\n${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** Copies a file into the machine. */
  async copy(from: string, to: string): Promise<void> {
    await this.write(to, readFileSync(from));
  }

  async write(path: string, content: Buffer | string): Promise<void> {
    await this.run(`cat > ${path}`, Buffer.from(content));
  }

  /** Shuts it down in order and boots it again. */
  async reboot(): Promise<void> {
    // The connection may break before the answer.
    await this.attempt('systemctl reboot');
    await this.booted();
    await once(spawn('ssh', ['-O', 'exit', ...this.ssh], { stdio: 'ignore' }), 'exit');
  }

  async close(): Promise<void> {
    if (this.ssh.length > 0)
      await once(spawn('ssh', ['-O', 'exit', ...this.ssh], { stdio: 'ignore' }), 'exit');
    const ended = once(this.qemu, 'close');
    if (this.qemu.exitCode === null && this.qemu.kill('SIGKILL')) await ended;
    rmSync(this.directory, { recursive: true });
  }

  private get monitor(): string {
    return join(this.directory, 'qmp');
  }

  /** Resolves when it has booted once more. */
  private booted(): Promise<void> {
    const number = ++this.boots;
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        clearTimeout(late);
        this.watchers.delete(look);
        this.qemu.off('close', gone);
        if (error === undefined) resolve();
        else reject(error);
      };
      const gone = (): void => {
        end(new Error(`the machine ended:\n${this.console}`));
      };
      const late = setTimeout(() => {
        end(new Error(`the machine did not boot in ${BOOT_DEADLINE} ms:\n${this.console}`));
      }, BOOT_DEADLINE);
      const look = (): void => {
        if (this.console.split(READY).length > number) end();
      };
      this.watchers.add(look);
      this.qemu.on('close', gone);
      look();
    });
  }

  /** The port of this host that leads to its ssh. */
  private async sshPort(): Promise<string> {
    const table = await qmp(this.monitor, 'human-monitor-command', { 'command-line': 'info usernet' });
    const port = /TCP\[HOST_FORWARD\]\s+\S+\s+\S+\s+(\d+)/.exec(String(table))?.[1];
    if (port === undefined) throw new Error(`no forwarded port in ${String(table)}`);
    return port;
  }
}
