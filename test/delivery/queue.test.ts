import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fifo } from '../../src/delivery/ledger/fifo.ts';
import { Ledger } from '../../src/delivery/ledger/ledger.ts';
import { RecordQueue } from '../../src/delivery/ledger/queue.ts';
import type { QueueSettings } from '../../src/delivery/settings.ts';

function open(settings: QueueSettings): { queue: RecordQueue; ledger: Ledger } {
  const ledger = new Ledger();
  return { queue: new RecordQueue(settings, ledger), ledger };
}

function text(queue: RecordQueue): string {
  let all = '';
  for (let record = queue.shift(); record !== undefined; record = queue.shift())
    all += record.bytes.toString();
  return all;
}

test('a fifo keeps its order while it grows and wraps', () => {
  const fifo = new Fifo<number>();
  let next = 0;
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 7; i++) fifo.push(round * 7 + i);
    for (let i = 0; i < 5; i++) assert.equal(fifo.shift(), next++);
  }
  assert.equal(fifo.length, 200);
  assert.equal(fifo.at(0), 500);
  assert.equal(fifo.at(199), 699);
  assert.equal(fifo.at(200), undefined);
  for (let left = 200; left > 0; left--) assert.equal(fifo.shift(), next++);
  assert.equal(fifo.shift(), undefined);
  assert.equal(fifo.length, 0);
});

test('a fifo takes items back at its front, also when it is full', () => {
  const fifo = new Fifo<number>();
  for (let item = 50; item < 66; item++) fifo.push(item);
  for (let item = 49; item >= 0; item--) fifo.unshift(item);
  for (let item = 0; item < 66; item++) assert.equal(fifo.shift(), item);
  assert.equal(fifo.shift(), undefined);
});

test('drop_oldest makes room for the new record', () => {
  const { queue, ledger } = open({ maxBytes: 5, whenFull: 'drop_oldest' });
  for (const record of ['aa', 'bb', 'c', 'ddd']) queue.push(Buffer.from(record), 0);
  assert.equal(queue.bytes, 4);
  assert.deepEqual([ledger.drops.by.queue_full, ledger.drops.total, ledger.memory], [2, 2, 2]);
  assert.equal(text(queue), 'cddd');
  assert.equal(queue.bytes, 0);
});

test('drop_newest refuses the new record', () => {
  const { queue, ledger } = open({ maxBytes: 5, whenFull: 'drop_newest' });
  for (const record of ['aa', 'bb', 'cc', 'd']) queue.push(Buffer.from(record), 0);
  assert.equal(queue.bytes, 5);
  assert.deepEqual([ledger.drops.by.queue_full, ledger.drops.total, ledger.pushed], [1, 1, 4]);
  assert.equal(text(queue), 'aabbd');
});

for (const whenFull of ['drop_oldest', 'drop_newest'] as const) {
  test(`${whenFull}: a record larger than the whole queue drives out nothing`, () => {
    const { queue, ledger } = open({ maxBytes: 5, whenFull });
    for (const record of ['aa', '123456', 'b']) queue.push(Buffer.from(record), 0);
    assert.deepEqual([ledger.drops.by.too_large, ledger.drops.total], [1, 1]);
    assert.equal(text(queue), 'aab');
  });
}

test('what is put back comes out first, and is the first to make room', () => {
  const { queue, ledger } = open({ maxBytes: 5, whenFull: 'drop_oldest' });
  for (const record of ['aa', 'b', 'c']) queue.push(Buffer.from(record), 0);
  const taken = [queue.shift()!, queue.shift()!];
  queue.unshift(taken);
  assert.deepEqual([queue.length, queue.bytes, queue.front], [3, 4, taken[0]]);
  queue.push(Buffer.from('dd'), 0);
  assert.equal(ledger.drops.by.queue_full, 1);
  assert.equal(text(queue), 'bcdd');
});
