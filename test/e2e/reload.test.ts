import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { until } from '../lab/processes.ts';
import { directory } from '../delivery/helpers.ts';
import { PROXTOP, Program } from './program.ts';

/** What a configuration file says. */
interface Wanted {
  /** Keys at the top. */
  readonly top?: string;
  readonly connector?: string;
  readonly sections?: string;
}

/** A program with a configuration file of its own and nothing else of this host but its kernel. */
class Reloadable {
  readonly program: Program;
  private readonly config: string;

  constructor(
    readonly root: string,
    first: Wanted,
  ) {
    this.config = join(root, 'proxtop.conf');
    this.write(first);
    const args = ['--config', this.config];
    this.program = new Program(spawn(PROXTOP, args, { stdio: ['ignore', 'ignore', 'pipe'] }));
  }

  write({ top = 'frequency = 0.2', connector = 'qemu', sections = '' }: Wanted): void {
    const { root } = this;
    const collectors = top.includes('collectors') ? '' : 'collectors = cpu, host\n';
    const places = `rundir = ${root}/run\npvedir = ${root}/pve\nstate_dir = ${root}/state\nlog_level = debug\n`;
    writeFileSync(this.config, `${places}${collectors}${top}\n[connector]\ntype = ${connector}\n${sections}`);
  }

  hangUp(): void {
    this.program.child.kill('SIGHUP');
  }

  /** How many reloads have come to an end. */
  get reloads(): number {
    return (
      this.program.stderr.match(
        /new configuration is in effect|configuration has not changed|old configuration stays in effect/g,
      )?.length ?? 0
    );
  }

  /** Reloads with other settings; resolves when that is over. */
  async reload(wanted: Wanted): Promise<void> {
    const before = this.reloads;
    this.write(wanted);
    this.hangUp();
    await this.program.until('the reload', () => this.reloads > before);
  }

  /** What it has open, but for the files of other processes: VMs of other tests come and go. */
  files(): string[] {
    const path = `/proc/${this.program.pid}/fd`;
    const isOfAnother = (link: string): boolean =>
      link.endsWith('.qmp') ||
      (/^\/proc\/\d+\//.test(link) && !link.startsWith(`/proc/${this.program.pid}/`));
    return readdirSync(path)
      .flatMap((fd) => {
        try {
          const link = readlinkSync(join(path, fd));
          return isOfAnother(link) ? [] : [link.replace(/\d+/g, 'N')];
        } catch {
          return [];
        }
      })
      .toSorted();
  }
}

function rig(t: TestContext): string {
  const root = directory(t);
  mkdirSync(join(root, 'run/libvirt'), { recursive: true });
  mkdirSync(join(root, 'state'));
  return root;
}

test('reloads of every kind leave no descriptor behind', { timeout: 300_000 }, async (t) => {
  const root = rig(t);
  const peer = createServer((socket) => {
    socket.resume().on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(peer, 'listening');
  t.after(() => peer.close());
  const address = peer.address();
  assert.ok(typeof address === 'object' && address !== null);
  const to = (name: string): string => `[output.a]\ntype = file\ntarget = ${join(root, name)}\n`;
  const tcp = `[output.b]\ntype = tcp\ntarget = 127.0.0.1:${address.port}\n`;
  const sections = to('a.json');
  const kinds: Readonly<Record<string, Wanted>> = {
    'another frequency': { top: 'frequency = 0.1', sections },
    'other collectors': {
      top: 'frequency = 0.2\ncollectors = cpu, mem, disk, net, io, pressure, host',
      sections,
    },
    'verbose metrics and devices': { top: 'frequency = 0.2\nverbose = true\ndevices = true', sections },
    'another file': { sections: to('b.json') },
    'an output over TCP': { sections: sections + tcp },
    'one with a spool': { sections: `${sections}${tcp}spool = true\n` },
    'an output that nobody takes': {
      sections: `${sections}${tcp.replace(String(address.port), '9')}spool = true\n`,
    },
    'a page for Prometheus': { sections: `${sections}[output.p]\ntype = prometheus\ntarget = 127.0.0.1:0\n` },
    'a hypervisor that is not there': { sections, connector: 'libvirt' },
    'a look for any': { sections, connector: 'auto' },
    'a wrong file': { top: 'frequency = often', sections },
    'a directory that is not there': { sections: to('nowhere/a.json') },
    thresholds: { sections: `${sections}[thresholds]\ncpu_steal = 1/2\n` },
    'no output': {},
    'the same': { sections },
  };
  const service = new Reloadable(root, { sections });
  const size = (name: string): number => statSync(join(root, name), { throwIfNoEntry: false })?.size ?? 0;
  /** Waits for a sample that is taken from now on. */
  const grown = async (name: string): Promise<void> => {
    const before = size(name);
    await until(`a sample in ${name}`, () => size(name) > before);
  };
  await grown('a.json');
  const before = service.files();
  let count = 0;
  for (let round = 0; round < 2; round++) {
    for (const [kind, wanted] of Object.entries(kinds)) {
      await service.reload(wanted);
      if (wanted.sections !== undefined) await grown(kind.includes('another file') ? 'b.json' : 'a.json');
      await service.reload({ sections });
      await grown('a.json');
      count += 2;
      // An output that leaves has two seconds for what it still has.
      await until(`as many as before ${kind}`, () => service.files().length <= before.length);
    }
  }
  assert.ok(count >= 20);
  // Those of the VM are there again with its next answer.
  await until(`what was open before: ${before.join()}`, () => service.files().join() === before.join());
  const { code, stderr } = await service.program.stop();
  assert.equal(code, 0, stderr);
});

function existsNonEmpty(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}

test('A, B and A again while a silent libvirt is looked for: A runs', { timeout: 300_000 }, async (t) => {
  const root = rig(t);
  // Stands for a libvirtd that is stopped: it accepts and says nothing, which takes a look two seconds.
  const connections: unknown[] = [];
  const silent = createServer((socket) => connections.push(socket)).listen(
    join(root, 'run/libvirt/libvirt-sock-ro'),
  );
  await once(silent, 'listening');
  t.after(() => silent.close());
  const settings = (frequency: number, name: string): Wanted => ({
    top: `frequency = ${frequency}`,
    connector: 'auto',
    sections: `[output.a]\ntype = file\ntarget = ${join(root, name)}\n`,
  });
  const service = new Reloadable(root, settings(0.2, 'a.json'));
  await until('A runs', () => existsNonEmpty(join(root, 'a.json')));
  const looks = connections.length;
  service.write(settings(0.3, 'b.json'));
  service.hangUp();
  await until('it looks', () => connections.length > looks);
  service.write(settings(0.2, 'a.json'));
  service.hangUp();
  await service.program.until('the reload', () => service.reloads > 0);
  const written = readFileSync(join(root, 'a.json')).length;
  await until('A goes on', () => readFileSync(join(root, 'a.json')).length > written);
  assert.ok(!existsNonEmpty(join(root, 'b.json')), 'B never ran');
  assert.doesNotMatch(service.program.stderr, /the new configuration is in effect/);
  await service.program.stop();
});

test('runs are counted from the start', { timeout: 300_000 }, async (t) => {
  const root = rig(t);
  const file = join(root, 'a.json');
  const settings = (threshold: number): Wanted => ({
    top: 'runs = 6\nfrequency = 0.3',
    sections: `[output.a]\ntype = file\ntarget = ${file}\n[thresholds]\ncpu_steal = ${threshold}/9\n`,
  });
  const service = new Reloadable(root, settings(1));
  const lines = (): number => (existsNonEmpty(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);
  for (const count of [2, 4]) {
    await until(`${count} samples`, () => lines() >= count);
    service.write(settings(count));
    service.hangUp();
  }
  const { code } = await service.program.end();
  assert.deepEqual([code, lines()], [0, 6]);
});

test('what needs a start is refused, and samples go on as before', { timeout: 300_000 }, async (t) => {
  const root = directory(t);
  const file = join(root, 'samples.json');
  const earlier = join(root, 'earlier.json');
  writeFileSync(earlier, '');
  const sections = `[output.f]\ntype = file\ntarget = ${file}\nprinter = json\n`;
  const running = new Reloadable(root, { top: 'frequency = 1', sections });
  t.after(() => running.program.child.kill('SIGKILL'));
  const samples = (): number => readFileSync(file, 'utf8').split('\n').length;
  await until('samples', () => existsSync(file) && samples() > 1);
  for (const [top, why] of [
    [`replay = ${earlier}`, 'replay cannot begin on reload; restart proxtop'],
    ['hosts = localhost,pve2', 'hosts and cluster cannot change on reload; restart proxtop'],
  ] as const) {
    await running.reload({ top: `frequency = 1\n${top}`, sections });
    assert.match(running.program.stderr, new RegExp(`the old configuration stays in effect: ${why}`));
  }
  const before = samples();
  await until('more samples', () => samples() > before);
  assert.doesNotMatch(running.program.stderr, /new configuration is in effect/);
});
