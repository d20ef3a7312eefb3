import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtobufWriter } from '../../src/formats/protobuf/protobuf-writer.ts';

/** What a writer wrote, in hexadecimal digits. The expected bytes are those of the specification's own rules. */
function written(write: (out: ProtobufWriter) => void): string {
  const out = new ProtobufWriter();
  write(out);
  return out.take().toString('hex');
}

test('integers are varints, seven bits a byte, the lowest first', () => {
  // The example of the specification: field 1, 150.
  assert.equal(
    written((out) => {
      out.int64(1, 150);
    }),
    '089601',
  );
  const numbers: [number, string][] = [
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [2 ** 31, '8080808008'],
    [2 ** 32, '8080808010'],
    [1_795_841_580_278, 'f6b9ff83a234'],
    [2 ** 53, '8080808080808010'],
    [-1, 'ffffffffffffffffff01'],
    [-(2 ** 53), '80808080808080f0ff01'],
  ];
  for (const [number, bytes] of numbers) {
    assert.equal(
      written((out) => {
        out.int64(2, number);
      }),
      `10${bytes}`,
      String(number),
    );
  }
});

test('a field number above 15 takes two bytes of tag', () => {
  assert.equal(
    written((out) => {
      out.int64(16, 1);
    }),
    '800101',
  );
});

test('fixed numbers are little-endian, to the last bit', () => {
  const bytes = Buffer.from(
    written((out) => {
      out.fixed64(2, 1_795_841_580_278_123_457n);
      out.fixed64(3, 2n ** 64n - 1n);
      out.double(4, -12.5);
    }),
    'hex',
  );
  assert.equal(bytes.length, 27);
  assert.deepEqual([bytes[0], bytes[9], bytes[18]], [0x11, 0x19, 0x21]);
  assert.equal(bytes.readBigUInt64LE(1), 1_795_841_580_278_123_457n);
  assert.equal(bytes.readBigUInt64LE(10), 2n ** 64n - 1n);
  assert.equal(bytes.readDoubleLE(19), -12.5);
});

test('packed numbers have one tag', () => {
  const bytes = Buffer.from(
    written((out) => {
      out.packedFixed64(6, Float64Array.of(0, 2 ** 32 - 1, 2 ** 32, 2 ** 53));
      out.packedDoubles(7, [0.001, 1]);
      out.packedDoubles(7, []);
    }),
    'hex',
  );
  assert.deepEqual([...bytes.subarray(0, 2)], [0x32, 32]);
  const counts = [0, 1, 2, 3].map((index) => bytes.readBigUInt64LE(2 + 8 * index));
  assert.deepEqual(counts, [0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n]);
  assert.deepEqual([...bytes.subarray(34, 36)], [0x3a, 16]);
  assert.deepEqual([bytes.readDoubleLE(36), bytes.readDoubleLE(44)], [0.001, 1]);
  assert.deepEqual([...bytes.subarray(52)], [0x3a, 0]);
});

test('a string is UTF-8 with its length in bytes, a lone surrogate U+FFFD', () => {
  const text = (value: string): string =>
    written((out) => {
      out.string(1, value);
    });
  // The example of the specification: field 2 there.
  assert.equal(text('testing'), '0a0774657374696e67');
  assert.equal(text(''), '0a00');
  assert.equal(text('ä€😀'), '0a09c3a4e282acf09f9880');
  assert.equal(text('\ud800'), '0a03efbfbd');
  assert.equal(text('x'.repeat(300)), `0aac02${'78'.repeat(300)}`);
});

test('a message has its length in four bytes, filled in afterwards, also within another one', () => {
  assert.equal(
    written((out) => {
      const outer = out.begin(3);
      const inner = out.begin(1);
      out.int64(1, 150);
      out.end(inner);
      out.int64(2, 1);
      out.end(outer);
    }),
    // 10 = 0x0a, 3 = 0x03, padded with leading zeros
    '1a8a8080000a83808000089601' + '1001',
  );
  const large = Buffer.from(
    written((out) => {
      const begin = out.begin(1);
      out.append(Buffer.alloc(300_000));
      out.end(begin);
    }),
    'hex',
  );
  const [, a = 0, b = 0, c = 0, d = 0] = large;
  assert.equal((a & 127) + ((b & 127) << 7) + ((c & 127) << 14) + (d << 21), 300_000);
  assert.ok(a > 127 && b > 127 && c > 127 && d < 128);
});

test('a message whose length is known, ready bytes, and what is taken back', () => {
  assert.equal(
    written((out) => {
      out.sized(2, 3);
      out.int64(1, 150);
      out.bytes(3, Buffer.from('089601', 'hex'));
      const end = out.length;
      out.double(4, 1);
      out.truncate(end);
    }),
    '1203089601' + '1a03089601',
  );
});

test('what was taken stays as it is while the writer writes on', () => {
  const out = new ProtobufWriter();
  out.string(1, 'a');
  const first = out.take();
  out.string(1, 'b');
  assert.equal(first.toString('hex'), '0a0161');
  assert.equal(out.take().toString('hex'), '0a0162');
});
