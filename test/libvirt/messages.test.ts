import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Header } from '../../src/libvirt/messages.ts';
import { encodeMessage, MessageDecoder } from '../../src/libvirt/messages.ts';
import { XdrError } from '../../src/libvirt/xdr.ts';
import { captures } from './captures.ts';

type Seen = [header: Header, payload: string];

/** Feeds chunks to a decoder; payloads are read word by word, since a handler has only the reader. */
function decode(chunks: Iterable<Buffer>): Seen[] {
  const seen: Seen[] = [];
  const decoder = new MessageDecoder((header, reader) => {
    const payload = Buffer.alloc(reader.left);
    for (let at = 0; reader.left > 0; at += 4) payload.writeUInt32BE(reader.uint(), at);
    seen.push([header, payload.toString('latin1')]);
  });
  for (const chunk of chunks) decoder.push(chunk);
  return seen;
}

/** The messages of `bytes`, read in the plainest way. */
function expected(messages: readonly Buffer[]): Seen[] {
  return messages.map((bytes) => [
    {
      program: bytes.readUInt32BE(4),
      procedure: bytes.readInt32BE(12),
      type: bytes.readUInt32BE(16),
      serial: bytes.readUInt32BE(20),
      status: bytes.readUInt32BE(24),
    },
    bytes.toString('latin1', 28),
  ]);
}

const framed = captures.filter(({ name }) => !name.startsWith('SYNTHETIC')).map(({ reply }) => reply);

test('cuts every captured reply at every byte', () => {
  for (const message of framed) {
    const whole = expected([message]);
    for (let at = 0; at <= message.length; at++) {
      assert.deepEqual(decode([message.subarray(0, at), message.subarray(at)]), whole);
    }
  }
});

test('takes all captured replies in one chunk, byte by byte, and in chunks that fall across their ends', () => {
  const all = Buffer.concat(framed);
  const whole = expected(framed);
  for (const size of [all.length, 1, 7, 29, 1000, 65536]) {
    const chunks = [];
    for (let at = 0; at < all.length; at += size) chunks.push(all.subarray(at, at + size));
    assert.deepEqual(decode(chunks), whole);
  }
});

test('takes the largest message there can be', () => {
  const message = Buffer.alloc(8 * 1024 * 1024);
  framed[0]!.copy(message);
  message.writeUInt32BE(message.length, 0);
  const seen: number[] = [];
  const decoder = new MessageDecoder((_, reader) => seen.push(reader.left));
  for (let at = 0; at < message.length; at += 65536) decoder.push(message.subarray(at, at + 65536));
  decoder.push(framed[0]!);
  assert.deepEqual(seen, [message.length - 28, framed[0]!.length - 28]);
});

test('a claimed length allocates nothing, and the buffer of a large message is let go of', () => {
  const claim = Buffer.alloc(28);
  claim.writeUInt32BE(8 * 1024 * 1024, 0);
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 200 }, () => new MessageDecoder(() => undefined));
  for (const decoder of decoders) decoder.push(claim);
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
});

test('refuses a length out of bounds and another version of the protocol', () => {
  for (const length of [0, 27, 8 * 1024 * 1024 + 1, 0xffffffff]) {
    const bytes = Buffer.from(framed[0]!);
    bytes.writeUInt32BE(length, 0);
    assert.throws(() => decode([bytes]), XdrError);
    assert.throws(() => decode([bytes.subarray(0, 4)]), XdrError);
  }
  const bytes = Buffer.from(framed[0]!);
  bytes.writeUInt32BE(2, 8);
  assert.throws(() => decode([bytes]), /protocol version 2/);
});

test('writes the header as libvirt reads it', () => {
  const header = { program: 0x20008086, procedure: 157, type: 0, serial: 4, status: 0 };
  const request = captures.find(({ name }) => name === 'GET_LIB_VERSION (157)')?.request;
  assert.deepEqual(encodeMessage(header), request);
});
