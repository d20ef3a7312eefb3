import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampleLoop } from '../../src/sampling/loop.ts';
import { Pace } from '../../src/sampling/pace.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { Sampler } from '../../src/sampling/sampler.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
import { logs } from '../delivery/helpers.ts';
import { TestInventory, noOutputs } from './support.ts';

/** Runs the loop; `seen` takes each sample as it comes. */
async function run(
  frequency: number,
  runs: number,
  stop: AbortSignal,
  seen: (sample: Sample) => void,
): Promise<TestInventory> {
  const inventory = new TestInventory();
  const { log } = logs();
  const sampler = new Sampler(new Paths(defaultRoots), inventory, [], log);
  await new SampleLoop(sampler, inventory, frequency, log).run(
    { runs, outputs: noOutputs, emit: seen, pace: undefined },
    stop,
  );
  return inventory;
}

test('as many samples as wanted, each with an interval, after two visits to every monitor', async () => {
  const samples: [seq: number, known: boolean][] = [];
  const { polls } = await run(0.1, 3, new AbortController().signal, ({ seq, interval }) =>
    samples.push([seq, interval > 0]),
  );
  assert.deepEqual(samples, [
    [1, true],
    [2, true],
    [3, true],
  ]);
  assert.deepEqual(polls, [true, true, false, false]);
});

test('the first sample does not wait for a long interval, and a stop ends the wait for the second', async () => {
  const stop = new AbortController();
  const seqs: number[] = [];
  await run(3600, Infinity, stop.signal, ({ seq }) => {
    seqs.push(seq);
    stop.abort();
  });
  assert.deepEqual(seqs, [1]);
});

test('whatever a sample meets on its way costs that sample and not the program', async () => {
  const inventory = new TestInventory();
  inventory.poll = () => Promise.reject(new Error('no monitor'));
  const { log, at } = logs();
  const sampler = new Sampler(new Paths(defaultRoots), inventory, [], log);
  const seqs: number[] = [];
  const emit = ({ seq }: Sample): void => {
    // Stands for an output with a fault of its own.
    if (seq === 2 || seq === 3) throw new Error('no such output');
    seqs.push(seq);
  };
  const loop = new SampleLoop(sampler, inventory, 0.05, log);
  await loop.run({ runs: 5, outputs: noOutputs, emit, pace: undefined }, new AbortController().signal);
  assert.deepEqual(seqs, [1, 4, 5]);
  assert.deepEqual(
    at('error').filter((line) => line !== 'polling the monitors failed'),
    ['sampling failed'],
  );
  assert.deepEqual(at('info'), ['sampling works again']);
});

test('a stop before the first sample leaves none', async () => {
  const { polls } = await run(1, Infinity, AbortSignal.abort(), () => assert.fail('a sample'));
  assert.deepEqual(polls, [true]);
});

test('a loop that was stopped goes on in its beat: no tick is missed and nothing is read anew', async () => {
  const inventory = new TestInventory();
  const { log, at } = logs();
  const loop = new SampleLoop(new Sampler(new Paths(defaultRoots), inventory, [], log), inventory, 0.4, log);
  const samples: Sample[] = [];
  const times: number[] = [];
  for (const runs of [2, 2]) {
    const stop = new AbortController();
    const emit = (sample: Sample): void => {
      samples.push({ ...sample });
      times.push(Date.now());
      if (samples.length % runs === 0)
        setImmediate(() => {
          stop.abort();
        });
    };
    await loop.run({ runs: Infinity, outputs: noOutputs, emit, pace: undefined }, stop.signal);
  }
  assert.deepEqual(
    samples.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
  assert.equal(new Set(samples.map(({ run }) => run)).size, 1);
  const ticks = times.map((time) => Math.round(time / 400));
  assert.deepEqual(
    ticks.slice(1),
    ticks.slice(0, -1).map((tick) => tick + 1),
  );
  assert.deepEqual(at('warn'), []);
});

test('another interval holds from the next tick on, and a wish for a sample does not wait for it', async () => {
  const stop = new AbortController();
  const pace = new Pace(0.1);
  const inventory = new TestInventory();
  const { log } = logs();
  const loop = new SampleLoop(new Sampler(new Paths(defaultRoots), inventory, [], log), inventory, 0.1, log);
  const seqs: number[] = [];
  const emit = ({ seq }: Sample): void => {
    seqs.push(seq);
    if (seq === 2) pace.frequency = 3600;
    // With an hour between ticks only a request brings the third sample, once the loop waits.
    if (seq === 2)
      setImmediate(() => {
        pace.sampleNow();
      });
    if (seq === 3) stop.abort();
  };
  await loop.run({ runs: Infinity, outputs: noOutputs, emit, pace }, stop.signal);
  assert.deepEqual(seqs, [1, 2, 3]);
});
