import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { whenProcessEnds } from '../lab/lifetime.ts';
import { PROXTOP, Stream, type End, type Row } from './program.ts';

/** What identifies a JSON record at both ends: its run and its number in it, which stand at its beginning. */
export function keyOf(line: string): string {
  const [, run, seq] = /^{[^{]*"run":"([^"]+)","seq":(\d+),/.exec(line.slice(0, 200)) ?? [];
  assert.ok(run !== undefined && seq !== undefined, `no record of ours: ${line.slice(0, 200)}`);
  return `${run} ${seq}`;
}

/** Records by reason that a program says it gave up, and what else its last word tells. */
export type Told = Readonly<Record<string, number>>;

/**
 * A host of its own for proxtop: files instead of a kernel, so that the size of a sample can be chosen, a state
 * directory, and a configuration whose first output, `truth`, is the standard output. What is sampled is known from
 * there, what arrived from a receiver of the test, what was given up from the log: proxtop is believed nothing else.
 */
export class Rig {
  readonly root: string;
  readonly state: string;
  readonly config: string;
  readonly runs: Stream[] = [];
  /** Keys of recorded samples that were replayed. */
  private readonly replayed: string[] = [];
  /** Keys of what each run printed. */
  private readonly keys = new Map<Stream, string[]>();
  private readonly general: readonly string[];
  private disk: SmallDisk | undefined;

  /** @param devices disks that the host has: a sample takes about 140 bytes for each, and 1.3 kB */
  constructor(t: Pick<TestContext, 'after'>, devices = 0) {
    this.root = mkdtempSync(join(tmpdir(), 'proxtop-delivery-'));
    this.state = join(this.root, 'state');
    this.config = join(this.root, 'proxtop.conf');
    t.after(() => {
      for (const { child } of this.runs) child.kill('SIGKILL');
      this.disk?.remove();
      rmSync(this.root, { recursive: true, force: true });
    });
    mkdirSync(this.state);
    mkdirSync(join(this.root, 'run'));
    mkdirSync(join(this.root, 'sys/class/block'), { recursive: true });
    mkdirSync(join(this.root, 'proc'));
    symlinkSync('/proc/stat', join(this.root, 'proc/stat'));
    const names = Array.from({ length: devices }, (_, index) => `sd${index}`);
    for (const name of names)
      mkdirSync(join(this.root, 'sys/class/block', name, 'device'), { recursive: true });
    const zeros = ' 0'.repeat(17);
    writeFileSync(
      join(this.root, 'proc/diskstats'),
      names.map((name, index) => `   8 ${index} ${name}${zeros}\n`).join(''),
    );
    this.general = [
      'frequency = 0.1',
      'collectors = cpu, disk',
      'devices = true',
      `procfs = ${join(this.root, 'proc')}`,
      `sysfs = ${join(this.root, 'sys')}`,
    ];
  }

  /** Puts the state directory on a small disk of its own. Needs root. */
  smallDisk(size: string): SmallDisk {
    return (this.disk = new SmallDisk(this.state, size));
  }

  /** Writes the configuration: `truth` and these outputs, each with its keys and values. */
  configure(outputs: Readonly<Record<string, Readonly<Record<string, string | number>>>>): void {
    const sections = Object.entries({ truth: { type: 'stdout', printer: 'json' }, ...outputs });
    const lines = [
      ...this.general,
      `rundir = ${join(this.root, 'run')}`,
      `state_dir = ${this.state}`,
      '[connector]',
      'type = qemu',
      ...sections.flatMap(([name, keys]) => [
        `[output.${name}]`,
        ...Object.entries(keys).map(([key, value]) => `${key} = ${value}`),
      ]),
    ];
    writeFileSync(this.config, `${lines.join('\n')}\n`);
  }

  /** Starts proxtop. @param through a program that starts it, with its arguments */
  start(env: Readonly<Record<string, string>> = {}, through: readonly string[] = []): Stream {
    const command = [...through, PROXTOP, '--config', this.config];
    const child = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const run = new Stream(child);
    this.runs.push(run);
    return run;
  }

  /**
   * Makes a backlog: proxtop replays so many samples into its outputs and ends.
   * @param bytes of each sample, about
   */
  backlog(samples: number, bytes: number): Promise<End> {
    const name = `replayed${this.runs.length}`;
    const file = join(this.root, name);
    const filler = 'x'.repeat(100);
    const lines = Array.from({ length: samples }, (_, index) => {
      const time = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
      const domains = Array.from({ length: Math.ceil(bytes / 145) }, (__, vm) => ({
        pid: String(1000 + vm),
        uuid: `00000000-0000-4000-8000-${String(vm).padStart(12, '0')}`,
        name: filler,
      }));
      return `${JSON.stringify({ '@timestamp': time, schema: 1, run: name, seq: index + 1, interval: 1, host: {}, domains, agent: {} })}\n`;
    });
    writeFileSync(file, lines.join(''));
    this.replayed.push(...lines.map(keyOf));
    const child = spawn(PROXTOP, ['--config', this.config, '--replay', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const run = new Stream(child);
    this.runs.push(run);
    return run.end();
  }

  /** Takes over what another one has sampled, and its state directory. */
  inherit(other: Rig): void {
    cpSync(other.state, this.state, { recursive: true, force: true });
    this.replayed.push(...other.sampled);
  }

  /** Has a running proxtop read its configuration, and waits until it says that it does. */
  async reload(run: Stream): Promise<void> {
    const before = reloads(run);
    run.child.kill('SIGHUP');
    await run.until('the reload', () => reloads(run) > before);
  }

  /** Keys of all that was sampled or replayed so far. */
  get sampled(): string[] {
    return [...this.replayed, ...this.runs.flatMap((run) => this.keysOf(run))];
  }

  private keysOf(run: Stream): readonly string[] {
    const keys = this.keys.get(run) ?? [];
    this.keys.set(run, keys);
    for (const line of run.lines.slice(keys.length)) keys.push(keyOf(line));
    return keys;
  }

  /** Keys of what was sampled while there was an output of this name. */
  sampledBy(output: string): string[] {
    return this.runs.flatMap(({ lines }) =>
      lines.filter((line) => line.includes(`{"name":"${output}","state"`)).map(keyOf),
    );
  }

  /** What the last words of all runs that ended say of an output. */
  told(output = 'stream'): Told {
    const sum: Record<string, number> = {};
    for (const { stderr } of this.runs)
      for (const [reason, count] of Object.entries(lastWordOf(stderr, output)))
        sum[reason] = (sum[reason] ?? 0) + count;
    return sum;
  }

  /**
   * The oracle, once all runs have ended and nothing waits: what was sampled and did not arrive was given up and
   * counted. Of those that were given up as unconfirmed nobody can say whether they arrived: some may have.
   */
  assertAccounted(arrived: readonly string[], output = 'stream'): Told {
    const got = new Set(arrived);
    const { sampled } = this;
    assert.equal(new Set(sampled).size, sampled.length, 'no record is sampled twice');
    const missing = sampled.filter((key) => !got.has(key));
    const told = this.told(output);
    const dropped = Object.values(told).reduce((sum, count) => sum + count, 0);
    const { unconfirmed = 0 } = told;
    assert.ok(
      missing.length <= dropped && missing.length >= dropped - unconfirmed,
      `${sampled.length} sampled, ${sampled.length - missing.length} arrived, ${missing.length} missing; ` +
        `told ${JSON.stringify(told)}; missing ${missing.slice(0, 40).join(', ')}\n` +
        this.runs.map(({ stderr }) => stderr.slice(-3000)).join('\n---\n'),
    );
    return told;
  }
}

function reloads({ stderr }: Stream): number {
  return stderr.split(/the new configuration is in effect|the old configuration stays in effect/).length;
}

/** The reasons and numbers that a log names last for an output; its counts go on when it is replaced. */
export function lastWordOf(log: string, output: string): Told {
  const words = [...log.matchAll(/ (\S+): \d+ records? (?:was|were) dropped since the start: (.*)/g)];
  const counts = words.findLast(([, name]) => name === output)?.[2] ?? '';
  return Object.fromEntries<number>(
    [...counts.matchAll(/(\d+) (\w+)/g)].map(([, count, reason]) => [reason!, Number(count)]),
  );
}

/** The row of an output in a sample's own account. */
export function outputRow(cycle: { readonly agent: Row }, name = 'stream'): Row {
  const rows = cycle.agent['outputs'] as readonly Row[];
  const row = rows.find((each) => each['name'] === name);
  assert.ok(row, `no output ${name}`);
  return row;
}

/** How many records of an output wait in a sample's own account, in memory or on disk, or are not known to have arrived. */
export function pending(cycle: { readonly agent: Row }, name = 'stream'): number {
  const { queued, spooled, unconfirmed = 0 } = outputRow(cycle, name);
  return Number(queued) + Number(spooled) + Number(unconfirmed);
}

/** Runs proxtop until nothing waits any more of what earlier runs left, and ends it in order. */
export async function delivered(rig: Rig): Promise<Stream> {
  const run = rig.start();
  await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
  await run.stop();
  return run;
}

/** A file system of a few megabytes in memory, that can be filled up or made read-only. */
export class SmallDisk {
  private readonly takeBack: () => void;

  constructor(
    private readonly path: string,
    size: string,
  ) {
    this.run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path);
    this.takeBack = whenProcessEnds(() => {
      this.remove();
    });
  }

  remove(): void {
    this.takeBack();
    this.run('umount', '-l', this.path);
  }

  /** Writes until nothing more fits. */
  fill(): void {
    const fill = (size: number): void => {
      try {
        for (;;) writeFileSync(join(this.path, 'ballast'), Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      }
    };
    fill(1 << 20);
    fill(512);
  }

  free(): void {
    rmSync(join(this.path, 'ballast'), { force: true });
  }

  readOnly(yes: boolean): void {
    this.run('mount', '-o', `remount,${yes ? 'ro' : 'rw'}`, this.path);
  }

  private run(command: string, ...args: string[]): void {
    execFileSync(command, args, { stdio: 'pipe' });
  }
}

/** A way to the network of this process that can be made to swallow what is sent. */
export interface ShapedNetwork {
  /** The address of this end. */
  readonly address: string;
  /** What runs a command at the other end. */
  readonly inside: readonly string[];
  /** Throws away packets from there: all, or a share of them; 0: none any more. */
  swallow(share: number): void;
  /** Plugs or pulls the cable. */
  plug(plugged: boolean): void;
  /** Sets a kernel parameter there. */
  setting(name: string, value: string): void;
}

let networks = 0;
/** Tells the networks of this process from those of others, which may have the same pid elsewhere. */
const token = randomInt(256);

/** A network namespace that is connected with that of this process. Needs root. */
export function shapedNetwork(t: TestContext): ShapedNetwork {
  const name = `pxd${token}n${++networks}`;
  // Addresses for tests of networks (RFC 2544); others run such tests on this machine at the same time.
  const prefix = `198.18.${token}`;
  const [near, far] = [`${prefix}.${4 * networks + 1}`, `${prefix}.${4 * networks + 2}`];
  const run = (...command: readonly string[]): void => {
    execFileSync(command[0]!, command.slice(1), { stdio: 'pipe' });
  };
  run('ip', 'netns', 'add', name);
  const remove = (): void => {
    run('ip', 'netns', 'del', name);
  };
  const takeBack = whenProcessEnds(remove);
  t.after(() => {
    takeBack();
    remove();
  });
  run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'up', 'netns', name);
  run('ip', 'addr', 'add', `${near}/30`, 'dev', name);
  run('ip', 'link', 'set', name, 'up');
  run('ip', '-n', name, 'addr', 'add', `${far}/30`, 'dev', 'up');
  run('ip', '-n', name, 'link', 'set', 'dev', 'up', 'up');
  // Not `ip netns exec`, which makes a mount namespace: what is mounted or unmounted later would not be seen in there.
  const inside = ['nsenter', `--net=/run/netns/${name}`];
  return {
    address: near,
    inside,
    swallow: (share) => {
      run(...inside, 'iptables', '-F', 'OUTPUT');
      const some = share < 1 ? ['-m', 'statistic', '--mode', 'random', '--probability', String(share)] : [];
      if (share > 0) run(...inside, 'iptables', '-A', 'OUTPUT', ...some, '-j', 'DROP');
    },
    plug: (plugged) => {
      run('ip', '-n', name, 'link', 'set', 'dev', 'up', plugged ? 'up' : 'down');
    },
    setting: (parameter, value) => {
      run(...inside, 'sysctl', '-qw', `${parameter}=${value}`);
    },
  };
}
