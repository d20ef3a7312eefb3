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
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { directory, range, until } from '../helpers.ts';
import { encodeHeader } from '../../../src/delivery/ledger/spool/header.ts';
import { identity, open, segmentFiles, seqOf, smallDisk, TestSpool } from './helpers.ts';

const program = join(import.meta.dirname, 'writer-program.ts');

test('records come out in order, with their times, and the files go when they are delivered', async (t) => {
  const path = directory(t);
  const spool = await open(path);
  for (let seq = 1; seq <= 3000; seq += 100) assert.ok(await spool.append(seq, seq + 99, 3000));
  assert.equal(spool.waiting, 3000);
  assert.ok(segmentFiles(path).length > 3, 'several segments');
  const sizes = segmentFiles(path).map((file) => readFileSync(file).length);
  assert.equal(
    spool.spool.bytes,
    sizes.reduce((sum, size) => sum + size),
  );
  const taken = await spool.takeAll();
  assert.deepEqual(taken.map(seqOf), range(1, 3000));
  const clock = Date.now() - performance.now();
  for (const [index, { since }] of taken.entries())
    assert.ok(Math.abs(clock + since - (1001 + index)) < 50, 'the time when it was taken');
  assert.equal(spool.waiting, 0);
  spool.arrived(taken);
  await until(() => segmentFiles(path).length === 0, 'all files are deleted');
  assert.equal(spool.spool.bytes, 0);
  assert.equal(spool.drops.total, 0);
  await spool.close();
});

test('what is appended while records are taken comes behind them', async (t) => {
  const spool = await open(directory(t));
  const seqs: number[] = [];
  for (let seq = 1; seq <= 500; seq += 10) {
    await spool.append(seq, seq + 9);
    for (let i = 0; i < 7; i++) {
      const entry = spool.take();
      if (entry === undefined) continue;
      seqs.push(seqOf(entry));
      spool.arrived([entry]);
    }
  }
  seqs.push(...(await spool.takeAll()).map(seqOf));
  assert.deepEqual(seqs, range(1, 500));
  await spool.close();
});

test('after an orderly end nothing that was delivered comes again, and nothing else is missing', async (t) => {
  const path = directory(t);
  let next = 1;
  for (let round = 0; round < 5; round++) {
    const spool = await open(path);
    await spool.append(round * 100 + 1, round * 100 + 100);
    for (let i = 0; i < 70; i++) {
      const entry = await spool.taken();
      assert.equal(seqOf(entry), next++);
      spool.arrived([entry]);
    }
    await spool.close();
    assert.equal(spool.drops.total, 0);
  }
  const spool = await open(path);
  assert.equal(spool.waiting, 150);
  const rest = await spool.takeAll();
  assert.deepEqual(rest.map(seqOf), range(351, 500));
  // They were taken and not delivered: they come once more.
  await spool.close();
  const again = await open(path);
  assert.deepEqual((await again.takeAll()).map(seqOf), range(351, 500));
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
  const spool = await open(path);
  const seqs = (await spool.takeAll()).map(seqOf);
  const distinct = [...new Set(seqs)];
  assert.deepEqual(
    distinct.filter((seq) => seq <= synced),
    range(1, synced),
  );
  // A batch that was written and not yet synced may be there, whole or in part; a torn record was counted.
  assert.ok(seqs.length - synced <= 8 * 3, `${seqs.length} records, ${synced} synced`);
  assert.ok(spool.drops.by.damaged <= 8 && spool.drops.total === spool.drops.by.damaged);
  await spool.close();
});

test('a spool cut at any byte: what is whole is read, and the next records follow', async (t) => {
  const path = directory(t);
  const first = await open(path);
  await first.append(1, 5, 20);
  await first.close();
  const [file = ''] = segmentFiles(path);
  const whole = readFileSync(file);
  const position = readFileSync(join(path, 'position'));
  for (let length = 0; length < whole.length; length += 7) {
    for (const other of segmentFiles(path)) rmSync(other);
    writeFileSync(file, whole.subarray(0, length));
    writeFileSync(join(path, 'position'), position);
    const spool = await open(path);
    await spool.append(100, 101);
    const seqs = (await spool.takeAll()).map(seqOf);
    const kept = seqs.length - 2;
    assert.deepEqual(seqs, [...range(1, kept), 100, 101], `${length} bytes`);
    assert.deepEqual([spool.drops.by.damaged, spool.drops.total], [5 - kept, 5 - kept]);
    await spool.close();
  }
});

test('flipped bits in every region cost one record each, which is counted', async (t) => {
  const path = directory(t);
  const first = await open(path);
  await first.append(1, 20, 50);
  await first.close();
  const [file = ''] = segmentFiles(path);
  const whole = readFileSync(file);
  const position = readFileSync(join(path, 'position'));
  for (let round = 0; round < 200; round++) {
    const damaged = Buffer.from(whole);
    damaged[Math.floor(Math.random() * damaged.length)]! ^= 1 << (round % 8);
    for (const other of segmentFiles(path)) rmSync(other);
    writeFileSync(file, damaged);
    writeFileSync(join(path, 'position'), position);
    const spool = await open(path);
    // A segment behind it tells how many records there were, even if the last one is hit.
    await spool.append(21, 22);
    const seqs = (await spool.takeAll()).map(seqOf);
    assert.equal(seqs.length + spool.drops.by.damaged, 22, `read ${seqs.join()}`);
    assert.ok(spool.drops.by.damaged <= 1);
    await spool.close();
  }
});

test('a damaged position costs duplicates only', async (t) => {
  const path = directory(t);
  const first = await open(path);
  await first.append(1, 10);
  for (let i = 0; i < 4; i++) first.arrived([await first.taken()]);
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
    const spool = await open(path);
    assert.deepEqual((await spool.takeAll()).map(seqOf), range(from, 10), content);
    await spool.close();
  }
});

test('a segment of a newer version is skipped, kept and reported; the rest is read', async (t) => {
  const path = directory(t);
  for (const from of [1, 11, 21]) {
    const spool = await open(path);
    await spool.append(from, from + 9);
    await spool.close();
  }
  const file = segmentFiles(path)[1]!;
  const bytes = readFileSync(file);
  bytes[7] = 3;
  const { length } = encodeHeader(identity);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, length - 4)), length - 4);
  writeFileSync(file, bytes);
  const spool = await open(path);
  assert.deepEqual((await spool.takeAll()).map(seqOf), [...range(1, 10), ...range(21, 30)]);
  assert.equal(spool.drops.total, 0);
  assert.match(spool.at('warn')[0]!, /10 records of a newer version in .* are kept and not delivered/);
  assert.equal(spool.waiting, 10);
  assert.equal(await spool.close(), 30);
  assert.ok(existsSync(file));
});

test('foreign files in the directory are left alone', async (t) => {
  const path = directory(t);
  writeFileSync(join(path, 'notes.txt'), 'x');
  mkdirSync(join(path, 'lost+found'));
  const spool = await open(path);
  await spool.append(1, 3);
  assert.equal((await spool.takeAll()).length, 3);
  await spool.close();
  assert.equal(readFileSync(join(path, 'notes.txt'), 'utf8'), 'x');
});

test('drop_oldest: the cap is hard, whole segments go, and their records are counted', async (t) => {
  const path = directory(t);
  const maxBytes = 1 << 20;
  const spool = await open(path, { maxBytes });
  for (let seq = 1; seq <= 3000; seq += 20) {
    assert.ok(await spool.append(seq, seq + 19, 1000));
    const size = segmentFiles(path).reduce(
      (sum, file) => sum + (existsSync(file) ? readFileSync(file).length : 0),
      0,
    );
    assert.ok(size <= maxBytes, `${size} bytes`);
  }
  const seqs = (await spool.takeAll()).map(seqOf);
  assert.deepEqual(seqs, range(seqs[0]!, 3000));
  assert.equal(spool.drops.by.spool_full, 3000 - seqs.length);
  assert.equal(spool.drops.total, spool.drops.by.spool_full);
  assert.equal(spool.at('warn').length, 1);
  await spool.close();
});

test('drop_newest: a full spool takes nothing more and loses nothing', async (t) => {
  const spool = await open(directory(t), { maxBytes: 1 << 20 }, 'drop_newest');
  let seq = 1;
  while (await spool.append(seq, seq + 19, 1000)) seq += 20;
  assert.equal(await spool.append(seq, seq + 19, 1000), false);
  assert.deepEqual((await spool.takeAll()).map(seqOf), range(1, seq - 1));
  assert.equal(spool.drops.total, 0);
  await spool.close();
});

test('a record larger than the spool is dropped and drives out nothing', async (t) => {
  const spool = await open(directory(t), { maxBytes: 1 << 20 });
  await spool.append(1, 5);
  assert.ok(await spool.append(6, 6, 2 << 20));
  assert.deepEqual((await spool.takeAll()).map(seqOf), range(1, 5));
  assert.deepEqual([spool.drops.by.too_large, spool.drops.total], [1, 1]);
  await spool.close();
});

test('a full disk refuses, keeps what it has, and takes again when there is room', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'spool');
  const spool = await open(path);
  await spool.append(1, 10);
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(900_000));
  for (let round = 0; round < 5; round++) {
    await assert.rejects(spool.append(11, 20, 50_000), { code: 'ENOSPC' });
  }
  rmSync(ballast);
  await spool.append(11, 20, 50_000);
  assert.deepEqual((await spool.takeAll()).map(seqOf), range(1, 20));
  assert.equal(spool.drops.total, 0);
  await spool.close();
});

// Root may write whatever the mode says, so it is the disk that refuses.
test('a directory that cannot be written to is reported, and used when it can', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'spool');
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const spool = new TestSpool(path);
  await assert.rejects(spool.spool.open(), { code: 'EROFS' });
  await assert.rejects(spool.append(1, 3), { code: 'EROFS' });
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  await spool.append(1, 3);
  assert.deepEqual((await spool.takeAll()).map(seqOf), [1, 2, 3]);
  await spool.close();
});

test('what comes to a directory that can be used only later goes behind what an earlier run left there', async (t) => {
  const path = directory(t);
  const before = await open(path);
  await before.append(1, 20);
  await before.close();
  renameSync(path, `${path}.aside`);
  writeFileSync(path, '');
  const spool = new TestSpool(path);
  await assert.rejects(spool.spool.open(), { code: 'ENOTDIR' });
  assert.equal(spool.waiting, 0);
  rmSync(path);
  renameSync(`${path}.aside`, path);
  await spool.append(21, 30);
  await spool.append(31, 40);
  assert.deepEqual((await spool.takeAll()).map(seqOf), range(1, 40));
  assert.equal(spool.drops.total, 0);
  await spool.close();
});

test('a deleted directory costs what it held, which is counted, and is made again', async (t) => {
  const path = join(directory(t), 'spool');
  const spool = await open(path);
  await spool.append(1, 10);
  rmSync(path, { recursive: true });
  await assert.rejects(spool.append(11, 12), /was deleted/);
  await spool.append(11, 12);
  assert.deepEqual((await spool.takeAll()).map(seqOf), [11, 12]);
  assert.equal(spool.drops.by.damaged, 10);
  // Another output of this process waits until this one is closed; other processes are refused.
  await assert.rejects(open(path), { name: 'SpoolBusyError' });
  await spool.close();
});

test('a second process is refused with a clear error, a killed one is not in the way', async (t) => {
  const path = directory(t);
  const child = spawn(process.execPath, ['--import', 'tsx', program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await assert.rejects(open(path), {
    name: 'SpoolInUseError',
    message: `the spool ${path} is used by another proxtop, process ${child.pid}: give this one a state_dir of its own`,
  });
  child.kill('SIGKILL');
  await once(child, 'close');
  const spool = await open(path);
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

test('a file that disappears, one that was emptied and one renamed are counted', async (t) => {
  const path = directory(t);
  for (const from of [1, 11, 21, 31]) {
    const spool = await open(path);
    await spool.append(from, from + 9);
    await spool.close();
  }
  const files = segmentFiles(path);
  truncateSync(files[1]!, 0);
  const spool = await open(path);
  renameSync(files[2]!, join(path, 'elsewhere'));
  chmodSync(files[3]!, 0o600);
  assert.deepEqual((await spool.takeAll()).map(seqOf), [...range(1, 10), ...range(31, 40)]);
  assert.equal(spool.drops.by.damaged, 20);
  await spool.close();
});

test('files of others are not opened: segments wait, a position is not written to', async (t) => {
  const path = directory(t);
  const first = await open(path);
  await first.append(1, 10);
  await first.close();
  const [segment = ''] = segmentFiles(path);
  const elsewhere = directory(t);
  renameSync(segment, join(elsewhere, 'segment'));
  symlinkSync(join(elsewhere, 'segment'), segment);
  const spool = await open(path);
  assert.equal(spool.take(), undefined);
  await until(() => spool.at('warn').some((line) => line.includes('ELOOP')), 'the link is told');
  assert.equal(spool.waiting, 10);
  await spool.close();
  const position = join(path, 'position');
  renameSync(position, join(elsewhere, 'position'));
  symlinkSync(join(elsewhere, 'position'), position);
  const before = readFileSync(position);
  const other = new TestSpool(path);
  await assert.rejects(other.spool.open(), /ELOOP/);
  await other.close();
  assert.deepEqual(readFileSync(position), before);
});

test('no file goes before the position says that its records are settled', async (t) => {
  const path = directory(t);
  const spool = await open(path, { maxBytes: 8 << 10 });
  for (let seq = 1; seq <= 30; seq++) await spool.append(seq, seq, 1500);
  const [oldest = '', newer = ''] = segmentFiles(path);
  const firstOf = (file: string): number => Number(/(\d+)\.spool$/.exec(file)?.[1]);
  const taken = await spool.takeAll();
  spool.arrived(taken.slice(0, 1));
  // The position that settles the first one is being written.
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  spool.arrived(taken.slice(1, 2));
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (existsSync(newer)) setImmediate(look);
      else resolve();
    };
    look();
  });
  const ranges = readFileSync(join(path, 'position'), 'latin1')
    .split('\n')
    .map((line) => line.split(' '))
    .sort(([, one], [, other]) => Number(other) - Number(one))[0]?.[3];
  assert.ok(firstOf(oldest) < firstOf(newer));
  assert.ok(Number(ranges?.split('-')[0]) > firstOf(newer), `${ranges}, but ${newer} is gone`);
  await spool.close();
});
