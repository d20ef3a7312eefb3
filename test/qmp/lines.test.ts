import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lines } from '../../src/qmp/lines.ts';

// A conversation with multi-byte characters, an empty line and a line that is not complete.
const text =
  '{"QMP": {}}\r\n{"return": "größe €"}\r\n\r\n{"event": "A\\nB"}\r\n{"return": 1, "id": "x"}\r\n{"ret';
const expected = [
  '{"QMP": {}}\r',
  '{"return": "größe €"}\r',
  '\r',
  '{"event": "A\\nB"}\r',
  '{"return": 1, "id": "x"}\r',
];
const bytes = Buffer.from(text);

/** Feeds the chunks as a socket does: every one in the same memory. */
function cut(chunks: readonly Buffer[]): string[] {
  const shared = Buffer.alloc(bytes.length);
  const lines = new Lines();
  const found: string[] = [];
  for (const chunk of chunks) {
    shared.fill('#');
    chunk.copy(shared);
    lines.feed(shared.subarray(0, chunk.length));
    for (let line = lines.next(); line !== undefined; line = lines.next()) found.push(line);
  }
  return found;
}

test('several lines in one chunk', () => {
  assert.deepEqual(cut([bytes]), expected);
});

test('every split into two and three chunks', () => {
  for (let i = 0; i <= bytes.length; i++) {
    assert.deepEqual(cut([bytes.subarray(0, i), bytes.subarray(i)]), expected, `split at ${i}`);
    for (let j = i; j <= bytes.length; j++) {
      assert.deepEqual(
        cut([bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)]),
        expected,
        `split at ${i}, ${j}`,
      );
    }
  }
});

test('byte by byte', () => {
  assert.deepEqual(cut(Array.from(bytes, (byte) => Buffer.of(byte))), expected);
});

test('what was fed and not taken can be had, and is gone then', () => {
  const lines = new Lines();
  lines.feed(Buffer.from('a\nb'));
  assert.equal(lines.next(), 'a');
  assert.equal(lines.next(), undefined);
  lines.feed(Buffer.from('c\nd\ne'));
  assert.equal(lines.next(), 'bc');
  assert.equal(lines.rest().toString(), 'd\ne');
  assert.equal(lines.next(), undefined);
  assert.equal(lines.rest().length, 0);
});
