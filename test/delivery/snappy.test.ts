import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { snappy } from '../../src/delivery/http/snappy.ts';
import { expand } from '../formats/write-requests.ts';

/** Bytes that look random and are the same in every run. */
function noisy(length: number, values = 256): Buffer {
  let state = 7;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 16) % values;
    }),
  );
}

test('compressed data expands to the original', () => {
  const text = readFileSync(new URL('snappy.test.ts', import.meta.url));
  const inputs = [
    ...Array.from({ length: 80 }, (_, length) => noisy(length)),
    ...Array.from({ length: 80 }, (_, length) => Buffer.alloc(length, 'a')),
    ...[1, 2, 3, 5, 7, 64, 68, 100].map((period) =>
      Buffer.concat(Array.from({ length: 500 }, () => noisy(period))),
    ),
    ...[2, 3, 4, 16].map((values) => noisy(300_000, values)),
    ...[65_535, 65_536, 65_537, 131_072, 200_000].map((length) => noisy(length)),
    Buffer.alloc(1 << 20),
    text,
    Buffer.concat([text, noisy(70_000), text]),
  ];
  for (const input of inputs) {
    const block = snappy(input);
    assert.ok(expand(block).equals(input), `${input.length} bytes`);
    assert.ok(block.length <= 32 + input.length + input.length / 6);
  }
});

test('what repeats becomes small', () => {
  const lines = Buffer.from(
    Array.from(
      { length: 20_000 },
      (_, index) => `proxtop_vm_cpu_seconds_total{name="vm-${index % 200}"} 1\n`,
    ).join(''),
  );
  assert.ok(snappy(lines).length < lines.length / 5);
});
