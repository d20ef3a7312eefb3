import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { directory } from '../delivery/helpers.ts';

/** What the program logs; `journal` makes JOURNAL_STREAM of the file that is its stderr. */
function logged(t: TestContext, level: string, journal: (dev: bigint, ino: bigint) => string): string {
  const path = join(directory(t), 'stderr');
  const stderr = openSync(path, 'w');
  const { dev, ino } = fstatSync(stderr, { bigint: true });
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'logging-program.ts'), level],
    { env: { ...process.env, JOURNAL_STREAM: journal(dev, ino) }, stdio: ['ignore', 'pipe', stderr] },
  );
  closeSync(stderr);
  assert.equal(status, 0);
  assert.equal(stdout.length, 0, 'only samples go to stdout');
  return readFileSync(path, 'utf8');
}

test('for the journal every line begins with its priority', (t) => {
  const lines = logged(t, 'debug', (dev, ino) => `${dev}:${ino}`).split('\n');
  assert.deepEqual(lines.slice(0, 6), [
    '<7>detail',
    '<6>first second',
    '<4>cannot read: reason',
    '<3>collector failed: Error: reason',
    '<3>    at one',
    '<3>    at two',
  ]);
  for (const line of lines.slice(0, -1)) assert.match(line, /^<[3467]>/);
});

test('what others say is printable, short and on one line', (t) => {
  const lines = logged(t, 'warn', () => '').split('\n');
  const [warning = '', error = '', ...frames] = lines.slice(4, -1);
  assert.match(warning, /warning VM \?\]0;pwned\?\?2J\?\? <0>forged 12:00:00 error forged: x+\.\.\.$/);
  assert.match(error, /error {3}collector failed: Error: .* <0>forged 12:00:00 error forged$/);
  assert.ok(
    frames.length < 30 && frames.every((line) => line === '    at forged'),
    `${frames.length} frames`,
  );
  for (const line of lines) {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.ok(line.length < 450, `${line.length} characters`);
  }
});

test('for people a message begins with time and level, also where the journal is another stream', (t) => {
  const text = logged(t, 'warn', (dev, ino) => `${dev}:${ino + 1n}`);
  const lines = text.split('\n').map((line) => line.replace(/^\d\d:\d\d:\d\d /, 'TIME '));
  assert.deepEqual(lines.slice(0, 3), [
    'TIME warning cannot read: reason',
    'TIME error   collector failed: Error: reason',
    '    at one',
  ]);
});
