import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { frame, readFrames, type SpooledRecord } from '../../../src/delivery/ledger/spool/frame.ts';
import { encodeHeader, readHeader } from '../../../src/delivery/ledger/spool/header.ts';

const header = encodeHeader({ output: 'test', format: 'json', schema: 1 });
const hostile = [
  Buffer.from('{"name":"\\u00e4"}\n'),
  Buffer.alloc(0),
  // A record that holds a marker, and one that holds a whole frame.
  Buffer.from([0xc1, 0x50, 0x58, 0x54, 0, 0, 0, 1]),
  Buffer.concat(frame({ number: 3, time: 1, bytes: Buffer.from('inner'), sent: false })),
  Buffer.alloc(300, 'x'),
];
const records: SpooledRecord[] = hostile.map((bytes, index) => ({
  number: 7 + index,
  time: 1_700_000_000_000 + index,
  bytes,
  sent: index % 2 === 1,
}));
const frames = records.map((record) => Buffer.concat(frame(record)));
const segment = Buffer.concat([header, ...frames]);
/** Where each frame begins, and the end of the last one. */
const starts = frames.reduce((all, { length }) => [...all, all.at(-1)! + length], [header.length]);

function numbers(bytes: Buffer): number[] {
  return readFrames(bytes, 0, 7, Infinity).records.map(({ number }) => number);
}

test('written frames are read back', () => {
  assert.deepEqual(readFrames(segment, header.length, 7, Infinity), { records, torn: false });
});

test('only the wanted numbers are read', () => {
  const { records: some } = readFrames(segment, header.length, 8, 10);
  assert.deepEqual(
    some.map(({ number }) => number),
    [8, 9],
  );
});

test('a bit flipped anywhere costs the record it is in, and no other', () => {
  for (let at = 0; at < segment.length; at++) {
    for (const bit of [0, 5, 7]) {
      const damaged = Buffer.from(segment);
      damaged[at]! ^= 1 << bit;
      const hit = starts.findLastIndex((start) => start <= at);
      const expected = records.map(({ number }) => number).filter((_, index) => index !== hit);
      assert.deepEqual(numbers(damaged), expected, `bit ${bit} of byte ${at}`);
      if (hit < 0) assert.equal(readHeader(damaged), undefined, `bit ${bit} of byte ${at}`);
    }
  }
});

test('a segment cut anywhere has the records before the cut, and shows that it is torn', () => {
  for (let length = 0; length <= segment.length; length++) {
    const cut = segment.subarray(0, length);
    const whole = starts.filter((start, index) => index > 0 && start <= length).length;
    const { torn } = readFrames(cut, header.length, 7, Infinity);
    assert.deepEqual(
      numbers(cut),
      records.slice(0, whole).map(({ number }) => number),
      `${length} bytes`,
    );
    assert.equal(torn, length > header.length && !starts.includes(length), `${length} bytes`);
  }
});

test('zeros, as a file system may leave them at the end after a crash, are passed over', () => {
  const padded = Buffer.concat([segment, Buffer.alloc(5000)]);
  assert.deepEqual(readFrames(padded, header.length, 7, Infinity), { records, torn: true });
});

test('a forged frame with a right checksum and no record in it counts as damage', () => {
  for (const payload of [
    Buffer.from([0xc1]),
    Buffer.alloc(0),
    Buffer.from([0x80]),
    Buffer.from('a5hello', 'hex'),
  ]) {
    const head = Buffer.from([0xc1, 0x50, 0x58, 0x54, 0, 0, 0, payload.length, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
    head.writeUInt32BE(crc32(payload, crc32(head.subarray(4, 14))), 14);
    const crafted = Buffer.concat([header, frames[0]!, head, payload, ...frames.slice(2)]);
    assert.deepEqual(numbers(crafted), [7, 9, 10, 11], payload.toString('hex'));
  }
});

test('markers whose lengths lie cost no more than a few looks at the segment', () => {
  const marker = Buffer.from([0xc1, 0x50, 0x58, 0x54, 0, 0x0f, 0, 0, 0, 0, 0, 0, 0, 8, 1, 2, 3, 4]);
  const crafted = Buffer.concat([header, frames[0]!, Buffer.alloc(2 << 20, marker)]);
  // Without a bound it takes a minute; no test of speed, but of minutes.
  const began = performance.now();
  assert.deepEqual(numbers(crafted), [7]);
  assert.ok(performance.now() - began < 20_000);
});
