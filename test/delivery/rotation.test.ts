import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FileDestination } from '../../src/delivery/file/file.ts';
import type { RotationSettings } from '../../src/delivery/settings.ts';
import {
  assertAccounted,
  directory,
  logs,
  range,
  record,
  records,
  seqs,
  TestOutput,
  until,
} from './helpers.ts';

async function open(
  t: TestContext,
  path: string,
  rotation: RotationSettings,
): Promise<{ file: TestOutput; at: ReturnType<typeof logs>['at'] }> {
  const { log, at } = logs();
  const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
  const queue = { maxBytes: 64 << 20, whenFull: 'drop_oldest' } as const;
  const settings = { name: 'test', printer: 'json', print, type: 'file', path, queue, rotation } as const;
  const file = new TestOutput(t, settings, log, (tap) => new FileDestination(settings, tap, log));
  await file.ready();
  return { file, at };
}

/** What a file holds, by an independent reader where it is compressed. */
function contentOf(path: string): Buffer {
  if (existsSync(path)) return readFileSync(path);
  return execFileSync('gzip', ['-dc', `${path}.gz`], { maxBuffer: 1 << 28 });
}

test('under load nothing is lost, doubled or misplaced', async (t) => {
  const path = join(directory(t), 'samples');
  const size = 200_000;
  const { file } = await open(t, path, { size, keep: 1000 });
  let seq = 0;
  await until(() => {
    file.send(records(seq + 1, seq + 20, 1000));
    seq += 20;
    return existsSync(`${path}.12.gz`) || existsSync(`${path}.12`);
  }, 'twelve files');
  assertAccounted(file.status, seq);
  await file.close(5000);
  const names = readdirSync(join(path, '..')).flatMap((name) => /^samples\.(\d+)/.exec(name)?.[1] ?? []);
  const numbers = [...new Set(names.map(Number))].sort((a, b) => b - a);
  const parts = [...numbers.map((number) => contentOf(`${path}.${number}`)), readFileSync(path)];
  assert.ok(parts.slice(0, -1).every(({ length }) => length >= size));
  assert.deepEqual(
    parts.flatMap((part) => seqs(part)),
    range(1, seq),
  );
  assert.deepEqual([file.status.sent, file.status.dropped], [seq, 0]);
});

test('a file is put aside when it has its size, and only so many are kept', async (t) => {
  const parent = directory(t);
  const path = join(parent, 'samples');
  const size = 10 * record(1001).length;
  const { file } = await open(t, path, { size, keep: 3 });
  for (let seq = 1001; seq <= 1095; seq++) {
    file.send([record(seq)]);
    // Each file is compressed before the next one is full.
    await until(() => file.status.queued === 0 && !existsSync(`${path}.1`), 'compressed');
  }
  await file.close(5000);
  assert.deepEqual(readdirSync(parent).sort(), ['samples', 'samples.1.gz', 'samples.2.gz', 'samples.3.gz']);
  assert.deepEqual(seqs(readFileSync(path)), range(1091, 1095));
  for (const [number, from] of [
    [1, 1081],
    [2, 1071],
    [3, 1061],
  ] as const) {
    assert.deepEqual(seqs(contentOf(`${path}.${number}`)), range(from, from + 9));
    assert.equal(statSync(`${path}.${number}.gz`).mode & 0o7737, 0o600);
  }
});

test('what an earlier run left is counted and compressed', async (t) => {
  const path = join(directory(t), 'samples');
  const size = 10 * record(1001).length;
  writeFileSync(path, Buffer.concat(records(1011, 1018)));
  writeFileSync(`${path}.1`, Buffer.concat(records(1001, 1010)));
  writeFileSync(`${path}.1.gz.draft`, 'torn');
  const { file } = await open(t, path, { size, keep: 3 });
  await until(() => existsSync(`${path}.1.gz`) && !existsSync(`${path}.1`), 'compressed');
  // The program learns that the file is gone just after we do.
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  file.send(records(1019, 1022));
  await until(() => existsSync(`${path}.2.gz`) && !existsSync(`${path}.1`), 'put aside');
  await file.close(5000);
  assert.deepEqual(seqs(contentOf(`${path}.2`)), range(1001, 1010));
  assert.deepEqual(seqs(contentOf(`${path}.1`)), range(1011, 1022));
  assert.equal(readFileSync(path, 'utf8'), '');
});

test('a file that cannot be rotated grows, and that is reported', async (t) => {
  const path = join(directory(t), 'samples');
  const { file, at } = await open(t, path, { size: 1000, keep: 1 });
  execFileSync('mkdir', [`${path}.1`, `${path}.1/x`]);
  file.send(records(1, 100));
  await file.close(5000);
  assert.deepEqual(seqs(readFileSync(path)), range(1, 100));
  assert.equal(at('error').length, 1);
  assert.match(at('error')[0]!, /samples: cannot rotate it: /);
});

test('a file removed or moved by another program costs no rotated one', async (t) => {
  for (const take of [
    (path: string) => {
      rmSync(path);
    },
    (path: string) => {
      renameSync(path, `${path}.elsewhere`);
    },
  ]) {
    const path = join(directory(t), 'samples');
    const size = 10 * record(1001).length;
    const { file } = await open(t, path, { size, keep: 3 });
    let seq = 1000;
    await until(() => {
      file.send([record(++seq)]);
      return existsSync(`${path}.3.gz`) && !existsSync(`${path}.1`);
    }, 'three files put aside');
    // What was sent last may put one more aside.
    const isQuiet = (): boolean =>
      file.status.queued + file.status.unconfirmed === 0 &&
      [1, 2, 3].every((number) => existsSync(`${path}.${number}.gz`)) &&
      ![0, 1].some((number) => existsSync(`${path}.${number}`));
    await until(isQuiet, 'written, put aside and compressed');
    const before = [1, 2, 3].map((number) => contentOf(`${path}.${number}`));
    take(path);
    // As many as fill a file.
    file.send(records(5001, 5009));
    file.send(records(5010, 5011));
    await until(() => file.status.queued + file.status.unconfirmed === 0, 'written');
    await file.close(5000);
    const after = [1, 2, 3].map((number) => contentOf(`${path}.${number}`));
    // At most one more was put aside, by then a new file.
    const kept = before.filter((content) => after.some((other) => other.equals(content)));
    assert.ok(kept.length >= 2, `${kept.length} of 3 are left`);
  }
});

test('a file that was put aside and not numbered when the program ended gets its number', async (t) => {
  const path = join(directory(t), 'samples');
  writeFileSync(`${path}.0`, Buffer.concat(records(1011, 1020)));
  execFileSync('gzip', ['-n'], {
    input: Buffer.concat(records(1001, 1010)),
    stdio: ['pipe', openSync(`${path}.1.gz`, 'w'), 'inherit'],
  });
  const { file } = await open(t, path, { size: 1 << 20, keep: 3 });
  await until(
    () => existsSync(`${path}.1.gz`) && existsSync(`${path}.2.gz`) && !existsSync(`${path}.1`),
    'compressed',
  );
  await file.close(5000);
  assert.deepEqual(
    [2, 1].flatMap((number) => seqs(contentOf(`${path}.${number}`))),
    range(1001, 1020),
  );
});

test('an output that takes the place of another waits for what that one has put aside', async (t) => {
  const path = join(directory(t), 'samples');
  // It takes a moment to compress.
  const size = 50_000_000;
  const before = await open(t, path, { size, keep: 3 });
  before.file.send(records(1, 110, 500_000));
  await until(() => existsSync(`${path}.1`), 'put aside');
  const after = await open(t, path, { size, keep: 3 });
  after.file.send(records(111, 120));
  await before.file.close(5000);
  await until(() => existsSync(`${path}.1.gz`) && !existsSync(`${path}.1`), 'compressed');
  await after.file.close(5000);
  assert.deepEqual([...before.at('error'), ...after.at('error')], []);
  const all = seqs(Buffer.concat([contentOf(`${path}.1`), readFileSync(path)]));
  assert.deepEqual(all, range(1, 120));
});
