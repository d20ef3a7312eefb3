import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { directory } from '../outputs/helpers.ts';

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
  assert.equal(
    logged(t, 'debug', (dev, ino) => `${dev}:${ino}`),
    [
      '<7>detail',
      '<6>first',
      '<6>second',
      '<4>cannot read: reason',
      '<3>collector failed: Error: reason',
      '<3>    at one',
      '<3>    at two',
      '',
    ].join('\n'),
  );
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
