import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { until } from '../lab/processes.ts';
import { directory } from '../delivery/helpers.ts';
import { file, printed, samples } from '../recording/files.ts';
import { PROXTOP, Program, proxtop } from './program.ts';

const written = samples(20);

test('a recording goes through any printer, as fast as it is taken', async () => {
  const path = file('in.msgpack', printed(written, 'msgpack', { layout: 'event' }));
  const json = await proxtop(['--replay', path, '-p', 'json', '--verbose', '--devices']);
  assert.deepEqual([json.code, json.stderr], [0, '']);
  assert.equal(json.stdout, printed(written, 'json').toString());
  const csv = await proxtop(['--replay', path, '-p', 'csv', '-r', '3', '--verbose', '--devices']);
  assert.equal(csv.stdout, printed(written.slice(0, 3), 'csv').toString());
  const wide = await proxtop(['--replay', path, '-b']);
  assert.equal(wide.stdout, printed(written, 'esxtop').toString());
});

test('a recording is recorded again in another format', async () => {
  const path = file('in.json.1.gz', gzipSync(printed(written, 'json')));
  const copy = file('copy.msgpack', '');
  const end = await proxtop(['--replay', path, '--record', copy]);
  assert.deepEqual([end.code, end.stderr], [0, '']);
  assert.deepEqual(readFileSync(copy), printed(written, 'msgpack'));
});

test('nothing is dropped on the way to a file that is larger than the queue', async () => {
  const many = Array.from({ length: 400 }, (_, index) => ({
    ...(written[index % 20] ?? assert.fail()),
    seq: index + 1,
  }));
  const path = file('many.json', printed(many, 'json'));
  const copy = file('many-copy.json', '');
  const config = file(
    'small.conf',
    `verbose = true\ndevices = true\n[output.copy]\ntype = file\ntarget = ${copy}\nqueue_bytes = 64K\n`,
  );
  const end = await proxtop(['--config', config, '--replay', path]);
  assert.deepEqual([end.code, end.stderr], [0, '']);
  assert.ok(readFileSync(copy).equals(printed(many, 'json')));
});

test('what cannot be replayed is one line on stderr, and makes no file', async () => {
  const target = `${file('x', '')}.out`;
  const end = await proxtop([
    '--replay',
    file('some.csv', 'a,b\n1,2\n'),
    '-p',
    'json',
    '-o',
    'file',
    '--target',
    target,
  ]);
  assert.equal(end.code, 1);
  assert.match(
    end.stderr,
    /some\.csv: found "a,b", expected samples that proxtop wrote as json or msgpack\n$/,
  );
  assert.equal(end.stderr.trimEnd().split('\n').length, 1);
  assert.equal(existsSync(target), false);
});

test('a torn end is told', async () => {
  const bytes = printed(written, 'json');
  const end = await proxtop([
    '--replay',
    file('torn.json', bytes.subarray(0, -9)),
    '-p',
    'json',
    '--verbose',
    '--devices',
  ]);
  assert.equal(end.code, 0);
  assert.equal(end.stdout, printed(written.slice(0, -1), 'json').toString());
  assert.match(end.stderr, /torn\.json: skipped 1 torn or damaged record\(s\)\n$/);
});

/** A shell that runs a line with the program as `$0`. */
function shell(line: string, ...args: readonly string[]): Program {
  const bash = ['-o', 'pipefail', '-c', line, PROXTOP, ...args];
  return new Program(spawn('bash', bash, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

test('samples go from one proxtop to the next while they are taken', async () => {
  // Warnings may be about VMs of other tests.
  const flags = '--qemu --procfs=/proc --log-level=error -f 0.5';
  const pipe = shell(`$0 ${flags} -p json -r 3 | $0 --replay - -p csv`);
  const { code, stdout, stderr } = await pipe.end();
  assert.deepEqual([code, stderr], [0, '']);
  const rows = stdout.split('\n').filter((line) => line.startsWith('host,'));
  // A header and a row for each sample.
  assert.equal(rows.length, 4, stdout);
  const endless = shell(`$0 ${flags} -p msgpack -f 0.2 | $0 --replay - -p json -r 2`);
  const end = await endless.end();
  assert.deepEqual([end.code, end.stderr], [0, '']);
  assert.equal(end.stdout.trimEnd().split('\n').length, 2, 'who has seen enough ends both');
});

test('a recording comes through pipes as well, compressed or not, by name or not', async (t) => {
  const expected = printed(written, 'json').toString();
  for (const format of ['json', 'msgpack'] as const) {
    const path = file(`plain.${format}`, printed(written, format));
    for (const line of [
      'cat "$1" | $0 --replay - -p json --verbose --devices',
      'gzip -c "$1" | $0 --replay - -p json --verbose --devices',
      '$0 --replay - -p json --verbose --devices < "$1"',
      '$0 --replay <(gzip -c "$1") -p json --verbose --devices',
    ]) {
      const { code, stdout, stderr } = await shell(line, path).end();
      assert.deepEqual([code, stderr], [0, ''], line);
      assert.equal(stdout, expected, line);
    }
    const fifo = join(directory(t), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const [end] = await Promise.all([
      proxtop(['--replay', fifo, '-p', 'json', '--verbose', '--devices']),
      writeFile(fifo, gzipSync(printed(written, format))),
    ]);
    assert.deepEqual([end.code, end.stdout], [0, expected]);
  }
});

test('a signal ends the wait for a pipe that nobody writes to', async (t) => {
  const fifo = join(directory(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const [path, stdin] of [
    ['-', 'pipe'],
    [fifo, 'ignore'],
  ] as const) {
    const child = spawn(PROXTOP, ['--replay', path, '-p', 'json'], { stdio: [stdin, 'pipe', 'pipe'] });
    const waiting = new Program(child);
    await until('it runs', () => readlinkSync(`/proc/${waiting.pid}/exe`).endsWith('node'));
    await until(
      'it obeys signals',
      () =>
        (BigInt(
          `0x${/SigCgt:\s*(\w+)/.exec(readFileSync(`/proc/${waiting.pid}/status`, 'utf8'))?.[1] ?? '0'}`,
        ) &
          (1n << 14n)) !==
        0n,
    );
    const { stdout, signal, code } = await waiting.stop();
    assert.equal(stdout, '');
    assert.ok(code === 0 || signal === 'SIGTERM', `${String(code)} ${String(signal)}`);
  }
});

test('without input there is nothing to show', async () => {
  const { code, stderr } = await shell('$0 --replay - -p json < /dev/null').end();
  assert.equal(code, 1);
  assert.match(stderr, /-: it is empty, expected samples of proxtop\n$/);
});
