import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine, proxtopProgram } from '../../src/cli/arguments/arguments.ts';
import { describeSettings } from '../../src/cli/check.ts';
import { flags } from '../../src/cli/arguments/flags.ts';
import { helpText } from '../../src/cli/help.ts';
import { metricsJson, metricsTable } from '../../src/cli/list-metrics.ts';
import { parseProfilerCommandLine } from '../../src/cli/profiler/profiler-arguments.ts';
import { describeProfiles } from '../../src/cli/profiler/profiler-check.ts';
import { version } from '../../src/cli/version.ts';
import { catalogue } from '../../src/catalogue/catalogue.ts';

const root = new URL('../..', import.meta.url).pathname;

test('the help names every flag and fits 80 columns', () => {
  const text = helpText(proxtopProgram);
  for (const { name, aliases, hidden } of flags) {
    for (const each of [name, ...aliases]) {
      const shown = new RegExp(`(^|[ ,])-{1,2}${each}(?![\\w-])`, 'm').test(text);
      assert.equal(shown, !hidden, each);
    }
  }
  for (const line of text.split('\n')) assert.ok(line.length <= 80 && line === line.trimEnd(), line);
  assert.match(text, /Exit codes: 0 done, 1 failure or lost records,\s+2 wrong/);
});

test('the examples of the help are valid', () => {
  const examples = [...helpText(proxtopProgram).matchAll(/^ {2}proxtop((?: \S+)*)/gm)].map(
    ([, line = '']) => line,
  );
  assert.ok(examples.length >= 3);
  for (const line of examples) {
    const argv = line.replace('/etc/proxtop.conf', join(root, 'etc/proxtop.conf')).split(' ').filter(Boolean);
    assert.doesNotThrow(() => parseCommandLine(argv, {}), line);
  }
});

test('the metrics as JSON have the columns of the contract, in its order', () => {
  const metrics = JSON.parse(metricsJson()) as Record<string, string>[];
  assert.equal(metrics.length, catalogue.length);
  const contract = 'scope collector id title unit kind shown source definition original'.split(' ');
  for (const [index, metric] of metrics.entries()) {
    assert.deepEqual(Object.keys(metric).slice(0, contract.length), contract);
    assert.deepEqual(
      Object.keys(metric).slice(contract.length),
      ['meaning', 'needs', 'container']
        .filter((name) => name === 'meaning' || catalogue[index]?.[name as 'needs' | 'container'] !== '')
        .concat(
          metric['kind'] === 'percent' || (metric['kind'] === 'mean' && metric['unit'] === 'ms')
            ? 'peak'
            : [],
        ),
    );
  }
  assert.ok(metrics.some(({ id, needs }) => id === 'psi_some_cpu_avg10' && needs === 'PSI'));
});

test('the table of metrics is aligned and has a line for each', () => {
  const [heading = '', ...lines] = metricsTable().trimEnd().split('\n');
  assert.equal(lines.length, catalogue.length);
  const starts = [...heading.matchAll(/\S+/g)].map(({ index }) => index);
  for (const line of lines) {
    for (const start of starts.slice(1)) assert.match(line.slice(start - 2), /^ {2}\S/, line);
  }
});

test('--check says what would run', () => {
  const argv = '--check -f 0.5 -r 3 --psi -o tcp --target [::1]:5000 --verbose'.split(' ');
  const command = parseCommandLine(argv, {});
  assert.ok(command.kind === 'check');
  const text = describeSettings(command.examined.settings);
  assert.match(text, /^ {2}sample +every 0\.5 seconds, 3 times$/m);
  assert.match(text, /^ {2}measure +pressure$/m);
  assert.match(
    text,
    /^ {2}output tcp +tcp to \[::1\]:5000; queue of 64 MiB, drop_oldest when full; .*verbose metrics$/m,
  );
});

test('--check says which devices of the host are summed and which have rows', () => {
  const lines = (flags: string): string[] => {
    const command = parseCommandLine(['--check', ...flags.split(' ').filter(Boolean)], {});
    assert.ok(command.kind === 'check');
    return describeSettings(command.examined.settings).match(/(?<=^ {2}host (NICs|disks) +)\S.*$/gm) ?? [];
  };
  assert.deepEqual(lines(''), [
    'sums over all physical ones; rows of the same',
    'sums over all physical ones; rows of the usual ones',
  ]);
  assert.deepEqual(lines('--netdev eno1,eno2 --nic-rows vmbr* --storedev=!sdb --disk-rows=!zd*,!rbd*'), [
    'sums over eno1, eno2; rows of vmbr*',
    'sums over all physical ones, !sdb; rows of the usual ones, !zd*, !rbd*',
  ]);
});

test('the help of proxprofiler fits 80 columns, its examples are valid, and --check says what would run', () => {
  const command = parseProfilerCommandLine(['--help'], {});
  assert.ok(command.kind === 'help');
  for (const line of command.text.split('\n')) assert.ok(line.length <= 80 && line === line.trimEnd(), line);
  assert.match(command.text, /--cpu +CPU time used and waited for/);
  const examples = [...command.text.matchAll(/^ {2}proxprofiler((?: \S+)*)/gm)].map(([, line = '']) => line);
  assert.ok(examples.length >= 3);
  for (const line of examples)
    assert.doesNotThrow(() => parseProfilerCommandLine(line.split(' ').filter(Boolean), {}), line);
  const check = parseProfilerCommandLine(
    '--check --mem --outputfreq 5m --fixedbound --io-limit 1G --periodsize 7,24'.split(' '),
    {},
  );
  assert.ok(check.kind === 'check');
  const text = describeSettings(check.examined.settings, describeProfiles(check.settings));
  assert.match(text, /^ {2}measure +mem$/m);
  assert.match(text, /^ {2}profiles +every 300 seconds$/m);
  assert.match(text, /^ {2}bounds +fixed; net to the speed of the links, io 1073741824 bytes per second$/m);
  assert.match(text, /^ {2}cycles +7, 24$/m);
});

test('outside a bundle the version says so', () => {
  assert.equal(version, 'development');
});

test('the documents are generated, and a stale one is found', () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-docs-'));
  const tsx = join(root, 'node_modules/.bin/tsx');
  const generate = join(root, 'docs/generate.ts');
  try {
    for (const path of [
      'docs',
      'debian/completions/bash',
      'debian/completions/zsh',
      'debian/completions/fish',
    ])
      mkdirSync(join(directory, path), { recursive: true });
    for (const path of ['docs/flags.md', 'docs/profiler.md'])
      writeFileSync(join(directory, path), 'before\n<!-- flags -->\nold\n<!-- /flags -->\nafter\n');
    writeFileSync(join(directory, 'docs/migrating.md'), '<!-- names -->\n<!-- /names -->\n');
    const blocks = ['views', 'keys', 'replay-keys'].map((name) => `<!-- ${name} -->\n<!-- /${name} -->\n`);
    writeFileSync(join(directory, 'docs/view.md'), blocks.join(''));
    execFileSync(tsx, [generate], { cwd: directory });
    const flags = readFileSync(join(directory, 'docs/flags.md'), 'utf8');
    assert.match(
      flags,
      /^before\n<!-- flags -->\n\| flag \|[\s\S]*`-f, -d, --frequency SECONDS`[\s\S]*<!-- \/flags -->\nafter\n$/,
    );
    assert.ok(!flags.includes('old\n'));
    const profiler = readFileSync(join(directory, 'docs/profiler.md'), 'utf8');
    assert.match(profiler, /`--states N`[\s\S]*`--likeliness PROFILE`/);
    const view = readFileSync(join(directory, 'docs/view.md'), 'utf8');
    assert.match(view, /`c` \| CPU[\s\S]*`< >`[\s\S]*`J` \| to a time/);
    const metrics = readFileSync(join(directory, 'docs/metrics.md'), 'utf8');
    assert.equal(metrics.match(/^\| `/gm)?.length, catalogue.length);
    assert.equal(spawnSync(tsx, [generate, '--check'], { cwd: directory }).status, 0);
    appendFileSync(join(directory, 'docs/metrics.md'), 'edited\n');
    const { status, stderr } = spawnSync(tsx, [generate, '--check'], { cwd: directory, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /^docs\/metrics\.md is stale/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
