import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Profile } from '../../src/profiler/profile.ts';
import { alternate } from '../lab/alternate.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { LineReceiver } from '../lab/receiver.ts';
import type { LabVm } from '../lab/vm.ts';
import { fixture } from './support.ts';

const dist = (name: string): string => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
const program = dist('proxprofiler');
const missing = missingForLab();
if (!existsSync(program)) missing.push('dist/proxprofiler (npm run build)');
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

const directory = mkdtempSync(join(tmpdir(), 'proxtop-profiler-'));
after(() => {
  rmSync(directory, { recursive: true });
});

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(program, args, { encoding: 'utf8' });
}

function profileOf(line: string): Profile {
  return (JSON.parse(line) as { profile: Profile }).profile;
}

describe('on files', { skip: !existsSync(program) && 'needs dist/proxprofiler' }, () => {
  const input = fixture('input.csv');

  test('a CSV file becomes one line of JSON with the matrix of the reference', () => {
    const { status, stdout, stderr } = run('--input', input, '--fixedbound');
    assert.deepEqual([status, stderr], [0, '']);
    const expected = JSON.parse(
      readFileSync(fixture('states4-history1-buffer10-fixed.json'), 'utf8'),
    ) as Profile;
    assert.deepEqual(
      profileOf(stdout).roottx.map(({ transitions }) => transitions),
      expected.roottx.map(({ transitions }) => transitions),
    );
    assert.equal(stdout.trimEnd().split('\n').length, 1);
  });

  test('what was profiled can be plotted, simulated, and tell how likely a recording is', () => {
    const profile = join(directory, 'p.json');
    writeFileSync(profile, run('--input', input, '--fixedbound').stdout);
    for (const source of [
      ['--input', profile],
      ['--likeliness', profile],
    ]) {
      const { stdout } = run(...source, '--plot', '--simulate', '7');
      assert.match(stdout, /^metric_1: 600 inputs/m);
      const line = stdout.split('\n').find((text) => text.startsWith('{'))!;
      const { simulation } = JSON.parse(line) as { simulation: { states: Record<string, number[]> } };
      assert.deepEqual(
        Object.values(simulation.states).map(({ length }) => length),
        [7, 7, 7],
      );
    }
    const judged = run('--likeliness', profile, '--input', input).stdout.trimEnd().split('\n');
    const values = judged.map(
      (line) => (JSON.parse(line) as { profile_likeliness: number }).profile_likeliness,
    );
    assert.equal(values.length, 603 - 19);
    assert.ok(values.every((value) => value >= 0 && value <= 1));
    assert.ok(values.reduce((sum, value) => sum + value, 0) / values.length > 0.5);
  });

  test('bad input is one line and exit code 2', () => {
    const ragged = join(directory, 'ragged.csv');
    writeFileSync(ragged, '1,2\n3\n');
    for (const args of [
      ['--states=1'],
      ['--history=7'],
      ['--input', ragged],
      ['--input', join(directory, 'missing.csv')],
      ['--input', input, '--cpu'],
      ['--likeliness', ragged],
      ['--input', '-', '--plot'],
      ['--input', fixture('states4-history1-buffer10-fixed.json'), '--plot'],
      ...['{"profile":null}', '{"profile":[]}', '{"profile":7}', '[]', 'null', '{"profile":{"name"'].map(
        (content, index) => {
          const path = join(directory, `strange${index}.json`);
          writeFileSync(path, content);
          return ['--input', path, '--plot'];
        },
      ),
    ]) {
      const { status, stdout, stderr } = run(...args);
      assert.deepEqual([status, stdout], [2, ''], args.join(' '));
      assert.match(stderr, /^proxprofiler: [^\n]+\n$/);
    }
  });
});

describe('on running VMs', { skip }, () => {
  let lab: Lab;
  let turns: LabVm;
  let steady: LabVm;
  const end = new AbortController();
  let alternating: Promise<void>;

  before(async () => {
    lab = Lab.create();
    turns = await lab.run({ guest: 'spin', load: 8 });
    steady = await lab.run({ guest: 'paused' });
    alternating = alternate(lab, turns, 1000, end.signal);
  });
  after(async () => {
    end.abort();
    await alternating;
    await lab.close();
  });

  const flags = (): string[] => ['--proxmox', '--log-level=error', ...lab.flags(), '--cpu', '--fixedbound'];

  test('profiles come over tcp, go on after a restart, and tell what is likely', async () => {
    const state = join(directory, 'state');
    mkdirSync(state);
    const receiver = await LineReceiver.create();
    const args = [
      ...flags(),
      ...['--frequency=0.1', '--buffersize=2', '--outputfreq=1', '--state-dir', state],
      ...['--output=tcp', '--target', receiver.target],
    ];
    const stop = async (child: ReturnType<typeof spawn>): Promise<void> => {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      assert.deepEqual(await closed, [0, null]);
    };
    const isTurns = (line: string): boolean => profileOf(line).name === turns.uuid;
    const counted = (line: string): number => profileOf(line).roottx[0]?.stats.count ?? 0;
    try {
      const first = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      await receiver.first((line) => isTurns(line) && counted(line) >= 60);
      await stop(first);
      const before = receiver.lines.length;
      const countBefore = counted(receiver.lines.filter(isTurns).at(-1)!);
      const second = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      // Lines of the first connection may come again.
      const line = await receiver.first(
        (each, number) => number > before && isTurns(each) && counted(each) > countBefore + 9,
      );
      await stop(second);
      const { transitions, stats } = profileOf(line).roottx[0]!;
      assert.deepEqual([stats.min, stats.max], [0, 100]);
      // A second on, a second off, in periods of 0.2 s: four of five steps stay.
      assert.ok(transitions['0']!.nextProbs[0]! >= 50, line);
      assert.ok(transitions['3']!.nextProbs[3]! >= 50, line);
      const still = receiver.lines.filter((each) => profileOf(each).name === steady.uuid).at(-1)!;
      assert.deepEqual(profileOf(still).roottx[0]!.transitions, {
        '0': { nextProbs: [100, 0, 0, 0], probability: 100 },
      });

      const file = join(directory, 'lab.json');
      writeFileSync(file, `${line}\n${still}\n`);
      const judge = spawnSync(
        program,
        [...flags(), '--frequency=0.1', '--runs=8', '--likeliness', file, '--printer=json'],
        { encoding: 'utf8' },
      );
      assert.deepEqual([judge.status, judge.stderr], [0, '']);
      const cycles = judge.stdout.trimEnd().split('\n');
      const last = JSON.parse(cycles.at(-1)!) as { domains: Record<string, unknown>[] };
      const rows = new Map(last.domains.map((row) => [row['UUID'], row['profile_likeliness']]));
      assert.equal(rows.get(steady.uuid), 1);
      assert.ok(Number(rows.get(turns.uuid)) >= 0 && Number(rows.get(turns.uuid)) <= 1);
      assert.ok(!cycles[0]!.includes('profile_likeliness'));
    } finally {
      await receiver.kill();
    }
  });

  test('what proxtop recorded is profiled in one go', () => {
    const recording = join(directory, 'recording.json');
    for (const layout of ['cycle', 'event']) {
      const args = [...lab.flags(), '--proxmox', '--cpu', '--frequency=0.1', '--runs=10', '--printer=json'];
      const { stdout } = spawnSync(dist('proxtop'), [...args, `--layout=${layout}`], { encoding: 'utf8' });
      writeFileSync(recording, stdout);
      const { stdout: lines, stderr } = run('--input', recording, '--cpu', '--buffersize=2', '--fixedbound');
      assert.equal(stderr, '');
      const profiles = lines.trimEnd().split('\n').map(profileOf);
      assert.deepEqual(
        profiles.map(({ name, roottx }) => [name, roottx[0]?.stats.count]).sort(),
        [
          [turns.uuid, 10],
          [steady.uuid, 10],
        ].sort(),
      );
    }
  });
});
