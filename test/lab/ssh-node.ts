import { spawn, execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { NodeAddress, NodeName } from '../../src/cluster/node-source.ts';
import { commandLine, hasEnded, processState, until } from './processes.ts';

const SSHD = '/usr/sbin/sshd';

/** In a network namespace of its own: waits for the interface, and becomes sshd. */
const script = `
ip link set lo up
read -r _
ip address add "$1/24" dev "$2"
ip link set "$2" up
exec ${SSHD} -D -e -f "$3"
`;

/** What this machine lacks for nodes that are reached over ssh. */
export function missingForSsh(): string[] {
  const missing = [];
  if (process.getuid?.() !== 0) missing.push('root (network namespaces are made)');
  if (!existsSync(SSHD)) missing.push('sshd (Debian package openssh-server)');
  if (!existsSync('/usr/bin/setpriv')) missing.push('setpriv (Debian package util-linux)');
  return missing;
}

/**
 * Nodes that are reached over ssh as those of a Proxmox cluster: real sshds, each in a network namespace with an address, a host
 * key and a PATH of its own. `ssh` is one with the key of this lab, in a directory that comes first in the PATH of this process;
 * it knows the nodes by their names, too. Keys of nodes are in `nodes/NODE/ssh_known_hosts`, as in /etc/pve. An sshd ends with
 * the process that started it, and with it its namespace.
 */
export class SshLab {
  readonly root = mkdtempSync(join(tmpdir(), 'ssh-lab-'));
  private readonly nodes: SshNode[] = [];
  private readonly net = randomInt(1, 200);
  private readonly path = process.env['PATH'];

  constructor() {
    // What sshd wants for the process that has no privileges; /run of a machine that boots has it.
    mkdirSync('/run/sshd', { recursive: true });
    makeKey(join(this.root, 'key'));
    writeFileSync(this.config, `IdentityFile ${this.root}/key\nIdentitiesOnly yes\n`);
    const bin = join(this.root, 'bin');
    mkdirSync(bin);
    writeScript(join(bin, 'ssh'), `exec /usr/bin/ssh -F ${this.config} "$@"`);
    process.env['PATH'] = [bin, this.path].join(delimiter);
  }

  /** Starts a node. @param program what `proxtop` does there, as the words of a shell; undefined for a node that has none */
  async node(name: string, program: string | undefined): Promise<SshNode> {
    const node = new SshNode(name as NodeName, this.root, `10.213.${this.net + this.nodes.length}`, program);
    this.nodes.push(node);
    appendFileSync(this.config, node.sshConfig);
    await node.start();
    return node;
  }

  async close(): Promise<void> {
    process.env['PATH'] = this.path;
    await Promise.all(this.nodes.map((node) => node.kill()));
    rmSync(this.root, { recursive: true });
  }

  private get config(): string {
    return join(this.root, 'config');
  }
}

/** One node of the lab. */
export class SshNode {
  readonly address: NodeAddress;
  private readonly directory: string;
  private readonly knownHosts: string;
  private readonly link = `pt${randomInt(1e6, 1e7)}`;
  private server: ChildProcess | undefined;
  private namespace = '';

  constructor(
    readonly name: NodeName,
    root: string,
    private readonly net: string,
    program: string | undefined,
  ) {
    this.directory = join(root, 'nodes', name);
    this.knownHosts = join(this.directory, 'ssh_known_hosts');
    this.address = { name, user: 'root', host: `${net}.2`, member: { knownHosts: this.knownHosts } };
    const bin = join(this.directory, 'bin');
    mkdirSync(bin, { recursive: true });
    if (program !== undefined) writeScript(join(bin, 'proxtop'), program);
    writeFileSync(
      join(this.directory, 'sshd_config'),
      [
        `ListenAddress ${net}.2`,
        `HostKey ${this.directory}/host_key`,
        `PidFile none`,
        `AuthorizedKeysFile ${root}/key.pub`,
        'StrictModes no',
        'UsePAM no',
        'PermitRootLogin prohibit-password',
        // A home of its own: what the shell of this machine's root reads at its start may take a minute, and leave things behind.
        `SetEnv PATH=${[bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)} HOME=${this.directory}`,
      ].join('\n'),
    );
    this.newHostKey();
    this.publishHostKey();
  }

  /** What a user of the node writes into ~/.ssh/config. */
  get sshConfig(): string {
    const { name, address, knownHosts } = this;
    return `Host ${name}\nHostName ${address.host}\nUser root\nHostKeyAlias ${name}\nUserKnownHostsFile ${knownHosts}\n`;
  }

  /** Starts sshd; resolves when it listens. */
  async start(): Promise<void> {
    const ours = `${this.link}o`;
    const arguments_ = [`${this.net}.2`, this.link, join(this.directory, 'sshd_config')];
    const server = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-c', script, 'sh', ...arguments_],
      { stdio: ['pipe', 'ignore', 'pipe'] },
    );
    this.server = server;
    const own = readlinkSync('/proc/self/ns/net');
    const namespace = () => readlinkSync(`/proc/${server.pid}/ns/net`);
    await until('a network namespace', () => namespace() !== own && commandLine(server.pid!)[0] === 'sh');
    this.namespace = namespace();
    const ip = (...words: string[]) => execFileSync('ip', words);
    ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', this.link);
    ip('link', 'set', this.link, 'netns', String(server.pid));
    ip('address', 'add', `${this.net}.1/24`, 'dev', ours);
    ip('link', 'set', ours, 'up');
    server.stdin.write('\n');
    const said: string[] = [];
    for await (const line of createInterface({ input: server.stderr })) {
      said.push(line);
      if (line.includes('Server listening')) break;
    }
    if (hasEnded(server.pid!)) throw new Error(`sshd of ${this.name} does not start: ${said.join('; ')}`);
    server.stderr.resume();
  }

  /** The processes of the node: its sshd, and what runs in its sessions. */
  processes(): number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => {
        try {
          return pid > 0 && !hasEnded(pid) && readlinkSync(`/proc/${pid}/ns/net`) === this.namespace;
        } catch {
          return false;
        }
      });
  }

  /** The processes of the node that a word of their command lines tells. */
  running(word: string): number[] {
    return this.processes().filter((pid) => commandLine(pid).some((each) => each.includes(word)));
  }

  /**
   * Makes its link slow: what the node sends waits in a queue of 1 MB, as before a modem.
   *
   * @param rate as tc(8) takes it, `64kbit`; undefined for a link as fast as before
   */
  limit(rate: string | undefined): void {
    const { pid } = this.server ?? {};
    const shape = rate === undefined ? ['del'] : ['replace'];
    const filter = rate === undefined ? [] : ['tbf', 'rate', rate, 'burst', '3000', 'limit', '1mb'];
    const words = ['qdisc', ...shape, 'dev', this.link, 'root', ...filter];
    execFileSync('nsenter', ['--net', '--target', String(pid), 'tc', ...words]);
  }

  /**
   * Cuts its link: packets vanish, and nobody is told. Its kernel gives connections up after 15 minutes, but for those of processes
   * that have ended, with which its namespace would stay.
   */
  cut(): void {
    const pid = String(this.server?.pid);
    execFileSync('nsenter', ['--net', '--target', pid, 'sysctl', '-q', 'net.ipv4.tcp_orphan_retries=1']);
    execFileSync('ip', ['link', 'set', `${this.link}o`, 'down']);
  }

  /** Stops every process: connections stay, and nothing answers. */
  async hang(): Promise<void> {
    const pids = this.signal('SIGSTOP');
    await until('the node hangs', () => pids.every((pid) => hasEnded(pid) || processState(pid) === 'T'));
  }

  /** Lets a node that hangs go on. */
  resume(): void {
    this.signal('SIGCONT');
  }

  /** Ends every process and the network of the node at once. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.signal('SIGKILL');
    if (server?.exitCode === null && server.signalCode === null) await once(server, 'exit');
    await until('the node is gone', () => this.processes().length === 0);
    await until('its link is gone', () => !existsSync(`/sys/class/net/${this.link}o`));
  }

  /** Sends a signal to every process; those that end meanwhile need none. @returns their pids */
  private signal(name: NodeJS.Signals): readonly number[] {
    const pids = this.processes();
    for (const pid of pids)
      try {
        process.kill(pid, name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    return pids;
  }

  /** Gives the node another host key, which it has after the next start. */
  newHostKey(): void {
    rmSync(join(this.directory, 'host_key'), { force: true });
    makeKey(join(this.directory, 'host_key'));
  }

  /** Tells the cluster which host key the node has. */
  publishHostKey(): void {
    const key = execFileSync('ssh-keygen', ['-y', '-f', join(this.directory, 'host_key')], {
      encoding: 'utf8',
    });
    writeFileSync(this.knownHosts, `${this.name} ${key}`);
  }
}

function makeKey(path: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
}

function writeScript(path: string, words: string): void {
  writeFileSync(path, `#!/bin/sh\n${words}\n`);
  chmodSync(path, 0o755);
}
