import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import { MsgpackEnds } from '../../src/recording/input/msgpack-ends.ts';
import { endOfValue } from '../../src/delivery/file/msgpack-end.ts';

const packr = new Packr({ useRecords: false });

/** Where the values end, of bytes that come in pieces of so many. */
function endsOf(bytes: Buffer, size: number): number[] {
  const ends = new MsgpackEnds();
  const found: number[] = [];
  for (let begin = 0; begin < bytes.length; begin += size) {
    const piece = bytes.subarray(begin, begin + size);
    for (let at = ends.next(piece, 0); at !== undefined; at = ends.next(piece, at)) found.push(begin + at);
  }
  return found;
}

test('values end where they do, in pieces of any size', () => {
  const values = [
    ...[{}, [], null, true, 0, -1, 1.5, 127, 128, 65_535, 65_536, 2 ** 40, -129, -40_000, -(2 ** 40)],
    ...[
      '',
      'x'.repeat(31),
      'x'.repeat(32),
      'x'.repeat(300),
      'x'.repeat(70_000),
      Buffer.alloc(9),
      new Date(0),
    ],
    {
      a: [1, { b: ['c', new Array(20).fill({ d: null })] }],
      e: Object.fromEntries(Array.from({ length: 20 }, (_, key) => [`key ${key}`, key])),
    },
    new Array(70_000).fill(1),
  ];
  const bytes = Buffer.concat(values.map((value) => Buffer.from(packr.pack(value))));
  const expected: number[] = [];
  for (let at = 0; at < bytes.length; expected.push(at)) at = endOfValue(bytes, at) ?? assert.fail();
  assert.equal(expected.length, values.length);
  for (const size of [1, 2, 3, 7, 8, 9, 10, 64, 1000, bytes.length])
    assert.deepEqual(endsOf(bytes, size), expected, `pieces of ${size}`);
});
