import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { frame } from '../../../src/delivery/ledger/spool/frame.ts';
import { directory, range, record, until } from '../helpers.ts';
import { open, segmentFiles, seqOf } from './helpers.ts';

/** A spool of seven segments of ten records each, numbers 1 to 70. */
async function sevenSegments(t: TestContext): Promise<{ path: string; files: string[] }> {
  const path = directory(t);
  for (const from of range(0, 6).map((index) => 1 + 10 * index)) {
    const spool = await open(path);
    await spool.append(from, from + 9);
    await spool.close();
  }
  const files = segmentFiles(path);
  assert.equal(files.length, 7);
  return { path, files };
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  writeFileSync(file, bytes);
}

for (const [what, damage, missing] of [
  [
    'the oldest file is deleted',
    ([file]) => {
      rmSync(file!);
    },
    range(1, 10),
  ],
  [
    'a file in the middle is deleted',
    ({ 3: file }) => {
      rmSync(file!);
    },
    range(31, 40),
  ],
  [
    'the newest file is deleted',
    ({ 6: file }) => {
      rmSync(file!);
    },
    range(61, 70),
  ],
  [
    'oldest and newest are deleted',
    (files) => {
      [0, 6].forEach((n) => {
        rmSync(files[n]!);
      });
    },
    [...range(1, 10), ...range(61, 70)],
  ],
  [
    'all files are deleted',
    (files) => {
      files.forEach((file) => {
        rmSync(file);
      });
    },
    range(1, 70),
  ],
  [
    'the oldest is emptied',
    ([file]) => {
      truncateSync(file!);
    },
    range(1, 10),
  ],
  [
    'the newest is emptied',
    ({ 6: file }) => {
      truncateSync(file!);
    },
    range(61, 70),
  ],
  [
    'the newest is torn in its last record',
    ({ 6: file }) => {
      truncateSync(file!, readFileSync(file!).length - 5);
    },
    [70],
  ],
  [
    'the newest is torn in its first record',
    ({ 6: file }) => {
      truncateSync(file!, 150);
    },
    range(61, 70),
  ],
  [
    'a bit of the last record is flipped',
    ({ 6: file }) => {
      flip(file!, -3);
    },
    [70],
  ],
  [
    'a bit of a header is flipped',
    ({ 2: file }) => {
      flip(file!, 20);
    },
    [],
  ],
  [
    'two files are swapped',
    (files) => {
      swap(files[2]!, files[4]!);
    },
    [...range(21, 30), ...range(41, 50)],
  ],
  ['nothing', () => undefined, []],
] as [string, (files: string[]) => void, number[]][]) {
  test(`what is lost is counted to the record: ${what}`, async (t) => {
    const { path, files } = await sevenSegments(t);
    damage(files);
    const spool = await open(path);
    const taken = await spool.takeAll();
    assert.deepEqual(
      taken.map(seqOf),
      range(1, 70).filter((seq) => !missing.includes(seq)),
    );
    assert.deepEqual([spool.drops.by.damaged, spool.drops.total], [missing.length, missing.length]);
    spool.arrived(taken);
    assert.equal(await spool.close(), 0);
    // It is counted once.
    const again = await open(path);
    assert.deepEqual([again.waiting, again.drops.total], [0, 0]);
    await again.close();
  });
}

function swap(one: string, other: string): void {
  renameSync(one, `${one}.aside`);
  renameSync(other, one);
  renameSync(`${one}.aside`, other);
}

test('what was delivered or dropped before is not counted as missing', async (t) => {
  const { path } = await sevenSegments(t);
  const spool = await open(path);
  const taken: Awaited<ReturnType<typeof spool.taken>>[] = [];
  for (let count = 0; count < 25; count++) taken.push(await spool.taken());
  spool.arrived(taken);
  await spool.close();
  assert.equal(segmentFiles(path).length, 5);
  const again = await open(path);
  assert.deepEqual((await again.takeAll()).map(seqOf), range(26, 70));
  assert.equal(again.drops.total, 0);
  await again.close();
});

test('a file that is done goes while an older one stays, and is not missed at the next start', async (t) => {
  const { path, files } = await sevenSegments(t);
  // The oldest cannot be read for a while.
  const content = readFileSync(files[0]!);
  rmSync(files[0]!);
  mkdirSync(files[0]!);
  const spool = await open(path);
  const taken = await spool.takeAll();
  assert.deepEqual(taken.map(seqOf), range(11, 70));
  spool.arrived(taken);
  await spool.close();
  assert.deepEqual(segmentFiles(path), [files[0]]);
  rmSync(files[0]!, { recursive: true });
  writeFileSync(files[0]!, content);
  const again = await open(path);
  assert.deepEqual((await again.takeAll()).map(seqOf), range(1, 10));
  assert.equal(again.drops.total, 0);
  await again.close();
});

test('a position that contradicts the files does not count: they come again', async (t) => {
  const { path } = await sevenSegments(t);
  const line = '2 99 100000 ';
  const slot = `${line} ${crc32(line).toString(16)}`.padEnd(511) + '\n';
  for (const position of [slot, '', 'garbage', `999999 ${crc32('999999').toString(16)}\n`]) {
    writeFileSync(join(path, 'position'), position);
    const spool = await open(path);
    assert.deepEqual((await spool.takeAll()).map(seqOf), range(1, 70), position);
    assert.equal(spool.drops.total, 0);
    await spool.close();
  }
});

test('a position that was torn leaves the one before', async (t) => {
  const { path } = await sevenSegments(t);
  const position = join(path, 'position');
  const before = readFileSync(position);
  const spool = await open(path);
  spool.arrived([await spool.taken()]);
  await spool.close();
  const after = readFileSync(position);
  const changed = after.subarray(0, 512).equals(before.subarray(0, 512)) ? 512 : 0;
  after.fill('x', changed + 30, changed + 60);
  writeFileSync(position, after);
  const again = await open(path);
  const seqs = (await again.takeAll()).map(seqOf);
  // Duplicates, and nothing lost.
  assert.ok(seqs[0]! <= 2 && seqs.at(-1) === 70, seqs.join());
  assert.equal(again.drops.total, 0);
  await again.close();
});

test('records of another output, or of another printer, are kept and reported, and delivered when that is back', async (t) => {
  const path = directory(t);
  for (const [from, format] of [
    [1, 'json'],
    [11, 'influx ns'],
    [21, 'json'],
  ] as const) {
    const spool = await open(path, { format });
    await spool.append(from, from + 9);
    await spool.close();
  }
  const spool = await open(path, { format: 'influx ns' });
  assert.equal(spool.waiting, 30);
  const taken = await spool.takeAll();
  assert.deepEqual(taken.map(seqOf), range(11, 20));
  spool.arrived(taken);
  const warnings = spool.at('warn').filter((line) => line.includes('are kept and not delivered'));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /20 records of output test in format json in .* this output writes influx ns;/);
  assert.equal(await spool.close(), 20);
  const back = await open(path);
  assert.deepEqual((await back.takeAll()).map(seqOf), [...range(1, 10), ...range(21, 30)]);
  assert.equal(back.drops.total, 0);
  await back.close();
  const other = await open(path, { output: 'other' });
  assert.deepEqual([await other.takeAll(), other.waiting], [[], 20]);
  await other.close();
});

test('where room is made a stranger goes like others, counted', async (t) => {
  const path = directory(t);
  const before = await open(path, { format: 'csv' });
  await before.append(1, 100, 1000);
  await before.close();
  const spool = await open(path, { maxBytes: 120_000 });
  await spool.append(101, 150, 1000);
  assert.equal(spool.drops.by.spool_full, 100);
  assert.deepEqual((await spool.takeAll()).map(seqOf), range(101, 150));
  await spool.close();
});

/** As 0.1.0 wrote it: a header without identity, `position` as one line, its lock in a file. */
function oldSpool(path: string, first: number, last: number): void {
  const header = Buffer.from('PXSPOOL\u0001    ', 'latin1');
  header.writeUInt32BE(crc32(header.subarray(0, 8)), 8);
  const frames = range(first, last).flatMap((number) =>
    frame({ number, time: 1000, bytes: record(number), sent: false }),
  );
  writeFileSync(join(path, `${String(first).padStart(16, '0')}.spool`), Buffer.concat([header, ...frames]));
}

test('a spool of 0.1.0 is delivered, from where it was', async (t) => {
  const path = directory(t);
  oldSpool(path, 1, 10);
  oldSpool(path, 11, 20);
  writeFileSync(join(path, 'position'), `5 ${crc32('5').toString(16)}\n`);
  writeFileSync(join(path, 'lock.1'), '');
  const spool = await open(path);
  await spool.append(21, 22);
  const taken = await spool.takeAll();
  assert.deepEqual(taken.map(seqOf), range(5, 22));
  assert.equal(spool.drops.total, 0);
  spool.arrived(taken);
  await until(() => spool.waiting === 0, 'all arrived');
  assert.equal(await spool.close(), 0);
  assert.equal(segmentFiles(path).length, 0);
});

test('unreadable segments block nothing, are reported once, and are read when they can be', async (t) => {
  const { path, files } = await sevenSegments(t);
  for (const index of [1, 4]) {
    copyFileSync(files[index]!, `${files[index]!}.aside`);
    rmSync(files[index]!);
    mkdirSync(files[index]!);
  }
  const spool = await open(path);
  const taken = await spool.takeAll();
  assert.deepEqual(taken.map(seqOf), [...range(1, 10), ...range(21, 40), ...range(51, 70)]);
  spool.arrived(taken);
  for (let turn = 0; turn < 1000; turn++) {
    spool.spool.reader.peek(false);
    await new Promise(setImmediate);
  }
  assert.equal(spool.at('warn').filter((line) => line.includes('it is not a regular file')).length, 2);
  assert.deepEqual([spool.waiting, spool.drops.total], [20, 0]);
  for (const index of [1, 4]) {
    rmSync(files[index]!, { recursive: true });
    renameSync(`${files[index]!}.aside`, files[index]!);
  }
  const rest: number[] = [];
  await until(() => {
    spool.spool.tick();
    for (let entry = spool.take(); entry !== undefined; entry = spool.take()) rest.push(seqOf(entry));
    return rest.length === 20;
  }, 'they are read');
  assert.deepEqual(rest, [...range(11, 20), ...range(41, 50)]);
  await spool.close();
});
