// The history of the built program: what is read back is what the stream had, whatever ends the program and whatever its
// disk does.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Lab, missingForLab } from '../lab/lab.ts';
import { ChaosDisk } from './chaos-disk.ts';
import { num, proxtop, Stream } from './program.ts';
import type { Cycle, Row } from './program.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const skipDisk = process.geteuid?.() !== 0 && 'needs root, for mount';

/** A state directory. @param before to be done before it is removed */
function place(t: TestContext, before: () => void = () => undefined): string {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-history-e2e-'));
  t.after(() => {
    before();
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

const quick = ['--history', '--frequency=0.5'];
// Records of a second.
process.env['PROXTOP_HISTORY_INTERVAL'] = '1';

function start(flags: readonly string[], state: string): Stream {
  return Stream.start([...flags, ...quick, '--state-dir', state]);
}

async function replay(state: string, ...flags: readonly string[]): Promise<Cycle[]> {
  const { code, stdout, stderr } = await proxtop(['--state-dir', state, '--replay', '-p', 'json', ...flags]);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Cycle);
}

/** Whether two percentages agree to a tenth, below 1 to a hundredth, or to three digits. */
function isNear(one: number, other: number): boolean {
  const size = Math.max(Math.abs(one), Math.abs(other));
  return Math.abs(one - other) <= Math.max(5e-3 * size, size < 1 ? 0.00505 : 0.0505);
}

describe('with VMs', { skip }, () => {
  test('what is read back is the mean of the stream', async (t) => {
    const state = place(t);
    const lab = Lab.create();
    t.after(() => lab.close());
    const vm = await lab.run({ guest: 'spin', load: 4, cores: 2 });
    const program = start(lab.flags(), state);
    await program.first('some cycles', ({ seq }) => seq >= 10);
    const { stderr } = await program.stop();
    assert.doesNotMatch(stderr, /history/);
    const cycles = program.cycles;
    const records = await replay(state);
    assert.ok(records.length >= 4);
    // The history has more than the stream was asked for.
    assert.ok(records.every(({ host }) => host['psi_some_cpu_avg60'] !== undefined));
    assert.ok(cycles.every(({ host }) => host['psi_some_cpu_avg60'] === undefined));
    let before = 0;
    const of = ({ domains }: Cycle): Row | undefined => domains.find(({ pid }) => pid === String(vm.pid));
    for (const record of records) {
      const own = cycles.filter(({ seq }) => seq > before && seq <= record.seq);
      before = record.seq;
      const seconds = own.reduce((sum, { interval }) => sum + interval, 0);
      for (const id of ['cpu_total', 'cpu_steal']) {
        const known = own.filter((cycle) => of(cycle)?.[id] !== undefined);
        if (known.length < own.length) continue;
        const mean = known.reduce((sum, cycle) => sum + num(of(cycle), id) * cycle.interval, 0) / seconds;
        assert.ok(
          isNear(num(of(record), id), mean),
          `${id} of ${record.seq}: ${num(of(record), id)}, ${mean}`,
        );
      }
    }
    const [from, to] = [records[1], records[2]].map((record) => record?.['@timestamp'] ?? '');
    assert.deepEqual(
      (await replay(state, `--from=${from}`, `--to=${to}`)).map(({ seq }) => seq),
      [records[1]?.seq, records[2]?.seq],
    );
    assert.equal((await replay(state, `--at=${to}`))[0]?.seq, records[2]?.seq);
    const csv = await proxtop(['--state-dir', state, `--at=${from}`, '-p', 'csv']);
    assert.ok(csv.stdout.split('\n').some((line) => line.startsWith('vm,') && line.includes(from ?? 'x')));
  });
});

describe('what ends it, and what its disk does', { skip: skipDisk }, () => {
  /** Waits until a file has so many bytes. @returns its size */
  async function grown(program: Stream, directory: string, least: number): Promise<number> {
    let size = 0;
    await program.until(
      `a history of ${least} bytes`,
      () => {
        try {
          size = readdirSync(directory)
            .filter((name) => name.endsWith('.gz'))
            .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
        } catch {
          size = 0;
        }
        return size >= least;
      },
      200_000,
    );
    return size;
  }

  test('kill -9 costs the minute that was not written yet; a restart goes on behind it', async (t) => {
    const state = place(t);
    const flags = ['--qemu', '--rundir', join(state, 'run')];
    const program = start(flags, state);
    await grown(program, join(state, 'history'), 100);
    await program.next();
    program.child.kill('SIGKILL');
    await program.end();
    const before = (await replay(state)).map(({ seq }) => seq);
    const written = before.at(-1) ?? 0;
    const taken = program.cycles.at(-1)?.seq ?? 0;
    assert.ok(taken - written <= 122, `${written} of ${taken} samples`);
    const again = start(flags, state);
    await again.first('a cycle', ({ seq }) => seq >= 4);
    await again.stop();
    const records = await replay(state);
    const runs = new Set(records.map(({ run }) => run));
    assert.equal(runs.size, 2);
    assert.deepEqual(
      records.slice(0, before.length).map(({ seq }) => seq),
      before,
    );
    const told = await proxtop(['--state-dir', state, '--replay', '-p', 'json']);
    assert.match(told.stderr, /another run of proxtop, after \d+ (s|min)/);
  });

  test('a disk that is full or hangs delays no sample, is told once, and is written to later', async (t) => {
    const mounted: ChaosDisk[] = [];
    const state = place(t, () => {
      for (const each of mounted) each.remove();
    });
    const disk = join(state, 'history');
    mkdirSync(disk);
    const chaos = new ChaosDisk(disk, 8);
    mounted.push(chaos);
    const program = start(['--qemu', '--rundir', join(state, 'run')], state);
    t.after(() => program.child.kill('SIGKILL'));
    await program.next();
    chaos.become('full');
    await program.until(
      'a complaint',
      () => program.stderr.includes('the history cannot be written'),
      200_000,
    );
    chaos.become('hangs');
    const first = await program.next();
    await program.next('cycles while it hangs', ({ seq }) => seq >= first.seq + 130, 200_000);
    const during = program.cycles.filter(({ seq }) => seq > first.seq);
    assert.ok(
      during.every(({ agent }) => num(agent, 'cycle_ms') < 5000),
      'no cycle waits for the disk',
    );
    chaos.become('good');
    await program.until('it goes on', () => program.stderr.includes('the history is written again'), 200_000);
    await program.stop();
    assert.equal(program.stderr.split('the history cannot be written').length, 2, program.stderr);
    const seqs = (await replay(state)).map(({ seq }) => seq);
    assert.ok(seqs.length > 10);
    assert.deepEqual(
      seqs,
      [...seqs].sort((a, b) => a - b),
    );
  });
});
