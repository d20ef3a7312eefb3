import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test, after, before } from 'node:test';
import { slots } from '../../src/catalogue/catalogue.ts';
import { SshSource } from '../../src/cluster/ssh/ssh-source.ts';
import type { NodeState, TroubleKind } from '../../src/cluster/node-source.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { hasEnded, until } from '../lab/processes.ts';
import { SshLab, missingForSsh } from '../lab/ssh-node.ts';
import type { SshNode } from '../lab/ssh-node.ts';
import { PROXTOP } from '../e2e/program.ts';

const missing = [...missingForLab(), ...missingForSsh()];
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const MINUTES = 180_000;
const { host_kernel, host_name } = slots('host', 'host');

/** Waits for a report of a source. @throws Error when it does not in minutes */
async function told(source: SshSource, what: string, condition: () => boolean): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => {
      reject(new Error(`${source.name}: ${what}: still not so; ${JSON.stringify(source.state())}`));
    }, MINUTES);
    source.onNews = () => {
      if (!condition()) return;
      clearTimeout(deadline);
      source.onNews = undefined;
      resolve();
    };
  });
}

const isTrouble = (state: NodeState, kind: TroubleKind) =>
  state.kind === 'trouble' && state.trouble.kind === kind;

async function trouble(source: SshSource, kind: TroubleKind): Promise<string> {
  await told(source, kind, () => isTrouble(source.state(), kind));
  const state = source.state();
  assert.ok(state.kind === 'trouble');
  return state.trouble.text;
}

async function samples(source: SshSource, count = 1): Promise<void> {
  const begun = source.latest()?.sample.seq;
  await told(source, 'samples', () => {
    const { seq } = source.latest()?.sample ?? {};
    return source.state().kind === 'streaming' && seq !== undefined && seq !== begun && seq >= count;
  });
}

test('a node that cannot be connected to for want of descriptors is told so', async () => {
  const program = join(import.meta.dirname, 'out-of-descriptors.ts');
  const shell = spawn('sh', ['-c', `ulimit -n 80; exec "${process.execPath}" --import tsx "${program}"`]);
  const said = await text(shell.stdout);
  assert.equal(said, 'ssh cannot be started: spawn ssh EMFILE');
});

describe('nodes over ssh', { skip }, () => {
  let lab: Lab;
  let ssh: SshLab;
  const sources: SshSource[] = [];

  const open = (node: SshNode, changes: Partial<SshNode['address']> = {}): SshSource => {
    const source = new SshSource({ ...node.address, ...changes });
    sources.push(source);
    return source;
  };
  const program = () => `exec ${PROXTOP} --proxmox ${lab.flags().join(' ')} "$@"`;

  before(() => {
    lab = Lab.create();
    ssh = new SshLab();
  });

  after(async () => {
    await Promise.all(sources.map((source) => source.close()));
    await ssh.close();
    await lab.close();
  });

  test('samples come with what the node measures; what runs there ends with the source', async () => {
    const vm = await lab.run({ name: 'over-ssh', cores: 2 });
    const node = await ssh.node('pve1', program());
    const source = open(node);
    assert.deepEqual(source.state(), { kind: 'connecting' });
    await samples(source, 2);
    const { sample, at, clockOffset } = source.latest()!;
    assert.ok(at <= performance.now());
    assert.equal(clockOffset, 0);
    assert.notEqual(sample.host.row.texts[host_kernel], undefined);
    // Its own, or that of the node where it cannot learn it.
    assert.ok([hostname(), 'pve1'].includes(sample.host.row.texts[host_name] ?? ''));
    const found = sample.guests.find(({ guest }) => guest.vmid === String(vm.vmid));
    assert.equal(found?.guest.name, 'over-ssh');
    assert.equal(found.vcpus.length, 2);
    assert.ok(node.running('--printer=msgpack').length > 0);
    await source.close();
    await until('proxtop ends there', () => node.running('--printer=msgpack').length === 0);
    assert.equal(source.state().kind, 'streaming', 'an end that was wanted is no trouble');
  });

  test('nothing stays behind when who watches is killed', async () => {
    const node = await ssh.node('pve2', program());
    const watcher = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        new URL('watch-program.ts', import.meta.url).pathname,
        JSON.stringify(node.address),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(watcher.stdout, 'data');
    const remote = node.running('--printer=msgpack');
    assert.ok(remote.length > 0);
    watcher.kill('SIGKILL');
    await until('proxtop and its session end', () => remote.every(hasEnded) && node.processes().length === 1);
  });

  test('a node that hangs, is killed, or comes back with another host key costs no other node a sample', async () => {
    const [steady, other] = await Promise.all([ssh.node('pve3', program()), ssh.node('pve4', program())]);
    const starts = join(ssh.root, 'starts');
    const slow = open(await ssh.node('slow', `echo one >>${starts}; sleep 22; ${program()}`));
    const [source, bad] = [open(steady), open(other)];
    await Promise.all([samples(source), samples(bad)]);
    const first = source.latest()!.sample.seq;
    const begun = performance.now();
    await other.hang();
    assert.match(await trouble(bad, 'silent'), /no sample comes/);
    assert.ok(bad.latest() !== undefined, 'the last sample stays');
    other.resume();
    await samples(bad);
    await other.kill();
    await told(bad, 'trouble', () => bad.state().kind === 'trouble' && !isTrouble(bad.state(), 'silent'));
    other.newHostKey();
    await other.start();
    assert.equal(await trouble(bad, 'host-key'), 'its host key is not the one that is known here');
    other.publishHostKey();
    await samples(bad);
    await samples(source);
    const seconds = (performance.now() - begun) / 1000;
    const { seq } = source.latest()!.sample;
    assert.ok(seq - first >= seconds - 5, `${seq - first} samples in ${seconds} s`);
    // One that takes long to start, as it is short of CPU, is not made to start again and again.
    await samples(slow);
    assert.equal(readFileSync(starts, 'utf8'), 'one\n');
  });

  test('a node whose samples stay late, as after a pause of its machine, gets a new connection', async () => {
    const script = `let count = 0;
      process.stdin.on("data", (piece) => {
        const pass = () => process.stdout.write(piece);
        if (count++ < 5) pass();
        else setTimeout(pass, 6000);
      });`;
    const node = await ssh.node('paused', `${program()} | node -e '${script}'`);
    const source = open(node);
    await samples(source);
    const { run } = source.latest()!.sample;
    assert.match(await trouble(source, 'slow'), /samples come [56] s late/);
    await samples(source);
    assert.notEqual(source.latest()!.sample.run, run);
    await source.close();
  });

  test('a node that was silent, and of which a part of a sample comes then, has a slow link', async () => {
    const script = `let count = 0;
      process.stdin.on("data", (piece) => {
        if (count++ < 3) process.stdout.write(piece);
        else if (count === 4) setTimeout(() => process.stdout.write(piece.subarray(0, 20)), 6000);
      });`;
    const source = open(await ssh.node('halves', `${program()} | node -e '${script}'`));
    await samples(source);
    assert.equal(await trouble(source, 'silent'), 'no sample comes any more');
    assert.match(await trouble(source, 'slow'), /of the next sample only a part has come/);
    await source.close();
  });

  test('what is wrong with a node is told', async () => {
    const cases: readonly (readonly [TroubleKind, string | undefined, RegExp])[] = [
      ['no-program', undefined, /no proxtop in its PATH/],
      [
        'ended',
        'echo "proxtop: --config: no such file" >&2; exit 2',
        /code 2: proxtop: --config: no such file/,
      ],
      [
        'garbled',
        'echo "Welcome to $(hostname)"; while sleep 1; do echo more; done',
        /found "Welcome to .*expected samples of proxtop/,
      ],
      [
        'schema',
        `printf '\\204\\252@timestamp\\2642026-11-22T12:00:00Z\\246schema\\002\\243run\\241r\\243seq\\001'; while sleep 1; do echo more; done`,
        /schema 2.*schema 1/,
      ],
    ];
    await Promise.all(
      cases.map(async ([kind, words, text]) => {
        const node = await ssh.node(`bad-${kind}`, words);
        assert.match(await trouble(open(node), kind), text);
      }),
    );
    const node = await ssh.node('pve5', program());
    assert.match(await trouble(open(node, { user: 'nobody' }), 'refused'), /Permission denied/);
    assert.match(await trouble(open(node, { port: 1 }), 'unreachable'), /Connection refused/);
    const stranger = open(node, { host: 'no-such-host.invalid' });
    assert.match(await trouble(stranger, 'unreachable'), /no-such-host\.invalid/);
    const state = stranger.state();
    assert.ok(state.kind === 'trouble' && state.trouble.retryAt !== undefined);
    const unknown = open(node, { name: 'pve6' as SshNode['name'] });
    assert.equal(await trouble(unknown, 'host-key'), 'its host key is not known here');
  });
});
