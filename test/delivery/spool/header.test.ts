import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { encodeHeader, readHeader } from '../../../src/delivery/ledger/spool/header.ts';

const identity = { output: 'logs', format: 'csv {"layout":"cycle"}', schema: 1 };

test('a header says whose records these are', () => {
  const header = encodeHeader(identity);
  assert.deepEqual(readHeader(Buffer.concat([header, Buffer.alloc(100)])), {
    version: 2,
    bytes: header.length,
    identity,
  });
});

test('a header of 0.1.0 has a version alone', () => {
  const header = Buffer.from('PXSPOOL\u0001    ', 'latin1');
  header.writeUInt32BE(crc32(header.subarray(0, 8)), 8);
  assert.deepEqual(readHeader(header), { version: 1, bytes: 12 });
});

test('a header of a later version is known as such', () => {
  const header = encodeHeader(identity);
  header[7] = 3;
  header.writeUInt32BE(crc32(header.subarray(0, -4)), header.length - 4);
  assert.deepEqual(readHeader(header), { version: 3, bytes: header.length });
});

test('a header that is cut, damaged or crafted says nothing', () => {
  const header = encodeHeader(identity);
  for (let length = 0; length < header.length; length++)
    assert.equal(readHeader(header.subarray(0, length)), undefined, `${length} bytes`);
  for (const text of ['', '[]', 'null', '{"output":1,"format":"json","schema":1}', '{']) {
    const crafted = Buffer.concat([header.subarray(0, 12), Buffer.from(text), Buffer.alloc(4)]);
    crafted.writeUInt32BE(Buffer.byteLength(text), 8);
    crafted.writeUInt32BE(crc32(crafted.subarray(0, -4)), crafted.length - 4);
    assert.equal(readHeader(crafted), undefined, text);
  }
});
