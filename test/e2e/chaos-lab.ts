import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { whenProcessEnds } from '../lab/lifetime.ts';

const program = fileURLToPath(new URL('../../dist/proxtop', import.meta.url));
const receiver = fileURLToPath(new URL('receiver-program.mjs', import.meta.url));
const port = 5000;
/** Addresses for tests of networks (RFC 2544); others run such tests on this machine at the same time. */
const network = `198.19.${process.pid % 256}`;

/** One start of proxtop. */
export interface Run {
  readonly child: ChildProcess;
  /** Everything it logged. */
  log: string;
  /** When it was killed, ms since 1970. */
  killed?: number;
}

/**
 * A proxtop that streams over a network of its own to a receiver, with its spool on a small disk of its own, and
 * writes the same samples to a file on a good disk, by which one knows what was sampled.
 */
export class ChaosLab {
  readonly root: string;
  readonly disk: string;
  readonly runs: Run[] = [];
  /** When the disk was full, ms since 1970; the last one may not have ended. */
  readonly fullTimes: { readonly from: number; to: number }[] = [];
  private readonly arrivals: string;
  private readonly namespace = `pxc${process.pid}`;
  private readonly config: string;
  private receiver: ChildProcess | undefined;
  private receivers = 0;

  private constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'proxtop-chaos-'));
    this.disk = join(this.root, 'disk');
    this.arrivals = join(this.root, 'arrivals');
    this.config = join(this.root, 'proxtop.conf');
    for (const path of [this.disk, this.arrivals, join(this.root, 'run')]) mkdirSync(path);
    writeFileSync(
      this.config,
      [
        'frequency = 0.1',
        'collectors = cpu, mem',
        `rundir = ${join(this.root, 'run')}`,
        `state_dir = ${join(this.disk, 'state')}`,
        '[connector]',
        'type = proxmox',
        '[output.stream]',
        'type = tcp',
        `target = ${network}.2:${port}`,
        'timeout = 1',
        'queue_bytes = 64K',
        'spool = true',
        'spool_sync = 0.3',
        '[output.truth]',
        'type = file',
        `target = ${this.truth}`,
      ].join('\n'),
    );
  }

  /** Makes network and disk; undefined where that is not allowed. The lab goes with the test. */
  static create(t: TestContext): ChaosLab | undefined {
    const lab = new ChaosLab();
    const takeBack = whenProcessEnds(() => {
      lab.remove();
    });
    t.after(() => {
      takeBack();
      lab.remove();
    });
    try {
      lab.ip('netns', 'add', lab.namespace);
      lab.ip('link', 'add', lab.near, 'type', 'veth', 'peer', 'name', 'far', 'netns', lab.namespace);
      lab.ip('addr', 'add', `${network}.1/30`, 'dev', lab.near);
      lab.ip('link', 'set', lab.near, 'up');
      lab.ip('-n', lab.namespace, 'addr', 'add', `${network}.2/30`, 'dev', 'far');
      lab.network(true);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', lab.disk], { stdio: 'pipe' });
      return lab;
    } catch {
      return undefined;
    }
  }

  private get near(): string {
    return `px${this.namespace}`;
  }

  private get truth(): string {
    return join(this.root, 'truth');
  }

  /** Plugs or pulls the cable. */
  network(plugged: boolean): void {
    this.ip('-n', this.namespace, 'link', 'set', 'far', plugged ? 'up' : 'down');
  }

  /** Fills the disk of the spool, or makes room again. */
  diskFull(full: boolean): void {
    const ballast = join(this.disk, 'ballast');
    if (!full) {
      rmSync(ballast, { force: true });
      const last = this.fullTimes.at(-1);
      if (last !== undefined) last.to = Date.now();
      return;
    }
    this.fullTimes.push({ from: Date.now(), to: Infinity });
    try {
      for (let size = 4 << 20; size >= 1; size >>= 1)
        writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // That is the purpose.
    }
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(512), { flag: 'a' });
    } catch {
      // Now nothing more fits.
    }
  }

  get receiving(): boolean {
    return this.receiver?.exitCode === null && this.receiver.signalCode === null;
  }

  async startReceiver(): Promise<void> {
    const inside = ['netns', 'exec', this.namespace, process.execPath, receiver];
    const args = [...inside, this.arrivals, String(port), String(++this.receivers)];
    this.receiver = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(this.receiver.stdout!, 'data');
  }

  async killReceiver(): Promise<void> {
    const exited = once(this.receiver!, 'exit');
    this.receiver!.kill('SIGKILL');
    await exited;
  }

  start(): Run {
    const args = [program, '--config', this.config];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const run: Run = { child, log: '' };
    child.stderr.on('data', (data: Buffer) => (run.log += data.toString()));
    this.runs.push(run);
    return run;
  }

  async end(run: Run, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const closed = once(run.child, 'close');
    if (signal === 'SIGKILL') run.killed = Date.now();
    run.child.kill(signal);
    await closed;
  }

  /** The samples in the file, and in what came over the network: lines that are whole. */
  get sampled(): Sample[] {
    return samplesOf(readFileSync(this.truth, 'utf8'));
  }

  get arrived(): Sample[] {
    return readdirSync(this.arrivals).flatMap((file) =>
      samplesOf(readFileSync(join(this.arrivals, file), 'utf8')),
    );
  }

  private ip(...args: string[]): void {
    execFileSync('ip', args, { stdio: 'pipe' });
  }

  private remove(): void {
    for (const { child } of this.runs) child.kill('SIGKILL');
    this.receiver?.kill('SIGKILL');
    for (const undo of [
      ['ip', 'netns', 'del', this.namespace],
      ['ip', 'link', 'del', this.near],
      ['umount', '-l', this.disk],
    ]) {
      try {
        execFileSync(undo[0]!, undo.slice(1), { stdio: 'pipe' });
      } catch {
        // It was never made, or went with the other.
      }
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** What the test looks at in a sample. */
export interface Sample {
  readonly key: string;
  readonly run: string;
  readonly time: number;
  /** Records that the stream had given up when it was taken, and that waited. */
  readonly dropped: number;
  readonly waiting: number;
}

function samplesOf(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    // A kill leaves half a line, which the next start ends.
    if (!line.startsWith('{') || !line.endsWith('}')) return [];
    const { run, seq, agent, ...rest } = JSON.parse(line) as {
      '@timestamp': string;
      run: string;
      seq: number;
      agent: { outputs: { name: string; dropped: number; queued: number; spooled: number }[] };
    };
    const { dropped, queued, spooled } = agent.outputs.find(({ name }) => name === 'stream')!;
    const time = Date.parse(rest['@timestamp']);
    return [{ key: `${run} ${seq}`, run, time, dropped, waiting: queued + spooled }];
  });
}
