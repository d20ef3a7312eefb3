import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newEntry, type Entry } from '../../src/delivery/ledger/entry.ts';
import { ResendWindow } from '../../src/delivery/tcp/resend-window.ts';

function entries(...texts: string[]): Entry[] {
  return texts.map((text) => newEntry(Buffer.from(text), 0));
}

function handOver(window: ResendWindow, now: number, list: readonly Entry[]): void {
  for (const entry of list) {
    entry.handed = now;
    window.add(entry);
  }
}

function textOf(list: readonly Entry[]): string {
  return list.map(({ bytes }) => bytes.toString()).join('');
}

/** What left the window as delivered. */
function released(window: ResendWindow, now: number, acknowledged: number): string {
  const list: Entry[] = [];
  window.release(now, acknowledged, (entry) => list.push(entry));
  return textOf(list);
}

test('a record is sent once, however often it is handed over', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 100 });
  handOver(window, 0, entries('a', 'bb', 'ccc'));
  assert.deepEqual([window.take(), window.take()], [true, true]);
  assert.deepEqual([window.unsent, window.unsentBytes, window.done], [1, 3, false]);
  const again = window.drain();
  assert.equal(textOf(again), 'abbccc');
  assert.deepEqual([window.unsent, window.unsentBytes, window.done], [0, 0, true]);
  handOver(window, 0, again);
  assert.deepEqual([window.unsent, window.unsentBytes], [1, 3]);
  assert.deepEqual([window.take(), window.take(), window.take(), window.take()], [false, false, true, false]);
  assert.deepEqual([window.unsent, window.unsentBytes, window.done], [0, 0, true]);
});

test('old records leave once the peer has them', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 100 });
  handOver(window, 0, entries('a', 'bb'));
  handOver(window, 3000, entries('c'));
  for (let i = 0; i < 3; i++) window.take();
  assert.equal(released(window, 4999, 4), '');
  assert.equal(released(window, 5000, 1), 'a');
  assert.equal(textOf(window.drain()), 'bbc');
});

test('old records stay while the peer does not have them', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 100 });
  handOver(window, 0, entries('a', 'bb'));
  window.take();
  window.take();
  assert.equal(released(window, 60_000, 0), '');
  assert.equal(textOf(window.drain()), 'abb');
});

test('what was not taken stays, and the bytes of what was are bounded', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 4 });
  handOver(window, 0, entries('aaa', 'bbb', 'cc', 'dddddd'));
  for (let i = 0; i < 3; i++) window.take();
  assert.equal(released(window, 0, 0), 'aaabbb');
  assert.equal(window.unsent, 1);
  assert.equal(released(window, 60_000, 100), 'cc');
  assert.equal(textOf(window.drain()), 'dddddd');
});
