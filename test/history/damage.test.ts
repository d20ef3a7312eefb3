import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { headAt, memberBytes } from '../../src/history/member.ts';
import { everything } from '../../src/history/span.ts';
import { HistoryRecording } from '../../src/history/history-recording.ts';
import { filesIn, MINUTE, place, read, record, start, upTo } from './helpers.ts';

/** Where the members of a file begin, and its end. */
function bounds(bytes: Buffer): number[] {
  const found = [0];
  for (let at = 0; at < bytes.length;) {
    const head = headAt(bytes, at);
    assert.ok(head);
    at += memberBytes(head);
    found.push(at);
  }
  return found;
}

const begin = Date.UTC(2026, 10, 28, 3);
/** Samples of minutes, numbered from 0, of six each. */
const ofMinutes = (...minutes: number[]): number[] =>
  minutes.flatMap((minute) => upTo(minute * 6 + 6, minute * 6 + 1));

test('every undamaged minute of a damaged file is found, by the history and by a replay of the file', async (t) => {
  const directory = place(t);
  await record(directory, 4, { from: begin });
  const [name = ''] = filesIn(directory);
  const path = join(directory, name);
  const good = readFileSync(path);
  const at = bounds(good);
  assert.equal(at.length, 5);
  const part = (minute: number): Buffer => good.subarray(at[minute], at[minute + 1]);
  const flipped = (offset: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
    return bytes;
  };
  const second = at[1] ?? 0;
  const damages: [what: string, bytes: Buffer, minutes: number[]][] = [
    ['cut in the last', good.subarray(0, -9), [0, 1, 2]],
    ['cut in a head', good.subarray(0, (at[3] ?? 0) + 20), [0, 1, 2]],
    ['torn in the middle', Buffer.concat([part(0), part(1).subarray(0, 200), part(2), part(3)]), [0, 2, 3]],
    ['torn in a head', Buffer.concat([part(0), part(1).subarray(0, 20), part(2), part(3)]), [0, 2, 3]],
    [
      'zeros in place of one',
      Buffer.concat([part(0), Buffer.alloc(part(1).length), part(2), part(3)]),
      [0, 2, 3],
    ],
    ['zeros at the end', Buffer.concat([good, Buffer.alloc(4096)]), [0, 1, 2, 3]],
    ['zeros at the begin', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(100), part(2)]), [2]],
    ...[0, 3, 12, 17, 30, 42, 46, 100, 300].map((offset): [string, Buffer, number[]] => [
      `a byte flipped ${offset} behind the begin of one`,
      flipped(second + offset),
      [0, 2, 3],
    ]),
  ];
  for (const [what, bytes, minutes] of damages) {
    writeFileSync(path, bytes);
    const ofHistory = await read(directory);
    assert.deepEqual(ofHistory.seqs, ofMinutes(...minutes), what);
    // As any recording.
    const copy = `${directory}.gz`;
    writeFileSync(copy, bytes);
    const ofFile = await read(copy);
    // gzip has no checksum of its own for its head: there a flipped byte may change nothing.
    if (!what.includes('flipped')) assert.deepEqual(ofFile.seqs, ofMinutes(...minutes), `${what}, as a file`);
    else
      assert.ok(
        ofMinutes(...minutes).every((seq) => ofFile.seqs.includes(seq)),
        `${what}, as a file`,
      );
  }
});

test('a cut at every position costs no more than the minute in it', async (t) => {
  const directory = place(t);
  await record(directory, 3, { from: begin });
  const [name = ''] = filesIn(directory);
  const path = join(directory, name);
  const good = readFileSync(path);
  const at = bounds(good);
  for (let length = at[1] ?? 0; length < good.length; length += 7) {
    writeFileSync(path, good.subarray(0, length));
    const whole = at.filter((end) => end > 0 && end <= length).length;
    assert.deepEqual((await read(directory)).seqs, ofMinutes(...upTo(whole - 1, 0)), `${length} bytes`);
  }
});

test('spans, jumps and what comes while it is looked at', async (t) => {
  const directory = place(t);
  await record(directory, 4);
  const within = await read(directory, { from: start + 15_000, to: start + 95_000 });
  assert.deepEqual(within.seqs, upTo(10, 3));
  await assert.rejects(read(directory, { from: start + 3_600_000 * 9, to: Infinity }), {
    name: 'RecordingError',
    message:
      /nothing was recorded at that time: the history goes from 2026-11-28T02:58:00.000Z to 2026-11-28T/,
  });
  const recording = await HistoryRecording.open(directory, everything);
  t.after(() => recording.close());
  assert.equal(recording.length, 24);
  assert.equal(await recording.indexAt(start + 2 * MINUTE + 5000), 13);
  assert.equal((await recording.at(13))?.seq, 14);
  assert.equal(await recording.indexAt(Infinity), 23);
  assert.equal(await recording.has(24), false);
  await record(directory, 1, { from: start + 10 * MINUTE, seq: 100, run: 'second' });
  assert.equal((await recording.at(24))?.seq, 100);
  // One that is being written: it is not there yet, and no damage.
  appendFileSync(join(directory, filesIn(directory).at(-1) ?? ''), Buffer.from([0x1f, 0x8b, 8, 4, 0]));
  assert.equal(await recording.has(30), false);
  assert.equal(recording.skipped.records, 0);
});

test('files of others, and of other versions, are passed over', async (t) => {
  const directory = place(t);
  await record(directory, 1, { from: begin });
  writeFileSync(join(directory, 'README'), 'notes');
  writeFileSync(join(directory, '000002-20261128T0301Z.jsonl.gz'), 'something else');
  assert.deepEqual((await read(directory)).seqs, upTo(6));
});

test('what is no file is passed over, neither waited for nor in the way of a new one', async (t) => {
  const directory = place(t);
  await record(directory, 1, { from: begin });
  // The oldest, which would have to make room.
  mkdirSync(join(directory, '000000-20261101T0301Z.jsonl.gz'));
  symlinkSync('/dev/zero', join(directory, '000002-20261128T0301Z.jsonl.gz'));
  const pipe = join(directory, '000003-20261128T0301Z.jsonl.gz');
  execFileSync('mkfifo', [pipe]);
  // So that whoever opens it does not wait for ever.
  const held = openSync(pipe, 'r+');
  t.after(() => {
    closeSync(held);
  });
  assert.deepEqual((await read(directory)).seqs, upTo(6));
  const settings = { keep: 86_400 };
  await record(directory, 1, { from: Date.now(), seq: 7, settings });
  await record(directory, 1, { from: Date.now(), seq: 13, settings });
  assert.equal((await read(directory)).seqs.includes(13), true);
});
