import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTypedParameters } from '../../src/libvirt/typed-parameters.ts';
import { XdrError, XdrReader, XdrWriter } from '../../src/libvirt/xdr.ts';

test('writes what it reads', () => {
  const writer = new XdrWriter();
  writer
    .int(-2)
    .uint(0xffffffff)
    .string('naïve 虚拟')
    .optional(undefined, (to, text: string) => to.string(text));
  writer.optional('x', (to, text) => to.string(text)).array([1, 2, 3], (to, item) => to.int(item));
  writer.uuid('11111111-2222-3333-4444-00000000000A').string('a'.repeat(1001));
  const reader = new XdrReader(writer.bytes());
  assert.equal(reader.int(), -2);
  assert.equal(reader.uint(), 0xffffffff);
  assert.equal(reader.string(), 'naïve 虚拟');
  assert.equal(
    reader.optional((from) => from.string()),
    undefined,
  );
  assert.equal(
    reader.optional((from) => from.string()),
    'x',
  );
  assert.deepEqual(
    reader.array(3, (from) => from.int()),
    [1, 2, 3],
  );
  assert.equal(reader.uuid(), '11111111-2222-3333-4444-00000000000a');
  assert.equal(reader.string(), 'a'.repeat(1001));
  assert.equal(reader.left, 0);
});

test('a number that needs a larger buffer', () => {
  for (const write of ['int', 'uint'] as const) {
    const reader = new XdrReader(new XdrWriter().string('a'.repeat(252))[write](7).bytes());
    assert.equal(reader.string().length, 252);
    assert.equal(reader[write](), 7);
  }
});

test('pads strings with zeros, also in a buffer that was used', () => {
  const bytes = new XdrWriter().string('abcde').bytes();
  assert.equal(bytes.toString('hex'), '000000056162636465000000');
});

test('reads 64-bit numbers up to their limits', () => {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64BE(2n ** 64n - 1n, 0);
  bytes.writeBigInt64BE(-(2n ** 63n), 8);
  bytes.writeBigInt64BE(-1n, 16);
  bytes.writeBigUInt64BE(2n ** 53n - 1n, 24);
  const reader = new XdrReader(bytes);
  assert.deepEqual(
    [reader.uhyper(), reader.hyper(), reader.hyper(), reader.uhyper()],
    [2 ** 64, -(2 ** 63), -1, 2 ** 53 - 1],
  );
});

test('refuses lengths above the limit or past the end before it allocates', () => {
  const claims = (count: number, payload = ''): XdrReader => {
    const bytes = Buffer.from(`0000${payload}`, 'latin1');
    bytes.writeUInt32BE(count, 0);
    return new XdrReader(bytes);
  };
  for (const length of [0xffffffff, 0x7fffffff, 4 * 1024 * 1024 + 1, 5]) {
    assert.throws(() => claims(length, 'abcd').string(), XdrError);
  }
  assert.throws(() => claims(4, 'abcdefgh').array(3, (reader) => reader.int()), XdrError);
  assert.throws(() => claims(3, 'abcdefgh').array(3, (reader) => reader.int()), XdrError);
  assert.throws(() => readTypedParameters(claims(0xffffffff)), XdrError);
  assert.throws(() => readTypedParameters(claims(65536)), XdrError);
  assert.throws(() => claims(0).uuid(), XdrError);
  assert.throws(() => claims(0).uhyper(), XdrError);
});

test('refuses to write what is no UUID', () => {
  assert.throws(() => new XdrWriter().uuid('not-a-uuid'), /not a UUID: "not-a-uuid"/);
});

test('parameters: a name from a hostile server is only a key; an unknown type is refused', () => {
  const parameter = (name: string, type: number): XdrReader =>
    new XdrReader(new XdrWriter().uint(1).string(name).int(type).int(7).bytes());
  assert.deepEqual([...readTypedParameters(parameter('__proto__', 1))], [['__proto__', 7]]);
  assert.throws(() => readTypedParameters(parameter('x', 8)), /unknown type 8/);
});
