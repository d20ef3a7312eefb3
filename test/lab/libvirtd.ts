import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { whenProcessEnds } from './lifetime.ts';
import { hasEnded, processState, until, untilSync } from './processes.ts';

const programs = ['libvirtd', 'virsh', 'qemu-system-x86_64', 'unshare', 'nsenter'];
const DISK_SIZE = 16 * 1024 * 1024;
const FLOPPY_SIZE = 1440 * 1024;

const daemonSettings = ['auth_unix_rw = "none"', 'auth_unix_ro = "none"'];

/** No log daemon, no security driver, no cgroups, and QEMU as root: none of them is to be had or needed here. */
const qemuSettings = `stdio_handler = "file"
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = [ ]
namespaces = [ ]
`;

/**
 * Puts directories of ours over those that are built into libvirtd, and hides KVM: where it seems usable libvirtd
 * probes it for 20 s at every start of a domain. A file that even root cannot open for writing is one on a read-only
 * mount.
 */
const mountScript = `set -e
mkdir -p /run/libvirt
mount --bind "$1/run" /run/libvirt
mount --bind "$1/lib" /var/lib/libvirt
mount --bind "$1/etc" /etc/libvirt
mount --bind "$1/log" /var/log/libvirt
if [ -e /dev/kvm ]; then
  mount --bind "$1/no-kvm" /dev/kvm
  mount -o remount,bind,ro /dev/kvm
fi
echo mounted
read -r _`;

/** A domain to start: emulated, two vCPUs, 32 MiB, one disk (vda). */
export interface LabDomain {
  readonly name: string;
  /** Whether it starts without running its vCPUs. */
  readonly paused?: boolean;
  /** The boot sector of what runs in it, from boot-sectors.ts; without it the BIOS finds nothing to boot. */
  readonly guest?: Buffer;
  /** XML of more devices. */
  readonly devices?: string;
  /** Arguments that libvirt passes on to QEMU behind its own. */
  readonly commandLine?: readonly string[];
}

/** What this machine lacks for a private libvirtd, in words for the user; empty when one can be started. */
export function missingForLibvirtd(): string[] {
  const missing = process.getuid?.() === 0 ? [] : ['root (mount namespace)'];
  for (const name of programs) if (!onPath(name)) missing.push(name);
  return missing;
}

/**
 * A libvirtd of its own with real QEMU processes, in a private mount namespace: it shares no directory, socket or
 * domain with a libvirtd of the system. All of it is gone after {@link close}, and when this process ends without it.
 */
export class LabLibvirtd {
  readonly root: string;
  /** Where its sockets are: libvirt-sock and libvirt-sock-ro. */
  readonly sockets: string;
  private readonly forgetMe: () => void;
  private namespace = -1;
  private daemon: ChildProcess | undefined;

  private constructor(private readonly listen: boolean) {
    this.root = mkdtempSync(join(tmpdir(), 'proxtop-libvirtd-'));
    chmodSync(this.root, 0o755);
    this.sockets = join(this.root, 'run');
    for (const name of ['run', 'lib', 'etc', 'log', 'images']) mkdirSync(join(this.root, name));
    writeFileSync(join(this.root, 'no-kvm'), '');
    writeFileSync(join(this.root, 'etc/qemu.conf'), qemuSettings);
    this.forgetMe = whenProcessEnds(() => {
      this.cleanUp();
    });
  }

  /**
   * Starts a libvirtd; resolves when it answers.
   * @param settings further lines of libvirtd.conf; later lines win
   * @param listen whether it listens on TCP and TLS, as the settings say
   */
  static async start(settings: readonly string[] = [], listen = false): Promise<LabLibvirtd> {
    const missing = missingForLibvirtd();
    if (missing.length > 0) throw new Error(`libvirtd needs ${missing.join(', ')}`);
    const lab = new LabLibvirtd(listen);
    await lab.enterNamespace();
    await lab.start(settings);
    return lab;
  }

  /** The URI of its read-write socket, for virsh. */
  get uri(): string {
    return `qemu+unix:///system?socket=${join(this.sockets, 'libvirt-sock')}`;
  }

  get pid(): number {
    if (this.daemon?.pid === undefined) throw new Error('libvirtd does not run');
    return this.daemon.pid;
  }

  /** Starts the daemon, again after {@link stop}; it finds the domains that still run. */
  async start(settings: readonly string[] = []): Promise<void> {
    // A killed daemon leaves its sockets behind.
    for (const name of ['libvirt-sock', 'libvirt-sock-ro']) rmSync(join(this.sockets, name), { force: true });
    const byName = new Map(
      [...daemonSettings, ...settings].map((line) => [line.split('=')[0]?.trim(), line]),
    );
    writeFileSync(join(this.root, 'etc/libvirtd.conf'), [...byName.values(), ''].join('\n'));
    // The pid file is locked: with the usual one only one libvirtd could run on a machine.
    const args = ['--pid-file', join(this.root, 'libvirtd.pid'), ...(this.listen ? ['--listen'] : [])];
    this.daemon = this.spawnInside('libvirtd', args);
    const { pid } = this;
    const socket = join(this.sockets, 'libvirt-sock-ro');
    await until('libvirtd listens', () => existsSync(socket) || hasEnded(pid));
    if (hasEnded(pid)) throw new Error('libvirtd ended at once');
    await this.virsh('uri');
  }

  /** Ends the daemon, not the domains. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const daemon = this.daemon;
    if (daemon === undefined) return;
    this.daemon = undefined;
    const ended = once(daemon, 'exit');
    daemon.kill(signal);
    await ended;
  }

  /** Stops the daemon in its tracks: it answers nothing. */
  async suspend(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    await until('libvirtd stops', () => processState(pid) === 'T');
  }

  /** Lets a suspended daemon go on. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Runs a command of virsh and gives what it prints. @throws with virsh's words where it fails */
  async virsh(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('virsh', ['-q', '-c', this.uri, ...args]);
    return stdout;
  }

  /** Starts a transient domain. */
  async startDomain(domain: LabDomain): Promise<void> {
    const file = join(this.root, `${domain.name}.xml`);
    writeFileSync(file, this.domainXml(domain));
    await this.virsh('create', file, ...(domain.paused ? ['--paused'] : []));
  }

  /** The process of a domain that runs. */
  qemuPid(name: string): number {
    return Number(readFileSync(join(this.sockets, 'qemu', `${name}.pid`), 'latin1'));
  }

  /** A new disk image, by its path. */
  image(name: string): string {
    const path = join(this.root, 'images', name);
    writeFileSync(path, '');
    truncateSync(path, DISK_SIZE);
    return path;
  }

  /** Starts a program that sees this libvirtd where that of the system normally is. */
  spawnInside(program: string, args: readonly string[]): ChildProcess {
    const namespace = `--mount=/proc/${process.pid}/fd/${this.namespace}`;
    return spawn('nsenter', [namespace, '--', program, ...args], { stdio: 'ignore' });
  }

  /** Ends the daemon, its domains and whatever was started inside, and removes all files. */
  close(): void {
    this.forgetMe();
    this.cleanUp();
  }

  /** Makes the mount namespace. It lives as long as our descriptor, however often the daemon is started in it. */
  private async enterNamespace(): Promise<void> {
    const holder = spawn('unshare', ['--mount', 'sh', '-c', mountScript, 'sh', this.root], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(holder, 'exit');
    const said = once(holder.stdout, 'data').then(() => true);
    if (!(await Promise.race([said, ended.then(() => false)])))
      throw new Error('no mount namespace for libvirtd');
    this.namespace = openSync(`/proc/${String(holder.pid)}/ns/mnt`, 'r');
    holder.stdin.end();
    await ended;
  }

  private domainXml({ name, guest, devices = '', commandLine = [] }: LabDomain): string {
    const passedOn = commandLine.map((argument) => `<qemu:arg value='${argument}'/>`).join('');
    // The BIOS does not show the guest a disk that it may not boot from.
    const boot = guest === undefined ? '' : "<boot dev='fd'/>";
    return `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${name}</name>
  <memory unit='MiB'>32</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type>${boot}<boot dev='hd'/></os>
  <features><acpi/></features>
  <on_crash>preserve</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='${this.image(`${name}.img`)}'/><target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='qemu-xhci'/>
    <memballoon model='virtio'/>
    <panic model='isa'/>
    ${guest === undefined ? '' : this.floppyXml(name, guest)}
    ${devices}
  </devices>
  <qemu:commandline>${passedOn}</qemu:commandline>
</domain>
`;
  }

  private floppyXml(name: string, sector: Buffer): string {
    const path = this.image(`${name}.boot`);
    writeFileSync(path, sector);
    truncateSync(path, FLOPPY_SIZE);
    return `<disk type='file' device='floppy'>
      <driver name='qemu' type='raw'/><source file='${path}'/><target dev='fda' bus='fdc'/>
    </disk>`;
  }

  /** Runs in an exit handler too, and so without awaiting anything. */
  private cleanUp(): void {
    if (this.namespace >= 0) {
      const own = readlinkSync(`/proc/self/fd/${this.namespace}`);
      untilSync(() => {
        const inside = processesInside(own);
        for (const pid of inside) killIfThere(pid);
        return inside.length === 0;
      });
      closeSync(this.namespace);
      this.namespace = -1;
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The processes of a mount namespace, by its name in /proc. */
function processesInside(namespace: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/mnt`) === namespace;
      } catch {
        return false; // It has ended.
      }
    });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

function onPath(name: string): boolean {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return directories.some((directory) => existsSync(join(directory, name)));
}
