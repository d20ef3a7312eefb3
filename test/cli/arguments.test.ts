import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';
import { collectorNames } from '../../src/catalogue/catalogue.ts';
import type { Settings } from '../../src/config/settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-arguments-'));
after(() => {
  rmSync(directory, { recursive: true });
});

function configFile(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** The settings that a command line, given as words separated by spaces, runs with. */
function run(line: string, env: NodeJS.ProcessEnv = {}): Settings {
  const command = parseCommandLine(line.split(' ').filter(Boolean), env);
  assert.equal(command.kind, 'run');
  return command.settings;
}

/** Checks that a command line is refused with one or two lines. */
function refuses(line: string, message: string | RegExp, env: NodeJS.ProcessEnv = {}): void {
  assert.throws(
    () => parseCommandLine(line.split(' ').filter(Boolean), env),
    (error: Error) => {
      assert.equal(error.name, 'ConfigError', line);
      assert.ok(error.message.split('\n').length <= 2, error.message);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

test('both spellings of a value, and the short names', () => {
  for (const line of [
    '--frequency 2 --runs 3',
    '--frequency=2 --runs=3',
    '-f 2 -r 3',
    '-f2 -r3',
    '-f=2 -r=3',
  ]) {
    const { frequency, runs } = run(line);
    assert.deepEqual([frequency, runs], [2, 3], line);
  }
  assert.equal(run('--frequency 1 --frequency 2').frequency, 2);
  assert.equal(run('--runs -1').runs, Infinity);
  const [stdout] = run('-H').outputs;
  assert.ok(stdout?.type === 'stdout' && stdout.print.human);
});

test('the line of the original service', () => {
  const { collectors, outputs } = run(
    '--printer=json --output=tcp --target=192.0.2.1:12345 --cpu --net --mem --io --disk --host --verbose',
    { PROXTOP_TARGET: '192.0.2.1:12345' },
  );
  assert.deepEqual(collectors, ['cpu', 'mem', 'disk', 'net', 'io', 'host']);
  assert.equal(outputs.length, 1);
  const [output] = outputs;
  assert.ok(output?.type === 'tcp');
  assert.deepEqual(
    [output.host, output.port, output.printer, output.print.verbose],
    ['192.0.2.1', 12345, 'json', true],
  );
});

test('a lone dash is the value of a flag that needs one, and stands for standard input', () => {
  assert.equal(run('--replay - -p json').replay, '-');
  assert.equal(run('--replay=- -p json').replay, '-');
});

test('collectors: none given means the usual five, any given exactly those', () => {
  assert.deepEqual(run('').collectors, ['cpu', 'mem', 'disk', 'net', 'io']);
  assert.deepEqual(run('--host --cpu').collectors, ['cpu', 'host']);
  assert.deepEqual(run('--pressure').collectors, ['pressure']);
  assert.deepEqual(run('--psi').collectors, ['pressure'], 'as 0.1.0 called it too');
  assert.deepEqual(run('--cpu', { PROXTOP_COLLECTORS: 'mem, disk' }).collectors, ['cpu']);
  assert.deepEqual(
    run('--cpu --mem --disk --net --io --psi --host --sensors --energy').collectors,
    collectorNames,
  );
});

test('everything else that can be set', () => {
  const settings = run(
    '--detail-interval 7 --netdev eno1,eno2 --storedev=sda --devices --names original --log-level debug ' +
      '--nic-rows eno*,vmbr0 --disk-rows=!zd* ' +
      '--procfs /p --sysfs /s --cgroupfs /c --rundir /r --pvedir /v --proxmox',
  );
  assert.equal(settings.detailInterval, 7);
  assert.deepEqual(settings.netdev, ['eno1', 'eno2']);
  assert.deepEqual(settings.storedev, ['sda']);
  assert.deepEqual([settings.nicRows, settings.diskRows], [['eno*', 'vmbr0'], ['!zd*']]);
  assert.equal(settings.connector, 'proxmox');
  assert.equal(settings.logLevel, 'debug');
  assert.deepEqual(settings.roots, { procfs: '/p', sysfs: '/s', cgroupfs: '/c', rundir: '/r', pvedir: '/v' });
  const [output] = settings.outputs;
  assert.ok(output?.type === 'stdout');
  assert.deepEqual([output.print.devices, output.print.names], [true, 'original']);
});

test('outputs: a printer alone is for stdout, udp prints events, [::1]:5000 is an address', () => {
  const [stdout] = run('-p json --layout event').outputs;
  assert.ok(stdout?.type === 'stdout');
  assert.deepEqual([stdout.printer, stdout.print.layout], ['json', 'event']);
  const [udp] = run('--output=udp --target=[::1]:5000').outputs;
  assert.ok(udp?.type === 'udp');
  assert.deepEqual([udp.host, udp.port, udp.print.layout, udp.maxDatagram], ['::1', 5000, 'event', 65507]);
  const [file] = run('-o file --target /tmp/x').outputs;
  assert.equal(file?.type === 'file' && file.path, '/tmp/x');
});

test('arguments win over environment, and that over the file', () => {
  const path = configFile(
    'layers.conf',
    'frequency = 2\nruns = 2\nlog_level = warn\nverbose = true\n[output.a]\ntype = stdout\ndevices = true\n',
  );
  const command = parseCommandLine(['--config', path, '-f', '4', '--no-verbose'], {
    PROXTOP_FREQUENCY: '3',
    PROXTOP_RUNS: '3',
    PROXTOP_DEVICES: 'false',
  });
  assert.ok(command.kind === 'run');
  const { frequency, runs, logLevel, outputs } = command.settings;
  assert.deepEqual([frequency, runs, logLevel], [4, 3, 'warn']);
  assert.deepEqual(
    [outputs[0]?.name, outputs[0]?.print.verbose, outputs[0]?.print.devices],
    ['a', false, false],
  );
  assert.equal(command.config, path);
});

test('an output among the arguments replaces those of environment and file', () => {
  const path = configFile(
    'outputs.conf',
    '[output.a]\ntype = tcp\ntarget = a:1\n[output.b]\ntype = stdout\n',
  );
  const env = { PROXTOP_TARGET: 'logs:12345', PROXTOP_TIMEOUT: '5' };
  assert.deepEqual(
    run(`--config ${path}`).outputs.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.deepEqual(
    run(`--config ${path} -o stdout`, env).outputs.map(({ type }) => type),
    ['stdout'],
  );
  const [tcp] = run(`--config ${path} -o tcp`, env).outputs;
  assert.ok(tcp?.type === 'tcp');
  assert.deepEqual([tcp.host, tcp.timeout], ['logs', 5]);
  refuses(`--config ${path} --printer text`, /^--printer: applies to an output .*; add --output to replace/);
});

test('what is not about settings', () => {
  assert.equal(parseCommandLine(['-v'], {}).kind, 'version');
  assert.equal(parseCommandLine(['--version', '--frequency=0'], {}).kind, 'version');
  assert.equal(parseCommandLine(['-h'], {}).kind, 'help');
  assert.deepEqual(parseCommandLine(['--list-metrics'], {}), { kind: 'list-metrics', format: 'table' });
  assert.deepEqual(parseCommandLine(['--list-metrics=json'], {}), { kind: 'list-metrics', format: 'json' });
  assert.equal(parseCommandLine(['--check'], {}).kind, 'check');
  refuses('--list-metrics=jsn', '--list-metrics: found "jsn", expected table or json; did you mean "json"?');
});

test('bad values', () => {
  const frequency = 'expected a number of seconds from 0.1 to 86400';
  for (const text of ['0', '-1', 'abc', '0.01']) {
    refuses(`--frequency ${text}`, `--frequency: found "${text}", ${frequency}`);
    refuses(`--frequency=${text}`, `--frequency: found "${text}", ${frequency}`);
  }
  for (const text of ['-2', 'x', '1.5', '0']) {
    refuses(`--runs ${text}`, `--runs: found "${text}", expected a whole number from 1, or endless`);
  }
  refuses(
    '--printer jsonn',
    '--printer: found "jsonn", expected json, influx, msgpack, csv, text, esxtop, otlp or remote-write; did you mean "json"?',
  );
  refuses(
    '--printer=ncurses',
    '--printer: found "ncurses", expected json, influx, msgpack, csv, text, esxtop, otlp or remote-write',
  );
  refuses(
    '-o tpc',
    '--output: found "tpc", expected stdout, file, tcp, udp, http or prometheus; did you mean "tcp"?',
  );
  refuses('--detail-interval 1 -f 2', /^--detail-interval: found "1", expected the frequency or more/);
  refuses('', 'PROXTOP_FREQUENCY: found "abc", expected a number of seconds from 0.1 to 86400', {
    PROXTOP_FREQUENCY: 'abc',
  });
});

test('bad targets', () => {
  refuses(
    '--output=tcp',
    /^--output: tcp needs a target \(--target\): host:port, for example logstash\.example:12345$/,
  );
  refuses('-o udp', /^--output: udp needs a target/);
  refuses('-o file', '--output: file needs a target (--target): a path');
  refuses('-o tcp --target logs', /^--target: found "logs", expected a port after the host, for example/);
  refuses('-o tcp --target logs:0', /^--target: found "logs:0", expected a port from 1 to 65535/);
  refuses('-o tcp --target logs:99999', /^--target: found "logs:99999", expected a port from 1 to 65535/);
  refuses('-o tcp --target=', '--target: needs a value: --target TARGET');
  refuses(
    '-o stdout --target a:1',
    '--target: applies to file, tcp, udp and http, but this output is stdout',
  );
});

test('contradictions', () => {
  refuses(
    '-o udp --target a:1 --layout=cycle',
    /^--layout: found "cycle", but udp sends one line as one datagram/,
  );
  refuses('--proxmox --libvirt', '--proxmox and --libvirt exclude each other; give one of them');
  refuses(
    '--proxmox -c qemu:///system',
    '--connection: found "qemu:///system", but --proxmox says proxmox; give one of them',
  );
});

test('unknown flags, stray arguments, missing and surplus values', () => {
  refuses('--frequncy=1', '--frequncy: unknown flag; did you mean --frequency?');
  refuses('--cpuu', '--cpuu: unknown flag; did you mean --cpu?');
  refuses('--presure', '--presure: unknown flag; did you mean --pressure?');
  refuses('--zzzzzz', '--zzzzzz: unknown flag; see proxtop --help');
  refuses('--conf x', '--conf: unknown flag; did you mean --config?');
  refuses('--freq 2', '--freq: unknown flag; did you mean --frequency?');
  refuses('--pro', '--pro: unknown flag; see proxtop --help');
  refuses(`--${'x'.repeat(1000)}`, /^--x{55}\.\.\.: unknown flag; see proxtop --help$/);
  refuses('--\u001b[2J', /^--\?\[2J: unknown flag/);
  refuses('chekc', '"chekc": unexpected argument; did you mean --check?');
  refuses('check', '"check": unexpected argument; did you mean --check?');
  refuses('--cpu statsu', '"statsu": unexpected argument; did you mean status?');
  refuses('status chekc', '"chekc": unexpected argument; did you mean --check?');
  refuses(
    '/etc/proxtop.conf',
    '"/etc/proxtop.conf": unexpected argument; did you mean --config /etc/proxtop.conf?',
  );
  refuses('-x', '-x: unknown flag; see proxtop --help');
  refuses('--no-cpu', '--no-cpu: unknown flag; see proxtop --help');
  refuses('--no-target', '--no-target: unknown flag; see proxtop --help');
  refuses('json', /^"json": unexpected argument; the usage is proxtop \[FLAG\]\.\.\. or proxtop status/);
  refuses('--cpu mem', /^"mem": unexpected argument/);
  refuses('-- --cpu', /^"--cpu": unexpected argument/);
  refuses('--frequency', '--frequency: needs a value: --frequency SECONDS');
  refuses('--target --verbose', '--target: needs a value: --target TARGET');
  refuses('--config', '--config: needs a value: --config FILE');
  refuses('--verbose=maybe', '--verbose: takes no value');
  refuses('-H=1', '-H: takes no value');
});

test('a bad file', () => {
  const missing = join(directory, 'missing.conf');
  refuses(`--config ${missing}`, `${missing}: cannot read the configuration file: there is no such file`);
  const path = configFile('bad.conf', '[output.a]\ntype = tcp\ntarget = a:1\nprintr = json\n');
  refuses(`--config ${path} --check`, `${path}:4, [output.a] printr: unknown key; did you mean printer?`);
});

test('the command spool, what it is to do, and where', () => {
  const request = (line: string): unknown => {
    const command = parseCommandLine(line.split(' '), {});
    assert.ok(command.kind === 'spool');
    return [command.request, command.stateDir];
  };
  assert.deepEqual(request('spool'), [{ action: 'list' }, '/var/lib/proxtop']);
  assert.deepEqual(request('spool list --state-dir /s'), [{ action: 'list' }, '/s']);
  assert.deepEqual(request('spool drain logs'), [
    { action: 'drain', spool: 'logs', file: '-' },
    '/var/lib/proxtop',
  ]);
  assert.deepEqual(request('spool drain logs:json out --state-dir=/s'), [
    { action: 'drain', spool: 'logs:json', file: 'out' },
    '/s',
  ]);
  assert.deepEqual(request('spool delete logs --state-dir /s'), [{ action: 'delete', spool: 'logs' }, '/s']);
  for (const line of [
    'spool drain',
    'spool delete',
    'spool list logs',
    'spool empty logs',
    'spool drain a b c',
  ])
    refuses(line, /the usage is proxtop spool \[list\]/);
});
