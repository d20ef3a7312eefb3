import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { directory, range, until } from '../helpers.ts';
import { entries, open, segmentFiles, seqOf, smallDisk, takeAll } from './helpers.ts';

const program = join(import.meta.dirname, 'writer-program.ts');

test('records come out in order, with their times, and the files go when they are delivered', async (t) => {
  const path = directory(t);
  const { spool, drops } = open(path);
  for (let seq = 1; seq <= 3000; seq += 100) assert.ok(await spool.append(entries(seq, seq + 99, 3000)));
  assert.equal(spool.waiting, 3000);
  assert.ok(segmentFiles(path).length > 3, 'several segments');
  const sizes = segmentFiles(path).map((file) => readFileSync(file).length);
  assert.equal(
    spool.bytes,
    sizes.reduce((sum, size) => sum + size),
  );
  const taken = await takeAll(spool);
  assert.deepEqual(taken.map(seqOf), range(1, 3000));
  assert.deepEqual(
    taken.map(({ time }) => time),
    range(1001, 4000),
  );
  assert.equal(spool.waiting, 0);
  for (const entry of taken) spool.delivered(entry);
  await until(() => segmentFiles(path).length === 0, 'all files are deleted');
  assert.equal(spool.bytes, 0);
  assert.equal(drops.total, 0);
  await spool.close();
});

test('what is appended while records are taken comes behind them', async (t) => {
  const { spool } = open(directory(t));
  const seqs: number[] = [];
  for (let seq = 1; seq <= 500; seq += 10) {
    await spool.append(entries(seq, seq + 9));
    for (let i = 0; i < 7; i++) {
      const entry = spool.peek() && spool.shift();
      if (entry === undefined) continue;
      seqs.push(seqOf(entry));
      spool.delivered(entry);
    }
  }
  seqs.push(...(await takeAll(spool)).map(seqOf));
  assert.deepEqual(seqs, range(1, 500));
  await spool.close();
});

test('after an orderly end nothing that was delivered comes again, and nothing else is missing', async (t) => {
  const path = directory(t);
  let next = 1;
  for (let round = 0; round < 5; round++) {
    const { spool, drops } = open(path);
    await spool.append(entries(round * 100 + 1, round * 100 + 100));
    await until(() => spool.peek() !== undefined, 'the first segment is read');
    for (let i = 0; i < 70; i++) {
      await until(() => spool.peek() !== undefined, 'the next record');
      const entry = spool.shift()!;
      assert.equal(seqOf(entry), next++);
      spool.delivered(entry);
    }
    await spool.close();
    assert.equal(drops.total, 0);
  }
  const { spool } = open(path);
  assert.equal(spool.waiting, 150);
  const rest = await takeAll(spool);
  assert.deepEqual(rest.map(seqOf), range(351, 500));
  // They were taken and not delivered: they come once more.
  await spool.close();
  const again = open(path).spool;
  assert.deepEqual((await takeAll(again)).map(seqOf), range(351, 500));
  await again.close();
});

test('kill -9 of the writer at any moment, again and again, loses nothing that was synced', async (t) => {
  const path = directory(t);
  let synced = 0;
  for (let round = 0; round < 8; round++) {
    const from = synced === 0 ? 1 : synced + 1;
    const child = spawn(process.execPath, ['--import', 'tsx', program, path, String(from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.on('data', (data: Buffer) => (told += data.toString()));
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    child.kill('SIGKILL');
    await once(child, 'close');
    synced = Number(told.trimEnd().split('\n').at(-1));
  }
  const { spool, drops } = open(path);
  const seqs = (await takeAll(spool)).map(seqOf);
  const distinct = [...new Set(seqs)];
  assert.deepEqual(
    distinct.filter((seq) => seq <= synced),
    range(1, synced),
  );
  // A batch that was written and not yet synced may be there, whole or in part; a torn record was counted.
  assert.ok(seqs.length - synced <= 8 * 3, `${seqs.length} records, ${synced} synced`);
  assert.ok(drops.by.damaged <= 8 && drops.total === drops.by.damaged);
  await spool.close();
});

test('a spool cut at any byte: what is whole is read, and the next records follow', async (t) => {
  const path = directory(t);
  const first = open(path);
  await first.spool.append(entries(1, 5, 20));
  await first.spool.close();
  const [file = ''] = segmentFiles(path);
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length += 7) {
    for (const other of segmentFiles(path)) rmSync(other);
    writeFileSync(file, whole.subarray(0, length));
    const { spool, drops } = open(path);
    await spool.append(entries(100, 101));
    const seqs = (await takeAll(spool)).map(seqOf);
    const kept = seqs.length - 2;
    assert.deepEqual(seqs, [...range(1, kept), 100, 101], `${length} bytes`);
    assert.equal(drops.by.damaged, drops.total);
    assert.ok(drops.total <= 1);
    await spool.close();
  }
});

test('flipped bits in every region cost one record each, which is counted', async (t) => {
  const path = directory(t);
  const first = open(path);
  await first.spool.append(entries(1, 20, 50));
  await first.spool.close();
  const [file = ''] = segmentFiles(path);
  const whole = readFileSync(file);
  for (let round = 0; round < 200; round++) {
    const damaged = Buffer.from(whole);
    damaged[Math.floor(Math.random() * damaged.length)]! ^= 1 << (round % 8);
    for (const other of segmentFiles(path)) rmSync(other);
    writeFileSync(file, damaged);
    const { spool, drops } = open(path);
    // A segment behind it tells how many records there were, even if the last one is hit.
    await spool.append(entries(21, 22));
    const seqs = (await takeAll(spool)).map(seqOf);
    assert.equal(seqs.length + drops.by.damaged, 22, `read ${seqs.join()}`);
    assert.ok(drops.by.damaged <= 1);
    await spool.close();
  }
});

test('a damaged position costs duplicates only', async (t) => {
  const path = directory(t);
  const first = open(path).spool;
  await first.append(entries(1, 10));
  await until(() => first.peek() !== undefined, 'read');
  for (let i = 0; i < 4; i++) first.delivered(first.shift()!);
  await first.close();
  const position = join(path, 'position');
  for (const [content, from] of [
    [readFileSync(position, 'utf8'), 5],
    ['', 1],
    ['7 0\n', 1],
    ['garbage', 1],
    [`999999 ${crc32('7').toString(16)}\n`, 1],
  ] as const) {
    writeFileSync(position, content);
    const { spool } = open(path);
    assert.deepEqual((await takeAll(spool)).map(seqOf), range(from, 10), content);
    await spool.close();
  }
});

test('a segment of another version is passed over, counted and told; the rest is read', async (t) => {
  const path = directory(t);
  for (const from of [1, 11, 21]) {
    const { spool } = open(path);
    await spool.append(entries(from, from + 9));
    await spool.close();
  }
  const file = segmentFiles(path)[1]!;
  const bytes = readFileSync(file);
  bytes[7] = 0;
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  writeFileSync(file, bytes);
  const { spool, drops, at } = open(path);
  assert.deepEqual((await takeAll(spool)).map(seqOf), [...range(1, 10), ...range(21, 30)]);
  assert.equal(drops.by.damaged, 10);
  assert.match(at('warn')[0]!, /is of version 0, this program knows 1: 10 records are lost/);
  await spool.close();
});

test('foreign files in the directory are left alone', async (t) => {
  const path = directory(t);
  writeFileSync(join(path, 'notes.txt'), 'x');
  mkdirSync(join(path, 'lost+found'));
  const { spool } = open(path);
  await spool.append(entries(1, 3));
  assert.equal((await takeAll(spool)).length, 3);
  await spool.close();
  assert.equal(readFileSync(join(path, 'notes.txt'), 'utf8'), 'x');
});

test('drop_oldest: the cap is hard, whole segments go, and their records are counted', async (t) => {
  const path = directory(t);
  const maxBytes = 1 << 20;
  const { spool, drops, at } = open(path, { maxBytes });
  for (let seq = 1; seq <= 3000; seq += 20) {
    assert.ok(await spool.append(entries(seq, seq + 19, 1000)));
    const size = segmentFiles(path).reduce(
      (sum, file) => sum + (existsSync(file) ? readFileSync(file).length : 0),
      0,
    );
    assert.ok(size <= maxBytes, `${size} bytes`);
  }
  const seqs = (await takeAll(spool)).map(seqOf);
  assert.deepEqual(seqs, range(seqs[0]!, 3000));
  assert.equal(drops.by.spool_full, 3000 - seqs.length);
  assert.equal(drops.total, drops.by.spool_full);
  assert.equal(at('warn').length, 1);
  await spool.close();
});

test('drop_newest: a full spool takes nothing more and loses nothing', async (t) => {
  const { spool, drops } = open(directory(t), { maxBytes: 1 << 20 }, 'drop_newest');
  let seq = 1;
  while (await spool.append(entries(seq, seq + 19, 1000))) seq += 20;
  assert.equal(await spool.append(entries(seq, seq + 19, 1000)), false);
  assert.deepEqual((await takeAll(spool)).map(seqOf), range(1, seq - 1));
  assert.equal(drops.total, 0);
  await spool.close();
});

test('a record larger than the spool is dropped and drives out nothing', async (t) => {
  const { spool, drops } = open(directory(t), { maxBytes: 1 << 20 });
  await spool.append(entries(1, 5));
  assert.ok(await spool.append(entries(6, 6, 2 << 20)));
  assert.deepEqual((await takeAll(spool)).map(seqOf), range(1, 5));
  assert.deepEqual([drops.by.too_large, drops.total], [1, 1]);
  await spool.close();
});

test('a full disk refuses, keeps what it has, and takes again when there is room', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'spool');
  const { spool, drops } = open(path);
  await spool.append(entries(1, 10));
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(900_000));
  for (let round = 0; round < 5; round++) {
    await assert.rejects(spool.append(entries(11, 20, 50_000)), { code: 'ENOSPC' });
  }
  rmSync(ballast);
  await spool.append(entries(11, 20, 50_000));
  assert.deepEqual((await takeAll(spool)).map(seqOf), range(1, 20));
  assert.equal(drops.total, 0);
  await spool.close();
});

// Root may write whatever the mode says, so it is the disk that refuses.
test('a directory that cannot be written to is told, and taken when it can', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'spool');
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const { spool, at } = open(path);
  assert.match(at('warn')[0]!, /EROFS/);
  await assert.rejects(spool.append(entries(1, 3)), { code: 'EROFS' });
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  await spool.append(entries(1, 3));
  assert.deepEqual((await takeAll(spool)).map(seqOf), [1, 2, 3]);
  await spool.close();
});

test('what comes to a directory that can be used only later goes behind what an earlier run left there', async (t) => {
  const path = directory(t);
  const before = open(path);
  await before.spool.append(entries(1, 20));
  await before.spool.close();
  renameSync(path, `${path}.aside`);
  writeFileSync(path, '');
  const { spool, drops } = open(path);
  assert.equal(spool.waiting, 0);
  rmSync(path);
  renameSync(`${path}.aside`, path);
  await spool.append(entries(21, 30));
  await spool.append(entries(31, 40));
  assert.deepEqual((await takeAll(spool)).map(seqOf), range(1, 40));
  assert.equal(drops.total, 0);
  await spool.close();
});

test('a directory that is deleted costs what it held, counted, and is made anew', async (t) => {
  const path = join(directory(t), 'spool');
  const { spool, drops } = open(path);
  await spool.append(entries(1, 10));
  rmSync(path, { recursive: true });
  await assert.rejects(spool.append(entries(11, 12)), /was deleted/);
  await spool.append(entries(11, 12));
  assert.deepEqual((await takeAll(spool)).map(seqOf), [11, 12]);
  assert.equal(drops.by.damaged, 10);
  assert.throws(() => open(path), { name: 'SpoolInUseError' });
  await spool.close();
});

test('a second process is refused with a clear error, a killed one is not in the way', async (t) => {
  const path = directory(t);
  const child = spawn(process.execPath, ['--import', 'tsx', program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  assert.throws(() => open(path), {
    name: 'SpoolInUseError',
    message: `the spool ${path} is used by another proxtop, process ${child.pid}: give this one a state_dir of its own`,
  });
  child.kill('SIGKILL');
  await once(child, 'close');
  const { spool } = open(path);
  assert.ok(spool.waiting > 0);
  await spool.close();
});

test('of several processes that start at once on a spool that a killed one left, one gets it', async (t) => {
  const path = directory(t);
  const start = (): ReturnType<typeof spawn> =>
    spawn(process.execPath, ['--import', 'tsx', program, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const first = start();
  await once(first.stdout!, 'data');
  first.kill('SIGKILL');
  await once(first, 'close');
  const children = Array.from({ length: 4 }, start);
  t.after(() => children.map((child) => child.kill('SIGKILL')));
  const ends = children.map((child) => once(child, 'close'));
  const runs = children.map((child) => once(child.stdout!, 'data'));
  await Promise.race(runs);
  await until(() => children.filter(({ exitCode }) => exitCode !== null).length === 3, 'three give up');
  children.find(({ exitCode }) => exitCode === null)!.kill('SIGKILL');
  await Promise.all(ends);
});

test('a lock of a process that has our number but is another one does not count', async (t) => {
  const path = directory(t);
  writeFileSync(join(path, 'lock.5'), `${process.pid} 1 another-boot`);
  writeFileSync(join(path, 'lock.4'), 'garbage');
  const { spool } = open(path);
  assert.ok(existsSync(join(path, 'lock.6')) && !existsSync(join(path, 'lock.5')));
  await spool.close();
  assert.equal(readFileSync(join(path, 'lock.6'), 'utf8'), '');
});

test('a file that disappears, one that was emptied and one renamed are counted', async (t) => {
  const path = directory(t);
  for (const from of [1, 11, 21, 31]) {
    const { spool } = open(path);
    await spool.append(entries(from, from + 9));
    await spool.close();
  }
  const files = segmentFiles(path);
  truncateSync(files[1]!, 0);
  const { spool, drops } = open(path);
  renameSync(files[2]!, join(path, 'elsewhere'));
  chmodSync(files[3]!, 0o600);
  assert.deepEqual((await takeAll(spool)).map(seqOf), [...range(1, 10), ...range(31, 40)]);
  assert.equal(drops.by.damaged, 20);
  await spool.close();
});
