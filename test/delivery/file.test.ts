import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FileDestination } from '../../src/delivery/file/file.ts';
import type { QueueSettings } from '../../src/delivery/settings.ts';
import {
  assertAccounted,
  counts,
  directory,
  distinct,
  logs,
  range,
  record,
  records,
  seqs,
  TestOutput,
  undecided,
  until,
} from './helpers.ts';

async function open(
  t: TestContext,
  path: string,
  queue: QueueSettings = { maxBytes: 64 << 20, whenFull: 'drop_oldest' },
): Promise<{ file: TestOutput; at: ReturnType<typeof logs>['at'] }> {
  const { log, at } = logs();
  const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
  const settings = { name: 'test', printer: 'json', print, type: 'file', path, queue } as const;
  const file = new TestOutput(t, settings, log, (tap) => new FileDestination(settings, tap, log));
  await file.ready();
  return { file, at };
}

/** A disk of 1 MiB. */
function smallDisk(t: TestContext): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'proxtop-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    rmdirSync(path);
    t.skip('needs the right to mount');
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', [path]);
    rmdirSync(path);
  });
  return path;
}

test('appends, and creates with mode 0640', async (t) => {
  const path = join(directory(t), 'samples');
  for (const [from, to] of [
    [1, 1000],
    [1001, 3000],
  ] as const) {
    const { file } = await open(t, path);
    file.send(records(from, to));
    assertAccounted(file.status, to - from + 1);
    await file.close(5000);
    assert.deepEqual(counts(file.status), {
      queued: 0,
      queuedBytes: 0,
      sent: to - from + 1,
      dropped: 0,
      reconnects: 0,
    });
  }
  assert.deepEqual(seqs(readFileSync(path)), range(1, 3000));
  // The umask may take away the group's right to read.
  assert.equal(statSync(path).mode & 0o7737, 0o600);
});

test('a line that an earlier run left torn is ended first', async (t) => {
  const path = join(directory(t), 'samples');
  writeFileSync(path, '{"seq":1,"pad');
  const { file } = await open(t, path);
  file.send(records(2, 10));
  await file.close(5000);
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines[0], '{"seq":1,"pad');
  assert.deepEqual(seqs(Buffer.from(lines.slice(1).join('\n'))), range(2, 10));
  assert.equal(file.status.sent, 9);
});

test('a file that cannot be opened is an error with path and reason', async (t) => {
  const path = directory(t);
  await assert.rejects(open(t, path), { message: new RegExp(`^cannot open ${path} for writing: EISDIR`) });
  const missing = join(path, 'none', 'samples');
  await assert.rejects(open(t, missing), {
    message: new RegExp(`^cannot open ${missing} for writing: ENOENT`),
  });
});

test('rotations under load, some faster than the writes, lose, double and misplace nothing', async (t) => {
  const path = join(directory(t), 'samples');
  const { file } = await open(t, path);
  let seq = 0;
  const expected: number[][] = [];
  for (let round = 0; round < 20; round++) {
    const first = seq + 1;
    for (let burst = 0; burst < 5; burst++) {
      file.send(records(seq + 1, seq + 300));
      seq += 300;
      await new Promise(setImmediate);
    }
    expected.push(range(first, seq));
    renameSync(path, `${path}.${round}`);
    file.reopen();
    await until(() => existsSync(path), 'opened anew');
  }
  await file.close(5000);
  assert.equal(file.status.sent, seq);
  assert.deepEqual(
    expected.map((_, round) => seqs(readFileSync(`${path}.${round}`))),
    expected,
  );
  assert.equal(readFileSync(path, 'utf8'), '');
});

test('when the path cannot be reopened the old file stays in use', async (t) => {
  const parent = join(directory(t), 'parent');
  mkdirSync(parent);
  const path = join(parent, 'samples');
  const { file, at } = await open(t, path);
  file.send(records(1, 5));
  renameSync(parent, `${parent}.old`);
  file.reopen();
  file.send(records(6, 10));
  await file.close(5000);
  assert.deepEqual(seqs(readFileSync(join(`${parent}.old`, 'samples'))), range(1, 10));
  assert.match(at('error')[0]!, /cannot open .*ENOENT.*still writing/);
});

test('a full disk is waited for, without a torn line', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'samples');
  const ballast = join(disk, 'ballast');
  // Not a multiple of the page size, so that the last write that fits is one in part.
  writeFileSync(ballast, Buffer.alloc(700_000));
  const maxBytes = 400_000;
  const { file, at } = await open(t, path, { maxBytes, whenFull: 'drop_oldest' });
  let seq = 0;
  const more = (): void => {
    for (let i = 0; i < 10; i++) file.send([record(++seq, 3000)]);
  };
  await until(() => {
    more();
    return file.status.dropped > 10 && at('warn').length > 0;
  }, 'the queue overflows');
  assertAccounted(file.status, seq);
  assert.ok(file.status.queuedBytes <= maxBytes + (1 << 20) + 3100);
  assert.equal(at('warn').length, 1);
  assert.match(at('warn')[0]!, /samples: ENOSPC.*; \d+ records \(\d+ bytes\) wait/);
  assert.ok(readFileSync(path).at(-1) !== 0x0a, 'the test did tear a line');
  rmSync(ballast);
  await until(() => at('info').length > 0, 'writing again');
  assert.match(at('info')[0]!, /samples: writing again after \d+\.\d s; \d+ records were dropped/);
  await file.close(5000);
  const written = seqs(readFileSync(path));
  assert.deepEqual(distinct(written), written);
  assert.equal(written.at(-1), seq);
  assert.equal(file.status.sent, written.length);
  assert.equal(file.status.dropped, seq - written.length);
});

test('a rotation while the disk is full moves what waits to the new file', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'samples');
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(700_000));
  const { file, at } = await open(t, path);
  let seq = 0;
  await until(() => {
    // No more than the new file has room for.
    if (undecided(file.status) < 40) {
      file.send(records(seq + 1, seq + 10, 3000));
      seq += 10;
    }
    return at('warn').length > 0;
  }, 'the disk is full');
  // The old file is read, then deleted: its space is free only when it is closed.
  const old = readFileSync(path);
  rmSync(path);
  file.reopen();
  await file.close(5000);
  const ended = old.subarray(0, old.lastIndexOf('\n') + 1);
  assert.deepEqual([...seqs(ended), ...seqs(readFileSync(path))], range(1, seq));
  assert.deepEqual(counts(file.status), { queued: 0, queuedBytes: 0, sent: seq, dropped: 0, reconnects: 0 });
});

test('close on a full disk gives up what waits', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'samples');
  const { file } = await open(t, path);
  file.send(records(1, 1000, 3000));
  await file.close(60_000);
  assertAccounted(file.status, 1000);
  assert.ok(file.status.dropped > 0);
  // The next start ends the torn line.
  truncateSync(path, readFileSync(path).length - 5000);
  const next = (await open(t, path)).file;
  next.send([record(1001, 10)]);
  await next.close(5000);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.deepEqual(seqs(Buffer.from(`${lines.at(-1)!}\n`)), [1001]);
});

test('a deleted file is made again, and the records lost with it are written there', async (t) => {
  const path = join(directory(t), 'samples');
  const { file, at } = await open(t, path);
  file.send(records(1, 10));
  await until(() => file.status.sent === 10, 'written');
  rmSync(path);
  file.send(records(11, 20));
  await until(() => file.status.sent === 20, 'written');
  assert.deepEqual(seqs(readFileSync(path)), range(11, 20));
  assert.match(at('warn')[0]!, /samples was deleted: creating it again/);
  await file.close(5000);
});

test('an open file without a name does not count as deleted', async (t) => {
  const path = join(directory(t), 'samples');
  const fd = openSync(path, 'w+');
  t.after(() => {
    closeSync(fd);
  });
  rmSync(path);
  const { file, at } = await open(t, `/proc/self/fd/${fd}`);
  file.send(records(1, 10));
  await until(() => file.status.sent === 10, 'written');
  await file.close(5000);
  assert.deepEqual(seqs(readFileSync(`/proc/self/fd/${fd}`)), range(1, 10));
  assert.deepEqual(at('warn'), []);
});

test('a file whose directory is gone keeps what comes until it is back', async (t) => {
  const parent = join(directory(t), 'parent');
  mkdirSync(parent);
  const path = join(parent, 'samples');
  const { file } = await open(t, path);
  file.send(records(1, 5));
  await until(() => file.status.sent === 5, 'written');
  rmSync(parent, { recursive: true });
  file.send(records(6, 10));
  await until(() => file.status.state === 'down', 'told');
  assert.deepEqual(counts(file.status), {
    queued: 5,
    queuedBytes: Buffer.concat(records(6, 10)).length,
    sent: 5,
    dropped: 0,
    reconnects: 0,
  });
  mkdirSync(parent);
  file.send(records(11, 12));
  await until(() => file.status.sent === 12, 'written');
  assert.deepEqual(seqs(readFileSync(path)), range(6, 12));
  await file.close(5000);
});

for (const how of ['moved', 'replaced'] as const) {
  test(`a file that was ${how} by somebody else: what comes next goes to the path`, async (t) => {
    const path = join(directory(t), 'samples');
    const { file, at } = await open(t, path);
    let seq = 0;
    file.send(records(1, 10));
    seq = 10;
    await until(() => file.status.sent === 10, 'written');
    renameSync(path, `${path}.old`);
    if (how === 'replaced') writeFileSync(path, '');
    await until(() => {
      file.send([record(++seq)]);
      return at('info').some((line) => line.includes('was moved or replaced'));
    }, 'noticed');
    file.send([record(++seq)]);
    await file.close(5000);
    const parts = [readFileSync(`${path}.old`), readFileSync(path)];
    assert.deepEqual(
      parts.flatMap((part) => seqs(part)),
      range(1, seq),
    );
    assert.ok(seqs(parts[1]!).length > 0);
    assert.equal(file.status.sent, seq);
  });
}
