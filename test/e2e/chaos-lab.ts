import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '../delivery/helpers.ts';
import { ChaosDisk } from './chaos-disk.ts';
import { Truth } from './chaos-truth.ts';
import { HttpPeer, LinePeer } from './delivery-peers.ts';
import { lastWordOf, shapedNetwork, type ShapedNetwork, type Told } from './delivery-rig.ts';
import { PROXTOP } from './program.ts';

/** Whether a process has a handler for SIGHUP, which would end it otherwise. */
function catchesHangup(pid: number | undefined): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const caught = /^SigCgt:\s+[0-9a-f]*([0-9a-f])$/m.exec(status)?.[1] ?? '0';
  return (Number.parseInt(caught, 16) & 1) === 1;
}

/** What an output is set to; it changes with a reload. */
type Keys = Readonly<Record<string, string | number>>;

/** The outputs that things happen to. */
export const streams = ['lines', 'web', 'plain'] as const;
export type StreamName = (typeof streams)[number];

/** One start of proxtop. */
export interface Run {
  readonly child: ChildProcess;
  /** Everything it logged. */
  log: string;
  /** When it was killed, ms of the monotonic clock. */
  killed?: number;
  /** How it ended; undefined while it runs. */
  end?: { readonly code: number | null; readonly signal: NodeJS.Signals | null };
}

const library = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((directory) => join(directory, 'faketime/libfaketime.so.1'))
  .find((path) => existsSync(path));

/**
 * A proxtop that streams over a network of its own to receivers of the test, over tcp with and without a spool and over
 * http, with its spools on a disk of its own and a clock that can be set; and that writes the same samples to a file on
 * a good disk, by which one knows what was sampled.
 */
export class ChaosLab {
  readonly runs: Run[] = [];
  readonly truth: Truth;
  readonly disk: ChaosDisk;
  readonly network: ShapedNetwork;
  /** When the disk could not be written to, ms of the monotonic clock; the last one may not have ended. */
  readonly diskTroubles: { readonly from: number; to: number }[] = [];
  private readonly root: string;
  private readonly clock: string;
  private readonly config: string;

  /**
   * @param devices disks of the host, each of which makes a sample 140 bytes longer
   * @param order of the output over http
   */
  private constructor(
    t: TestContext,
    devices: number,
    readonly peers: { lines: LinePeer; web: HttpPeer; plain: LinePeer; other: LinePeer },
    network: ShapedNetwork,
    private readonly order: 'interleaved' | 'strict',
  ) {
    this.network = network;
    this.root = mkdtempSync(join(tmpdir(), 'proxtop-chaos-'));
    this.config = join(this.root, 'proxtop.conf');
    this.clock = join(this.root, 'clock');
    for (const path of ['disk', 'run', 'proc']) mkdirSync(join(this.root, path));
    this.disk = new ChaosDisk(join(this.root, 'disk'), 40);
    t.after(() => {
      for (const { child } of this.runs) child.kill('SIGKILL');
      this.disk.remove();
      rmSync(this.root, { recursive: true, force: true });
    });
    const truth = join(this.root, 'truth');
    writeFileSync(truth, '');
    this.truth = new Truth(truth);
    this.step(0);
    symlinkSync('/proc/stat', join(this.root, 'proc/stat'));
    const names = Array.from({ length: devices }, (_, index) => `sd${index}`);
    for (const name of names)
      mkdirSync(join(this.root, 'sys/class/block', name, 'device'), { recursive: true });
    writeFileSync(
      join(this.root, 'proc/diskstats'),
      names.map((name, index) => `   8 ${index} ${name}${' 0'.repeat(17)}\n`).join(''),
    );
    this.configure({});
  }

  static async create(t: TestContext, devices: number, order: 'interleaved' | 'strict'): Promise<ChaosLab> {
    const network = shapedNetwork(t);
    const { address } = network;
    const peers = {
      lines: await LinePeer.create(t, address),
      web: await HttpPeer.create(t, address),
      plain: await LinePeer.create(t, address),
      other: await LinePeer.create(t, address),
    };
    return new ChaosLab(t, devices, peers, network, order);
  }

  /** Writes the configuration; `undefined`: without this output. */
  configure(changed: Readonly<Partial<Record<StreamName, Keys | undefined>>>): void {
    const { lines, web, plain } = this.peers;
    const spool = { spool: 'true', spool_sync: 0.3, spool_max: '16M', timeout: 1, queue_bytes: '1M' };
    const outputs: Readonly<Record<StreamName, Keys>> = {
      lines: { type: 'tcp', target: lines.target, ...spool },
      web: { type: 'http', target: web.target, order: this.order, ...spool },
      plain: { type: 'tcp', target: plain.target, timeout: 1, queue_bytes: '256K' },
    };
    const sections = streams
      .filter((name) => !(name in changed) || changed[name] !== undefined)
      .map((name) => [name, { ...outputs[name], ...changed[name] }] as const);
    const text = [
      'frequency = 0.1',
      'collectors = cpu, disk',
      'devices = true',
      `procfs = ${join(this.root, 'proc')}`,
      `sysfs = ${join(this.root, 'sys')}`,
      `rundir = ${join(this.root, 'run')}`,
      `state_dir = ${join(this.root, 'disk/state')}`,
      '[connector]',
      'type = qemu',
      '[output.truth]',
      'type = file',
      `target = ${join(this.root, 'truth')}`,
      'devices = false',
      ...sections.flatMap(([name, keys]) => [
        `[output.${name}]`,
        ...Object.entries(keys).map(([key, value]) => `${key} = ${value}`),
      ]),
    ];
    writeFileSync(this.config, `${text.join('\n')}\n`);
  }

  /** Sets the wall clock of proxtop that many seconds ahead of the true time. */
  step(seconds: number): void {
    writeFileSync(this.clock, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  /** Starts proxtop, and waits until it listens to signals. */
  async start(): Promise<Run> {
    const [through, ...args] = [...this.network.inside, PROXTOP, '--config', this.config];
    const fake = library !== undefined && {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
    const child = spawn(through, args, {
      env: { ...process.env, ...fake },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const run: Run = { child, log: '' };
    child.stderr.on('data', (data: Buffer) => (run.log += data.toString()));
    child.once('close', (code, signal) => (run.end = { code, signal }));
    this.runs.push(run);
    await until(() => run.end !== undefined || catchesHangup(child.pid), 'it listens to signals', 60_000);
    return run;
  }

  async end(run: Run, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (run.end !== undefined) return;
    const closed = once(run.child, 'close');
    if (signal === 'SIGKILL') {
      this.truth.read();
      run.killed = performance.now();
    }
    run.child.kill(signal);
    await closed;
  }

  /** What arrived of an output, wherever it was sent, and how many records came again. */
  arrived(stream: StreamName): { readonly arrived: ReadonlySet<string>; readonly again: number } {
    const { records } = this.peers[stream];
    const all = stream === 'lines' ? [...records, ...this.peers.other.records] : records;
    const arrived = new Set(all);
    return { arrived, again: all.length - arrived.size };
  }

  /** What all runs say they gave up of an output: as the log says at the end, else as the last sample of the run says. */
  told(stream: StreamName): Told {
    const sum: Record<string, number> = {};
    for (const told of [...this.runs.map(({ log }) => lastWordOf(log, stream)), ...this.toldByKilled(stream)])
      for (const [reason, count] of Object.entries(told)) sum[reason] = (sum[reason] ?? 0) + count;
    return sum;
  }

  /** Runs that were killed have no last word: what their last samples say counts. */
  private toldByKilled(stream: StreamName): Told[] {
    const killed = this.runs.flatMap(({ killed: at }) => (at === undefined ? [] : [at]));
    return killed.map((at) => {
      const last = this.truth.samples[this.truth.indexAt(at) - 1];
      const row = last === undefined ? undefined : this.truth.last.get(last.run)?.get(stream);
      const reasons = Object.entries(row ?? {}).filter(([id]) => id.startsWith('dropped_'));
      return Object.fromEntries(reasons.map(([id, count]) => [id.slice(8), Number(count)]));
    });
  }
}
