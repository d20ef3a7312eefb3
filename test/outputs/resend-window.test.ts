import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResendWindow } from '../../src/outputs/resend-window.ts';

function handOver(window: ResendWindow, now: number, ...texts: string[]): void {
  for (const text of texts) {
    window.add(Buffer.from(text));
    window.next(now);
  }
}

/** What a new connection would be given. */
function resent(window: ResendWindow): string {
  window.rewind();
  let all = '';
  for (let record = window.next(0); record !== undefined; record = window.next(0)) all += record.toString();
  return all;
}

test('a record is sent once, however often it is handed over', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 100 });
  handOver(window, 0, 'a', 'bb', 'ccc');
  assert.deepEqual([window.take(), window.take()], [true, true]);
  assert.deepEqual([window.unsent, window.unsentBytes, window.done], [1, 3, false]);
  assert.equal(resent(window), 'abbccc');
  assert.deepEqual([window.unsent, window.unsentBytes], [1, 3]);
  assert.deepEqual([window.take(), window.take(), window.take(), window.take()], [false, false, true, false]);
  assert.deepEqual([window.unsent, window.unsentBytes, window.done], [0, 0, true]);
});

test('old records leave once the peer has them', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 100 });
  handOver(window, 0, 'a', 'bb');
  handOver(window, 3000, 'c');
  for (let i = 0; i < 3; i++) window.take();
  window.release(4999, 4);
  assert.equal(window.next(0), undefined);
  window.release(5000, 1);
  assert.equal(resent(window), 'bbc');
});

test('old records stay while the peer does not have them', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 100 });
  handOver(window, 0, 'a', 'bb');
  window.take();
  window.take();
  window.release(60_000, 0);
  assert.equal(resent(window), 'abb');
});

test('what was not taken stays, and the bytes of what was are bounded', () => {
  const window = new ResendWindow({ ms: 5000, bytes: 4 });
  handOver(window, 0, 'aaa', 'bbb', 'cc', 'dddddd');
  for (let i = 0; i < 3; i++) window.take();
  window.release(0, 0);
  assert.equal(resent(window), 'ccdddddd');
  assert.equal(window.unsent, 1);
  window.release(60_000, 100);
  assert.equal(resent(window), 'ccdddddd');
});
