import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, Handed } from '../../src/delivery/ledger/entry.ts';
import { ResendWindow } from '../../src/delivery/tcp/resend-window.ts';

function entries(first: number, stored: boolean, ...texts: string[]): Entry[] {
  return texts.map((text, index) => ({ ordinal: first + index, bytes: Buffer.from(text), since: 0, stored }));
}

function ordinals(list: readonly Handed[]): number[] {
  return list.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
}

test('records leave as far as their bytes were acknowledged', () => {
  const window = new ResendWindow();
  for (const entry of entries(1, false, 'a', 'bb', 'ccc')) window.add(entry);
  assert.equal(window.memoryBytes, 6);
  assert.deepEqual(ordinals(window.release(2)), [1]);
  assert.deepEqual(ordinals(window.release(2)), []);
  assert.deepEqual(ordinals(window.release(5)), [2]);
  assert.deepEqual([window.memoryBytes, window.empty], [3, false]);
  assert.deepEqual(ordinals(window.release(6)), [3]);
  assert.deepEqual([window.memoryBytes, window.empty], [0, true]);
});

test('nothing is forgotten, however much it is', () => {
  const window = new ResendWindow();
  const record = 'x'.repeat(10_000);
  for (let ordinal = 1; ordinal <= 2000; ordinal++) window.add(entries(ordinal, false, record)[0]!);
  assert.equal(window.memoryBytes, 20_000_000);
  const again = window.drain();
  assert.equal(ordinals(again).length, 2000);
  assert.ok(again.every(({ entry }) => entry?.bytes.length === 10_000));
});

test('of records that the disk has only the ordinals are held', () => {
  const window = new ResendWindow();
  const record = 'x'.repeat(100);
  for (let ordinal = 1; ordinal <= 10_000; ordinal++) window.add(entries(ordinal, true, record)[0]!);
  assert.equal(window.memoryBytes, 0);
  // Not one by one either: a backlog has hundreds of thousands.
  const first = window.release(500_000);
  assert.deepEqual(
    ordinals(first),
    Array.from({ length: ordinals(first).length }, (_, index) => 1 + index),
  );
  const rest = window.drain();
  assert.equal(ordinals(first).length + ordinals(rest).length, 10_000);
  assert.ok(first.length + rest.length < 20, String(first.length + rest.length));
  assert.ok(rest.every(({ entry }) => entry === undefined));
});

test('records of memory and disk that take turns keep their order', () => {
  const window = new ResendWindow();
  for (let turn = 0; turn < 3; turn++) {
    for (const entry of entries(100 + 2 * turn, true, 'a', 'b')) window.add(entry);
    for (const entry of entries(200 + turn, false, 'c')) window.add(entry);
  }
  assert.deepEqual(ordinals(window.release(3)), [100, 101, 200]);
  assert.deepEqual(ordinals(window.drain()), [102, 103, 201, 104, 105, 202]);
});

test('it is done when our kernel took all, and as new for the next connection', () => {
  const window = new ResendWindow();
  const state = (): boolean[] => [window.done, window.empty];
  assert.deepEqual(state(), [true, true]);
  for (const entry of entries(1, false, 'a', 'b')) window.add(entry);
  window.take();
  assert.deepEqual(state(), [false, false]);
  window.take();
  assert.deepEqual(state(), [true, false]);
  assert.equal(window.drain().length, 2);
  assert.deepEqual(state(), [true, true]);
  for (const entry of entries(3, false, 'cc')) window.add(entry);
  assert.deepEqual(ordinals(window.release(1)), []);
  assert.deepEqual(ordinals(window.release(2)), [3]);
});
