// `proxtop report` as it was built: what it writes where, and what it says of what it cannot read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPrinter } from '../../src/formats/index.ts';
import { PROXTOP } from '../e2e/program.ts';
import { sampleOf, settings } from '../formats/sample.ts';
import { keep, place, report, samplesOf, textOf } from './helpers.ts';

const begin = Date.UTC(2026, 10, 28, 2);
const story = { begin, minutes: 10, spikeAt: 4 };

test('a history: twice the same bytes, a name of host and span, not for everybody', async (t) => {
  const directory = place(t);
  await keep(join(directory, 'history'), story);
  const first = await report([directory, '--from', '2026-11-28T02:02Z', '--to', '+4m'], {}, directory);
  assert.equal(first.code, 0, first.stderr);
  const name = 'proxtop-pve1-20261128T0202-0206.html';
  assert.match(
    first.stderr,
    new RegExp(`^${name}: 2026-11-28 02:02 to 2026-11-28 02:05:50 \\(4 min, UTC\\), 8 guests, 1 verdict,`),
  );
  assert.deepEqual(readdirSync(directory).sort(), ['history', name]);
  assert.equal(statSync(join(directory, name)).mode & 0o007, 0);
  const text = textOf(join(directory, name));
  // Again, over the one that is there.
  assert.equal(
    (await report([directory, '--from', '2026-11-28T02:02Z', '--to', '+4m'], {}, directory)).code,
    0,
  );
  assert.equal(textOf(join(directory, name)), text);
  // To standard output, and at a time.
  const out = await report([directory, '--from=2026-11-28T02:02Z', '--to=+4m', '-o', '-']);
  assert.equal(out.stdout, text);
  assert.equal(out.stderr, '');
  const { stderr } = await report(['--at', '2026-11-28T02:30Z', '-o', '/dev/null', directory]);
  assert.match(stderr, /02:00:10 to 2026-11-28 02:10 /);
});

test('a recording: its verdicts are found anew; one sample is enough', async (t) => {
  const directory = place(t);
  const printer = createPrinter('json', settings);
  const lines = [...samplesOf(story)].flatMap((sample) => printer.print(sample).map(String));
  const file = join(directory, 'friday.json');
  writeFileSync(file, lines.join(''));
  const path = join(directory, 'a.html');
  const made = await report([file, '-o', path]);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /10 min, UTC\), 8 guests, 0 verdicts,/);
  assert.match(textOf(path), /<td class="n bad">70 %<\/td>/);
  writeFileSync(file, lines[0] ?? '');
  const one = await report([file, '-o', path]);
  assert.equal(one.code, 0, one.stderr);
  assert.match(textOf(path), /1 sample about 5 s/);
});

test('what is no file of its own stays: a link is written through, as /dev/stdout is; a long name is written', async (t) => {
  const directory = place(t);
  const file = join(directory, 'one.json');
  writeFileSync(file, createPrinter('json', settings).print(sampleOf({})).join(''));
  const written = /^<!DOCTYPE html>/;
  writeFileSync(join(directory, 'target.html'), 'old');
  symlinkSync('target.html', join(directory, 'link.html'));
  symlinkSync('/proc/self/fd/1', join(directory, 'stdout'));
  assert.equal((await report([file, '-o', join(directory, 'link.html')])).code, 0);
  assert.match(textOf(join(directory, 'target.html')), written);
  // Where it leads to a file: into that, and not in place of the link.
  const shell = spawnSync('sh', [
    '-c',
    '"$0" report "$1" -o "$2/stdout" > "$2/out.html"',
    PROXTOP,
    file,
    directory,
  ]);
  assert.equal(shell.status, 0, String(shell.stderr));
  assert.match(textOf(join(directory, 'out.html')), written);
  for (const name of ['link.html', 'stdout']) assert.ok(lstatSync(join(directory, name)).isSymbolicLink());
  const long = join(directory, `${'x'.repeat(250)}.html`);
  assert.equal((await report([file, '-o', long])).code, 0);
  assert.match(textOf(long), written);
});

test('torn and damaged minutes are told', async (t) => {
  const directory = place(t);
  const history = join(directory, 'history');
  await keep(history, story);
  const [name = ''] = readdirSync(history).filter((each) => each.endsWith('.gz'));
  const file = join(history, name);
  const bytes = readFileSync(file);
  bytes.fill(0, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 20);
  writeFileSync(file, bytes);
  truncateSync(file, bytes.length - 5);
  const path = join(directory, 'a.html');
  const { code, stderr } = await report([history, '-o', path]);
  assert.equal(code, 0, stderr);
  assert.match(textOf(path), /records could not be read: they are torn or damaged/);
  assert.match(/<ul class="gaps">.*?<\/ul>/s.exec(textOf(path))?.[0] ?? '', /02:0\d: 60 s are missing/);
});

test('what cannot be read is one clear line', async (t) => {
  const directory = place(t);
  await keep(join(directory, 'history'), story);
  const cases: readonly (readonly [flags: readonly string[], code: number, message: RegExp])[] = [
    [
      [directory, '--from', '2026-11-29T02:00Z'],
      1,
      /nothing was recorded at that time: the history goes from 2026-11-28T02:00/,
    ],
    [['--state-dir', join(directory, 'none')], 1, /there is no history yet/],
    [[join(directory, 'none.json')], 1, /none\.json/],
    [['--from', '3 uhr'], 2, /--from.*3 uhr.*expected a time/],
    [['--from', 'yesterday', '22:15', 'x'], 2, /quotation marks/],
    [['--colour'], 2, /--colour: unknown flag/],
    [[directory, '-o', join(directory, 'none', 'a.html')], 1, /none/],
  ];
  for (const [flags, code, message] of cases) {
    const made = await report(flags);
    assert.equal(made.code, code, `${flags.join(' ')}: ${made.stderr}`);
    assert.match(made.stderr, message);
    assert.equal(made.stderr.trimEnd().split('\n').length, 1, made.stderr);
  }
  const { code, stdout } = await report(['--help']);
  assert.equal(code, 0);
  assert.match(stdout, /Usage: proxtop report \[FILE\] \[FLAG\]\.\.\./);
  assert.ok(
    stdout.split('\n').every((line) => line.length <= 80),
    stdout,
  );
});
