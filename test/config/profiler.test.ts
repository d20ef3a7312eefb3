import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ProfilerCommand } from '../../src/cli/profiler/profiler-arguments.ts';
import { parseProfilerCommandLine } from '../../src/cli/profiler/profiler-arguments.ts';
import type { ProfilerRunSettings } from '../../src/config/profiler/resolve.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-profiler-config-'));
after(() => {
  rmSync(directory, { recursive: true });
});

function parse(line: string, env: NodeJS.ProcessEnv = {}): ProfilerCommand {
  return parseProfilerCommandLine(line.split(' ').filter(Boolean), env);
}

function settings(line: string, env: NodeJS.ProcessEnv = {}): ProfilerRunSettings {
  const command = parse(line, env);
  assert.ok(command.kind !== 'help' && command.kind !== 'version');
  return command.settings;
}

function refuses(line: string, message: RegExp, env: NodeJS.ProcessEnv = {}): void {
  assert.throws(() => parse(line, env), { name: 'ConfigError', message });
}

test('the defaults', () => {
  const { run, profiler } = settings('');
  assert.deepEqual(profiler, {
    profile: {
      states: 4,
      buffersize: 10,
      history: 1,
      filterStdDevs: -1,
      fixedBound: false,
      periodSize: [],
      phaseChangeLikeliness: 0,
      phaseChangeHistory: 1,
    },
    metrics: undefined,
    limits: { net: undefined, io: undefined },
    outputFreq: 60,
  });
  assert.deepEqual(run.collectors, ['cpu', 'net', 'io']);
  assert.equal(run.stateDir, '/var/lib/proxtop');
});

test('the line of the original service, and every other flag', () => {
  const line =
    '--cpu --net --io --output=tcp --target=192.0.2.1:12345 --states=4 --history=1 --filterstddevs=-1 --outputfreq=60s';
  const { run, profiler } = settings(line);
  assert.deepEqual(profiler.metrics, ['cpu', 'net', 'io']);
  assert.equal(run.outputs[0]?.type, 'tcp');
  const all = settings(
    '--mem --disk --states 8 --buffersize 30 --history 3 --filterstddevs 2.5 --fixedbound --periodsize 7,24,6 ' +
      '--phasechangelikeliness 0.3 --phasechangehistory 5 --net-limit 1G --io-limit 500M --state-dir /s -f 0.5',
  );
  assert.deepEqual(all.run.collectors, ['mem', 'disk']);
  assert.equal(all.run.frequency, 0.5);
  assert.equal(all.run.stateDir, '/s');
  assert.deepEqual(all.profiler.limits, { net: 2 ** 30, io: 500 * 2 ** 20 });
  assert.deepEqual(all.profiler.profile, {
    states: 8,
    buffersize: 30,
    history: 3,
    filterStdDevs: 2.5,
    fixedBound: true,
    periodSize: [7, 24, 6],
    phaseChangeLikeliness: 0.3,
    phaseChangeHistory: 5,
  });
});

test('a time is written as 60s, 5m, 1h or seconds', () => {
  for (const [text, seconds] of [
    ['60s', 60],
    ['5m', 300],
    ['1h', 3600],
    ['90', 90],
    ['1.5m', 90],
  ] as const)
    assert.equal(settings(`--outputfreq ${text}`).profiler.outputFreq, seconds, text);
  for (const text of ['0', '60x', '25h', 'm', '0.5s'])
    refuses(`--outputfreq ${text}`, /^--outputfreq: found ".*", expected a time from 1 second to 24 hours/);
});

test('the file, the environment, the state directory of a service', () => {
  const path = join(directory, 'p.conf');
  writeFileSync(
    path,
    'collectors = host\n[output.a]\ntype = stdout\n[profiler]\nstates = 5\nhistory = 2\nmetrics = mem\n',
  );
  const env = { PROXPROFILER_HISTORY: '3', PROXPROFILER_PARAMS: '--cpu', STATE_DIRECTORY: '/var/lib/x:/y' };
  const { run, profiler } = settings(`--config ${path} --states 6`, env);
  assert.deepEqual([profiler.profile.states, profiler.profile.history], [6, 3]);
  assert.deepEqual(run.collectors, ['mem']);
  assert.equal(run.stateDir, '/var/lib/x');
  const command = parse(`--config ${path}`);
  assert.ok(command.kind === 'record');
  assert.equal(command.config, path, 'proxtop status names the file');
  refuses('', /^PROXPROFILER_STATE: unknown variable; did you mean PROXPROFILER_STATES\?$/, {
    PROXPROFILER_STATE: '5',
  });
  writeFileSync(path, 'states = 5\n');
  refuses(`--config ${path}`, /p\.conf:1, states: unknown key; it belongs in \[profiler\]$/);
});

test('flags that only concern proxtop are not flags of proxprofiler', () => {
  for (const flag of ['--view', '--list-metrics', '--record=f', '--replay=f', '--collectors=cpu'])
    refuses(flag, new RegExp(`^${flag.split('=')[0]}: unknown flag`));
});

test('bad values', () => {
  refuses('--states 1', /^--states: found "1", expected a whole number from 2 to 100$/);
  refuses('--states=0', /^--states: found "0"/);
  refuses(
    '--history 7',
    /^--history: found "7", expected a whole number from 1 to 6 \(each more multiplies the/,
  );
  refuses('--history 0', /^--history: found "0", expected a whole number from 1 to 6/);
  refuses('--buffersize 0', /^--buffersize: found "0", expected a whole number from 1/);
  refuses(
    '--filterstddevs 0',
    /^--filterstddevs: found "0", expected a number of standard deviations above 0/,
  );
  refuses(
    '--phasechangelikeliness 1.5',
    /^--phasechangelikeliness: found "1.5", expected a number from 0 to 1$/,
  );
  refuses(
    '--periodsize 7,x',
    /^--periodsize: found "7,x", expected whole numbers from 1, separated by commas/,
  );
  refuses('--periodsize 1000,1000,5', /for at most 10000 spans$/);
  refuses('--state 4', /^--state: unknown flag; did you mean --states\?$/);
  refuses('--pressure', /^--pressure: unknown flag; see proxprofiler --help$/);
});

test('what to do with files', () => {
  assert.equal(parse('').kind, 'record');
  assert.equal(parse('--input x.csv').kind, 'profile-file');
  assert.equal(parse('--likeliness p.json').kind, 'judge');
  assert.equal(parse('--likeliness p.json --input x.csv').kind, 'judge-file');
  const show = parse('--input x.csv --simulate 5 --plot');
  assert.ok(show.kind === 'show');
  assert.deepEqual([show.source, show.simulate, show.plot], ['x.csv', 5, true]);
  const simulate = parse('--likeliness p.json --simulate 5');
  assert.ok(simulate.kind === 'show');
  assert.deepEqual([simulate.source, simulate.simulate, simulate.plot], ['p.json', 5, false]);
  assert.equal(parse('--input x.csv --check').kind, 'check');
  refuses('--plot', /^--plot: needs --input FILE, a recording or a profile$/);
  refuses('--simulate 3', /^--simulate: needs --input FILE/);
  refuses('--simulate 0 --input x', /^--simulate: found "0", expected a whole number from 1 to 1000000$/);
  refuses('--plot --input x --likeliness y', /^--plot: takes one of --input and --likeliness, found both$/);
});
