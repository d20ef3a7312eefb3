// Whether who is watched notices that nobody watches any more.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { BEAT, BEAT_INTERVAL, Heartbeat } from '../../src/cluster/ssh/heartbeat.ts';
import { REMOTE_COMMAND } from '../../src/cluster/ssh/ssh-command.ts';
import { Program, PROXTOP } from '../e2e/program.ts';
import type { End } from '../e2e/program.ts';
import { Lab, missingForLab } from '../lab/lab.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

describe('the end of a heartbeat', () => {
  const begin = (): { input: PassThrough; heartbeat: Heartbeat; reasons: string[] } => {
    const input = new PassThrough();
    const reasons: string[] = [];
    return { input, reasons, heartbeat: new Heartbeat(input, (why) => reasons.push(why)) };
  };
  const beat = async (input: PassThrough): Promise<void> => {
    const came = once(input, 'data');
    input.write(BEAT);
    await came;
  };

  test('30 samples without a beat are the end, told once; a watcher has six tries', async () => {
    const { input, heartbeat, reasons } = begin();
    await beat(input);
    for (let sample = 1; sample < 200; sample++) {
      heartbeat.sampled();
      if (sample % (BEAT_INTERVAL / 1000) === 0) await beat(input);
    }
    for (let sample = 1; sample < 26; sample++) heartbeat.sampled();
    assert.deepEqual(reasons, []);
    for (let sample = 1; sample < 10; sample++) heartbeat.sampled();
    assert.deepEqual(reasons, ['no sign of life for 30 samples']);
    assert.ok(input.destroyed);
  });

  for (const [what, end] of [
    ['ends', (input: PassThrough) => input.end()],
    ['breaks', (input: PassThrough) => input.destroy(new Error('ECONNRESET'))],
  ] as const) {
    test(`an input that ${what} is the end where beats came before, and nothing where none did`, async () => {
      const beaten = begin();
      await beat(beaten.input);
      const silent = begin();
      for (const { input } of [beaten, silent]) {
        end(input);
        await new Promise((resolve) => input.once('close', resolve));
      }
      assert.deepEqual(beaten.reasons, ['it has ended']);
      for (let sample = 0; sample < 100; sample++) silent.heartbeat.sampled();
      assert.deepEqual(silent.reasons, []);
    });
  }

  test('closing it is no end', async () => {
    const { input, heartbeat, reasons } = begin();
    await beat(input);
    heartbeat.close();
    await new Promise((resolve) => input.once('close', resolve));
    heartbeat.sampled();
    assert.deepEqual(reasons, []);
  });
});

describe('proxtop --changes', { skip }, () => {
  let lab: Lab;
  const [, , ...flags] = REMOTE_COMMAND.split(' ');
  const started: Program[] = [];

  before(() => {
    lab = Lab.create();
  });
  after(async () => {
    await Promise.all(started.map((each) => each.stop()));
    await lab.close();
  });

  /** Starts it as a node does; resolves with its first sample. */
  const start = async (
    stdin: 'pipe' | 'ignore',
    ...more: string[]
  ): Promise<Program & { child: ChildProcess }> => {
    const stdio: StdioOptions = [stdin, 'pipe', 'pipe'];
    const program = new Program(spawn(PROXTOP, [...flags, '--proxmox', ...lab.flags(), ...more], { stdio }));
    started.push(program);
    await program.until('a sample', () => program.stdout !== '');
    return program;
  };

  test('ends with the beats of its watcher, and goes on for one that never sent any', async () => {
    const [nothing, ended, open] = await Promise.all([start('ignore'), start('pipe'), start('pipe')]);
    ended.child.stdin?.end();
    const silent = await start('pipe');
    silent.child.stdin?.write(BEAT);
    const { code, stderr }: End = await silent.end();
    assert.equal(code, 0);
    assert.match(
      stderr,
      /warning the proxtop that watches this host is gone: no sign of life for 30 samples\n$/,
    );
    // They have run for longer.
    for (const program of [nothing, ended, open]) {
      const { length } = program.stdout;
      await program.until('another sample', () => program.stdout.length > length);
    }
    open.child.stdin?.end(BEAT);
    const end = await open.end();
    assert.equal(end.code, 0);
    assert.match(end.stderr, /warning the proxtop that watches this host is gone: it has ended\n$/);
  });

  test('an input that stays open keeps it from no end', async () => {
    const program = await start('pipe', '--runs=2');
    program.child.stdin?.write(BEAT);
    const { code, stderr } = await program.end();
    assert.deepEqual([code, stderr], [0, '']);
  });
});
