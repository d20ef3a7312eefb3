import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { file, printed, samples } from '../recording/files.ts';
import { proxtop } from './program.ts';

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
  assert.match(end.stderr, /torn\.json: 1 record\(s\) passed over that are torn or damaged\n$/);
});
