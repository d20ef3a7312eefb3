import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  frame,
  headerBytes,
  readFrames,
  segmentHeader,
  segmentVersion,
  version,
  type SpooledRecord,
} from '../../../src/delivery/ledger/spool/frame.ts';

const hostile = [
  Buffer.from('{"name":"\\u00e4"}\n'),
  Buffer.alloc(0),
  // A record that holds a marker, and one that holds a whole frame.
  Buffer.from([0xc1, 0x50, 0x58, 0x54, 0, 0, 0, 1]),
  Buffer.concat(frame({ ordinal: 3, time: 1, bytes: Buffer.from('inner'), sent: false })),
  Buffer.alloc(300, 'x'),
];
const records: SpooledRecord[] = hostile.map((bytes, index) => ({
  ordinal: 7 + index,
  time: 1_700_000_000_000 + index,
  bytes,
  sent: index % 2 === 1,
}));
const frames = records.map((record) => Buffer.concat(frame(record)));
const segment = Buffer.concat([segmentHeader(), ...frames]);
/** Where each frame begins, and the end of the last one. */
const starts = frames.reduce((all, { length }) => [...all, all.at(-1)! + length], [headerBytes]);

function ordinals(bytes: Buffer): number[] {
  return readFrames(bytes, 7, Infinity).records.map(({ ordinal }) => ordinal);
}

test('what is written is read', () => {
  assert.deepEqual(readFrames(segment, 7, Infinity), { records, torn: false });
  assert.equal(segmentVersion(segment), version);
});

test('only the wanted ordinals are read', () => {
  const { records: some } = readFrames(segment, 8, 10);
  assert.deepEqual(
    some.map(({ ordinal }) => ordinal),
    [8, 9],
  );
});

test('a bit flipped anywhere costs the record it is in, and no other', () => {
  for (let at = 0; at < segment.length; at++) {
    for (const bit of [0, 5, 7]) {
      const damaged = Buffer.from(segment);
      damaged[at]! ^= 1 << bit;
      const hit = starts.findLastIndex((start) => start <= at);
      const expected = records.map(({ ordinal }) => ordinal).filter((_, index) => index !== hit);
      assert.deepEqual(ordinals(damaged), expected, `bit ${bit} of byte ${at}`);
      if (hit < 0) assert.equal(segmentVersion(damaged), undefined, `bit ${bit} of byte ${at}`);
    }
  }
});

test('a segment cut anywhere has the records before the cut, and shows that it is torn', () => {
  for (let length = 0; length <= segment.length; length++) {
    const cut = segment.subarray(0, length);
    const whole = starts.filter((start, index) => index > 0 && start <= length).length;
    const { torn } = readFrames(cut, 7, Infinity);
    assert.deepEqual(
      ordinals(cut),
      records.slice(0, whole).map(({ ordinal }) => ordinal),
      `${length} bytes`,
    );
    assert.equal(torn, length > headerBytes && !starts.includes(length), `${length} bytes`);
  }
});

test('zeros, as a file system may leave them at the end after a crash, are passed over', () => {
  const padded = Buffer.concat([segment, Buffer.alloc(5000)]);
  assert.deepEqual(readFrames(padded, 7, Infinity), { records, torn: true });
});

test('the version is that of an undamaged header', () => {
  const older = Buffer.from(segmentHeader());
  older[7] = 0;
  assert.equal(segmentVersion(older), undefined);
  assert.equal(segmentVersion(Buffer.alloc(0)), undefined);
});
