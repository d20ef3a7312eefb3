// Two outputs of one process have a file open: one that ends, and the one that takes its place.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { pack, Unpackr } from 'msgpackr';
import { AppendFile } from '../../src/delivery/file/append-file.ts';
import { FileDestination } from '../../src/delivery/file/file.ts';
import { Rotation } from '../../src/delivery/file/rotation.ts';
import { OutputSet } from '../../src/delivery/output-set.ts';
import type { FileSettings } from '../../src/delivery/settings.ts';
import type { Printer } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { ChaosDisk } from '../e2e/chaos-disk.ts';
import { directory, distinct, logs, range, record, seqs, TestOutput, undecided, until } from './helpers.ts';
import { smallDisk } from './spool/helpers.ts';

const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
const queue = { maxBytes: 64 << 20, whenFull: 'drop_oldest' } as const;

function settingsOf(path: string, change: Partial<FileSettings> = {}): FileSettings {
  return { name: 'file', type: 'file', printer: 'json', print, queue, path, ...change };
}

function open(t: TestContext, settings: FileSettings): TestOutput {
  const { log } = logs();
  return new TestOutput(t, settings, log, (tap) => new FileDestination(settings, tap, log));
}

/** An output set whose samples are records of so many bytes. */
function outputs(
  t: TestContext,
  bytes: number,
): { set: OutputSet; send: (from: number, to: number) => void } {
  const printer: Printer = { print: ({ seq }) => [record(seq, bytes)] };
  const set = new OutputSet(
    logs().log,
    () => printer,
    () => assert.fail('closed'),
  );
  t.after(() => set.close(0));
  const send = (from: number, to: number): void => {
    for (const seq of range(from, to)) set.write({ seq } as Sample);
  };
  return { set, send };
}

for (const printer of ['json', 'msgpack'] as const) {
  test(`${printer}: an output that opens the file while a record of the one before is there in part`, async (t) => {
    const disk = smallDisk(t);
    if (disk === undefined) return;
    const path = join(disk, 'samples');
    const ballast = join(disk, 'ballast');
    const make = (seq: number): Buffer =>
      printer === 'json' ? record(seq, 3000) : pack({ seq, padding: 'x'.repeat(3000) });
    // Not a multiple of the page size, so that the last write that fits is one in part.
    writeFileSync(ballast, Buffer.alloc(700_000));
    const settings = settingsOf(path, { printer });
    const before = open(t, settings);
    before.send(range(1, 200).map(make));
    await until(() => before.status.state === 'down', 'the disk is full');
    assert.notEqual(readFileSync(path).length % make(100).length, 0, 'the test did tear a record');
    const after = open(t, settings);
    await after.ready();
    rmSync(ballast);
    // It has its turn when the other one has ended its record.
    after.send(range(201, 210).map(make));
    await until(() => undecided(before.status) + undecided(after.status) === 0, 'written');
    await Promise.all([before.close(5000), after.close(5000)]);
    const content = readFileSync(path);
    const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
    const found =
      printer === 'json'
        ? seqs(content)
        : (unpackr.unpackMultiple(content) as { seq: number }[]).map(({ seq }) => seq);
    assert.deepEqual(
      found.sort((a, b) => a - b),
      range(1, 210),
    );
    assert.deepEqual([before.status.sent, after.status.sent], [200, 10]);
  });
}

test('a reload while a write hangs: the new output waits for its end, and no record is torn', async (t) => {
  const path = join(directory(t), 'pipe');
  execFileSync('mkfifo', [path]);
  // A pipe that nobody reads: a write of more than it holds hangs.
  const pieces: Buffer[] = [];
  const read = (): void => {
    const reader = spawn('timeout', ['20', 'cat', path], { stdio: ['ignore', 'pipe', 'inherit'] });
    reader.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    t.after(() => reader.kill());
  };
  const { set, send } = outputs(t, 10_000);
  await set.replace([settingsOf(path)]);
  send(1, 50);
  await until(() => set.list[0]!.status.unconfirmed > 0, 'handed over');
  await set.replace([settingsOf(path, { queue: { ...queue, maxBytes: 32 << 20 } })]);
  send(51, 100);
  await until(() => set.list[0]!.status.state === 'down', 'told');
  assert.match(set.list[0]!.status.lastError!, /pipe: a write of the previous output hangs/);
  const { sent, dropped } = set.list[0]!.status;
  assert.equal(undecided(set.list[0]!.status) + sent, 100, 'all are in the books');
  assert.equal(dropped, 0);
  read();
  await until(() => set.list[0]!.status.sent === 100, 'written');
  await set.close(5000);
  await until(() => distinct(seqs(Buffer.concat(pieces), false)).length === 100, 'read');
  assert.deepEqual(distinct(seqs(Buffer.concat(pieces))), range(1, 100));
});

test('what was put aside is compressed when no output writes to it any more', async (t) => {
  const place = directory(t);
  const path = join(place, 'samples');
  const source = {
    path,
    named: true,
    open: () => Promise.resolve(openSync(path, 'a+')),
  };
  const [leaving, present] = [new AppendFile(source), new AppendFile(source)];
  for (const file of [leaving, present]) await file.open();
  await leaving.take(1000);
  await leaving.write([record(1)]);
  const rotation = new Rotation(path, 3, logs().log);
  await until(() => rotation.free, 'ready');
  await rotation.want(present)();
  assert.ok(existsSync(`${path}.1`) && !existsSync(path));
  await present.close();
  // Time enough to compress it, if it did.
  const other = join(place, 'other');
  writeFileSync(`${other}.1`, '');
  const witness = new Rotation(other, 3, logs().log);
  await until(() => witness.free, 'compressed');
  assert.ok(existsSync(`${path}.1`) && !rotation.free);
  await leaving.write([record(2)]);
  await leaving.close();
  await until(() => rotation.free, 'compressed');
  assert.deepEqual(
    readdirSync(place).filter((name) => name.startsWith('samples')),
    ['samples.1.gz'],
  );
  assert.deepEqual(seqs(gunzipSync(readFileSync(`${path}.1.gz`))), [1, 2]);
});

const skip = process.getuid?.() !== 0 && 'needs root, for a disk that hangs';

test(
  'a reload, a rotation and a file opened anew while the disk hangs: nobody waits, and all arrives',
  { skip },
  async (t) => {
    const path = mkdtempSync(join(tmpdir(), 'proxtop-'));
    const place = join(path, 'disk');
    mkdirSync(place);
    const disk = new ChaosDisk(place, 20);
    t.after(() => {
      disk.remove();
      rmSync(path, { recursive: true });
    });
    const samples = join(place, 'samples');
    const rotation = { size: 200_000, keep: 50 };
    const { set, send } = outputs(t, 10_000);
    await set.replace([settingsOf(samples, { rotation })]);
    send(1, 5);
    await until(() => set.list[0]!.status.sent === 5, 'written');
    disk.become('hangs');
    // Should the program wait for the disk, this lets it go on, and the test fails.
    const rescue = spawn('sh', ['-c', `sleep 60; fsfreeze -u ${place}; echo > ${path}/rescued`], {
      detached: true,
      stdio: 'ignore',
    });
    t.after(() => process.kill(-rescue.pid!));
    send(6, 10);
    await until(() => set.list[0]!.status.unconfirmed > 0, 'handed over');
    // Enough for a rotation, before the reload and behind it.
    send(11, 40);
    set.reopen();
    await set.replace([settingsOf(samples, { rotation, queue: { ...queue, maxBytes: 32 << 20 } })]);
    send(41, 80);
    set.reopen();
    assert.equal(undecided(set.list[0]!.status), 75, 'all are in the books');
    assert.ok(!existsSync(join(path, 'rescued')), 'nobody waited for the disk');
    disk.become('good');
    await until(() => set.list[0]!.status.sent === 80, 'written');
    await set.close(5000);
    const contents = readdirSync(place)
      .filter((name) => name.startsWith('samples') && !name.includes('draft'))
      .map((name) => readFileSync(join(place, name)))
      .map((content) => (content[0] === 0x1f ? gunzipSync(content) : content));
    assert.deepEqual(distinct(contents.flatMap((content) => seqs(content))), range(1, 80));
    assert.equal(set.list[0]!.status.dropped, 0);
  },
);
