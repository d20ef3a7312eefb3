import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { OutputStatus } from '../../src/sampling/output-status.ts';
import { directory, range, seqs } from './helpers.ts';

const program = join(import.meta.dirname, 'stdout-program.ts');
const run = (stdout: 'pipe' | number, ...arguments_: string[]): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', program, ...arguments_], { stdio: ['ignore', stdout, 'pipe'] });
const sh = (line: string): ChildProcess =>
  spawn('bash', ['-c', `set -o pipefail; "$NODE" --import tsx "$PROGRAM" ${line}`], {
    env: { ...process.env, NODE: process.execPath, PROGRAM: program },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function exit(child: ChildProcess): Promise<unknown> {
  return ((await once(child, 'exit')) as unknown[])[0];
}

test('a reader that leaves ends the program quietly', async () => {
  const shell = sh('endless 100 | head -1');
  const [out, errors, code] = await Promise.all([buffer(shell.stdout!), text(shell.stderr!), exit(shell)]);
  assert.deepEqual(seqs(out), [1]);
  assert.equal(errors, '');
  assert.equal(code, 0);
});

test('all is flushed to a pipe when close comes right after the writes', async () => {
  const shell = sh('20000 1000 | (sleep 0.3; cat)');
  const [out, errors, code] = await Promise.all([buffer(shell.stdout!), text(shell.stderr!), exit(shell)]);
  assert.deepEqual(seqs(out), range(1, 20_000));
  assert.equal(errors, '');
  assert.equal(code, 0);
});

for (const redirection of ['>', '>>'] as const) {
  test(`all is flushed to a file: ${redirection}`, async (t) => {
    const path = join(directory(t), 'out');
    writeFileSync(path, `${JSON.stringify({ seq: 0, end: 0 })}\n`);
    const shell = sh(`5000 1000 ${redirection} ${path}`);
    const [errors, code] = await Promise.all([text(shell.stderr!), exit(shell)]);
    assert.deepEqual(seqs(readFileSync(path)), range(redirection === '>' ? 1 : 0, 5000));
    assert.equal(errors, '');
    assert.equal(code, 0);
  });
}

test('a full device is a warning', async () => {
  const child = run(openSync('/dev/full', 'w'), '10', '100');
  const [errors, code] = await Promise.all([text(child.stderr!), exit(child)]);
  assert.match(errors, /standard output: ENOSPC/);
  assert.equal(code, 0);
});

test('a terminal gets all', async () => {
  const shell = spawn(
    'script',
    ['-qec', `"${process.execPath}" --import tsx "${program}" 1000 100`, '/dev/null'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const out = (await text(shell.stdout)).replaceAll('\r\n', '\n');
  assert.deepEqual(seqs(Buffer.from(out)), range(1, 1000));
});

test('a reader that sleeps holds up nothing, and memory is bounded', async () => {
  const child = run('pipe', 'idle', '65536');
  const [told] = (await once(child.stderr!, 'data')) as [Buffer];
  const { longest, seq, rss, status } = JSON.parse(told.toString()) as {
    longest: number;
    seq: number;
    rss: number;
    status: OutputStatus;
  };
  assert.ok(longest < 1000, `the event loop stood still for ${longest} ms`);
  assert.ok(rss < 400 << 20, `${rss} bytes resident`);
  assert.ok(status.dropped > 0 && status.queuedBytes <= (64 << 20) + (128 << 10) + 100);
  assert.equal(status.queued + status.unconfirmed + status.sent + status.dropped, seq);
  const [out, code] = await Promise.all([buffer(child.stdout!), exit(child)]);
  assert.equal(code, 0);
  const arrived = seqs(out);
  assert.equal(arrived.length, seq - status.dropped);
  assert.equal(arrived.at(-1), seq);
});
