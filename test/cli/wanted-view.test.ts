import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';

/** Whether the view opens, and the names of the outputs beside it. */
function opened(
  line: string,
  { env = {}, onTerminal = true }: { env?: NodeJS.ProcessEnv; onTerminal?: boolean } = {},
): [boolean, string[]] {
  const command = parseCommandLine(line.split(' ').filter(Boolean), { TERM: 'xterm', ...env }, onTerminal);
  assert.ok(command.kind === 'run');
  return [command.view, command.settings.outputs.map(({ name }) => name)];
}

test('on a terminal the view opens where nothing says what to print or where to', () => {
  const views = [
    '',
    '--proxmox -f 5',
    '--cpu --disk',
    '--verbose --devices',
    '--record /tmp/x.json',
    '--replay /tmp/x',
  ];
  for (const line of views) assert.deepEqual(opened(line), [true, []], line);
  assert.deepEqual(opened('', { env: { PROXTOP_FREQUENCY: '2' } }), [true, []]);
  const streams = ['-p text', '-o stdout', '-H', '-r 1', '--names=original', '-b', '--layout event -p json'];
  for (const line of streams) assert.deepEqual(opened(line), [false, ['stdout']], line);
  assert.deepEqual(opened('--target h:1'), [false, ['tcp']]);
  assert.deepEqual(
    opened('--replay /tmp/x --record /tmp/y'),
    [false, ['stdout']],
    'a recording is turned into another',
  );
  assert.deepEqual(opened('', { env: { PROXTOP_TARGET: 'h:1' } }), [false, ['tcp']]);
});

test('elsewhere it never opens by itself', () => {
  assert.deepEqual(opened('', { onTerminal: false }), [false, ['stdout']]);
  assert.deepEqual(opened('', { onTerminal: false, env: { TERM: 'dumb' } }), [false, ['stdout']]);
});

test('a file with outputs runs them; --view opens the view beside them', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-view-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const path = join(directory, 'proxtop.conf');
  writeFileSync(path, '[output.logs]\ntype = tcp\ntarget = h:1\n');
  assert.deepEqual(opened(`--config ${path}`), [false, ['logs']]);
  assert.deepEqual(opened(`--config ${path} --view`), [true, ['logs']]);
  writeFileSync(path, 'frequency = 3\n');
  assert.deepEqual(opened(`--config ${path}`), [true, []]);
});

test('where it cannot open it says why', () => {
  assert.throws(() => opened('--view', { onTerminal: false }), /^ConfigError: --view: needs a terminal/);
  assert.throws(() => opened('--view -p json'), /output stdout writes to the same terminal/);
  assert.throws(
    () => opened('--view --replay /tmp/x -o file --target /tmp/y'),
    /a replay goes to the view or to outputs/,
  );
  for (const [term, text] of [
    ['dumb', /TERM is dumb/],
    ['', /TERM is not set/],
  ] as const)
    assert.throws(() => opened('', { env: { TERM: term } }), text);
});
