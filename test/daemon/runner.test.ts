import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';
import type { Settings } from '../../src/config/settings.ts';
import { streaming } from '../../src/daemon/consumer.ts';
import type { Consumer } from '../../src/daemon/consumer.ts';
import { Runner } from '../../src/daemon/runner.ts';
import { startSampling } from '../../src/daemon/sampling.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
import type { OutputSettings } from '../../src/delivery/settings.ts';
import { SampleLoop } from '../../src/sampling/loop.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { Attention } from '../../src/guests/attention.ts';
import { Pace } from '../../src/sampling/pace.ts';
import { Sampler } from '../../src/sampling/sampler.ts';
import { logs, until } from '../delivery/helpers.ts';
import { TestInventory } from '../sampling/support.ts';

/** The settings of a command line; ten samples a second. */
function settings(line: string): Settings {
  const command = parseCommandLine(`--qemu -f 0.1 ${line}`.split(' '), {}, false);
  assert.equal(command.kind, 'run');
  return command.settings;
}

const onlyCpu = settings('--cpu');
const onlyMem = settings('--mem');
const onlyNet = settings('--net');

/** A runner whose hypervisor is found when the test says so. */
class Rig {
  /** What happened, in order. */
  readonly events: string[] = [];
  /** Whether anybody wanted what became of each sample. */
  readonly wanted: boolean[] = [];
  /** Which collectors each sample had. */
  readonly samples: string[] = [];
  readonly connectors: TestInventory[] = [];
  readonly stop = new AbortController();
  readonly at: ReturnType<typeof logs>['at'];
  readonly runner: Runner;
  running = Promise.resolve();
  /** Looks for a hypervisor that are under way. */
  private readonly looks: (() => void)[] = [];
  /** Why outputs cannot be replaced. */
  broken: string | undefined;
  slow = false;

  constructor(watcher?: Consumer['watcher']) {
    const { log, at } = logs();
    this.at = at;
    const sampling: typeof startSampling = async ({ collectors, frequency }, _, __, since) => {
      this.events.push(`look ${collectors.join()}`);
      if (this.slow) await new Promise<void>((resolve) => this.looks.push(resolve));
      const connector = new TestInventory();
      this.connectors.push(connector);
      const named = collectors.map((name) => ({ name, collect: () => undefined, close: () => undefined }));
      const sampler = new Sampler(new Paths(defaultRoots), connector, named, log, since);
      return new SampleLoop(sampler, connector, frequency, log);
    };
    const outputs = {
      list: [],
      write: ({ collectors }: Sample) => this.samples.push(collectors.join()),
      reopen: () => this.events.push('reopen'),
      replace: (wanted: readonly OutputSettings[]) => {
        if (this.broken !== undefined) return Promise.reject(new Error(this.broken));
        this.events.push(`outputs ${wanted.map(({ name }) => name).join()}`);
        return Promise.resolve();
      },
    };
    const history = { replace: () => undefined, write: () => undefined };
    const service = {
      idle: () => this.events.push('idle'),
      sampled: () => undefined,
      reloaded: (why?: string) => this.events.push(why === undefined ? 'ready' : `ready: ${why}`),
    };
    const stream = streaming();
    const take = (sample: Sample, isWanted: boolean): Sample => {
      this.wanted.push(isWanted);
      return stream.take(sample, isWanted);
    };
    this.runner = new Runner(
      { ...stream, take, ...(watcher && { watcher }) },
      outputs,
      history,
      service,
      log,
      sampling,
    );
  }

  /** Begins with settings, and forgets what happened on the way. */
  async begin(first: Settings): Promise<void> {
    await this.runner.begin(first);
    this.running = this.runner.run(this.stop.signal);
    await this.sampled();
    this.events.length = 0;
  }

  /** Waits for a sample from now on. */
  async sampled(): Promise<string> {
    const before = this.samples.length;
    await until(() => this.samples.length > before, 'a sample');
    return this.samples.at(-1) ?? '';
  }

  async looking(count: number): Promise<void> {
    await until(() => this.looks.length === count, 'it looks for a hypervisor');
  }

  /** The looks under way find something. */
  found(): void {
    for (const look of this.looks.splice(0)) look();
  }

  async ready(): Promise<void> {
    await until(() => this.events.some((event) => event.startsWith('ready')), 'the reload is over');
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
    this.runner.close();
    assert.ok(
      this.connectors.every(({ closed }) => closed),
      'every connector is closed',
    );
  }
}

test('other settings run from the next sample on', async () => {
  const rig = new Rig();
  await rig.begin(onlyCpu);
  rig.runner.change(onlyMem);
  await rig.ready();
  assert.equal(await rig.sampled(), 'mem');
  assert.deepEqual(rig.events, ['look mem', 'outputs stdout', 'reopen', 'ready']);
  assert.deepEqual(rig.at('info'), ['the new configuration is in effect']);
  await rig.end();
});

test('whoever takes the samples is told whether anybody gets what he makes of them', async () => {
  const nothing = (): void => undefined;
  const rig = new Rig({ pace: new Pace(0.1), attend: nothing, attention: new Attention(), begin: nothing });
  await rig.begin({ ...onlyCpu, outputs: [] });
  rig.runner.change(onlyCpu);
  await rig.ready();
  await rig.sampled();
  assert.equal(rig.wanted[0], false);
  assert.equal(rig.wanted.at(-1), true);
  await rig.end();
});

test('of what is written during a slow look the last counts, also if that is what runs: A, B, A', async () => {
  const rig = new Rig();
  await rig.begin(onlyCpu);
  rig.slow = true;
  rig.runner.change(onlyMem);
  await rig.looking(1);
  rig.runner.change(settings('--cpu'));
  rig.found();
  await rig.ready();
  assert.equal(await rig.sampled(), 'cpu');
  assert.deepEqual(rig.events, ['look mem', 'reopen', 'ready'], 'B never runs');
  await rig.end();
  assert.deepEqual(new Set(rig.samples), new Set(['cpu']));
});

test('A, B, C: what comes between is skipped', async () => {
  const rig = new Rig();
  await rig.begin(onlyCpu);
  rig.slow = true;
  rig.runner.change(onlyMem);
  await rig.looking(1);
  for (const each of [onlyCpu, onlyMem, onlyNet]) rig.runner.change(each);
  rig.found();
  await rig.looking(1);
  rig.found();
  await rig.ready();
  assert.equal(await rig.sampled(), 'net');
  assert.deepEqual(rig.events, ['look mem', 'look net', 'outputs stdout', 'reopen', 'ready']);
  await rig.end();
});

test('a wrong file leaves the request before it in effect, and that is reported last', async () => {
  const rig = new Rig();
  await rig.begin(onlyCpu);
  rig.slow = true;
  rig.runner.change(onlyMem);
  await rig.looking(1);
  rig.runner.refuse('line 7 is wrong');
  rig.found();
  await rig.ready();
  assert.equal(await rig.sampled(), 'mem');
  assert.deepEqual(rig.events, ['look mem', 'outputs stdout', 'reopen', 'ready: line 7 is wrong']);
  assert.deepEqual(rig.at('error'), [
    'reload failed, the old configuration stays in effect: line 7 is wrong',
  ]);
  rig.events.length = 0;
  rig.runner.refuse('line 8 is wrong');
  rig.runner.change(settings('--mem'));
  await rig.ready();
  assert.deepEqual(rig.events, ['reopen', 'ready'], 'the file is right again');
  await rig.end();
});

test('outputs that cannot be made leave everything as it was', async () => {
  const rig = new Rig();
  await rig.begin(onlyCpu);
  rig.broken = 'cannot open /nowhere/x';
  rig.runner.change(onlyMem);
  await rig.ready();
  assert.equal(await rig.sampled(), 'cpu');
  assert.deepEqual(rig.events, ['look mem', 'reopen', 'ready: cannot open /nowhere/x']);
  assert.deepEqual(
    rig.connectors.map(({ closed }) => closed),
    [false, true],
  );
  await rig.end();
});

test('an end during a slow look is the end of what ran before; nothing else begins', async () => {
  const rig = new Rig();
  await rig.begin(onlyCpu);
  rig.slow = true;
  rig.runner.change(onlyMem);
  await rig.looking(1);
  rig.stop.abort();
  rig.found();
  await rig.end();
  assert.deepEqual(rig.events, ['look mem']);
});

test('runs are those since the start, however often settings change', async () => {
  const rig = new Rig();
  await rig.begin(settings('--cpu -r 6'));
  const changes = ['--mem -r 6', '--mem -r 6 --verbose', '--net -r 6 -f 0.2'];
  for (const change of changes) {
    rig.runner.change(settings(change));
    await rig.ready();
    rig.events.length = 0;
  }
  await rig.running;
  assert.equal(rig.samples.length, 6);
});

test('fewer runs than there were end it; no output idles, and is no run', async () => {
  const rig = new Rig();
  await rig.begin(settings('--cpu -r 1000'));
  rig.runner.change({ ...onlyCpu, outputs: [] });
  await until(() => rig.events.includes('idle'), 'it idles');
  assert.deepEqual(rig.events, ['outputs ', 'reopen', 'ready', 'idle']);
  rig.runner.change(settings('--cpu -r 1'));
  await rig.running;
  assert.ok(rig.samples.length >= 1);
});

test('a request that comes before the first settings run is handled after them', async () => {
  const rig = new Rig();
  rig.slow = true;
  const begun = rig.runner.begin(onlyCpu);
  await rig.looking(1);
  rig.runner.change(onlyMem);
  rig.slow = false;
  rig.found();
  await begun;
  rig.running = rig.runner.run(rig.stop.signal);
  assert.equal(await rig.sampled(), 'mem');
  assert.deepEqual(rig.events, [
    'look cpu',
    'outputs stdout',
    'look mem',
    'outputs stdout',
    'reopen',
    'ready',
  ]);
  await rig.end();
});
