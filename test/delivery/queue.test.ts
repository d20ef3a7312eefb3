import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fifo } from '../../src/delivery/ledger/fifo.ts';
import { RecordQueue } from '../../src/delivery/ledger/queue.ts';

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

test('drop_oldest makes room for the new record', () => {
  const queue = new RecordQueue({ maxBytes: 5, whenFull: 'drop_oldest' });
  for (const record of ['aa', 'bb', 'c', 'ddd']) queue.push(Buffer.from(record), 0);
  assert.equal(queue.bytes, 4);
  assert.equal(queue.drops.total, 2);
  assert.equal(queue.passed, 2);
  assert.equal(text(queue), 'cddd');
  assert.equal(queue.bytes, 0);
  assert.equal(queue.passed, 4);
});

test('drop_newest refuses the new record', () => {
  const queue = new RecordQueue({ maxBytes: 5, whenFull: 'drop_newest' });
  for (const record of ['aa', 'bb', 'cc', 'd']) queue.push(Buffer.from(record), 0);
  assert.equal(queue.bytes, 5);
  assert.equal(queue.drops.total, 1);
  assert.equal(text(queue), 'aabbd');
});

for (const whenFull of ['drop_oldest', 'drop_newest'] as const) {
  test(`${whenFull}: a record larger than the whole queue drives out nothing`, () => {
    const queue = new RecordQueue({ maxBytes: 5, whenFull });
    for (const record of ['aa', '123456', 'b']) queue.push(Buffer.from(record), 0);
    assert.equal(queue.drops.total, 1);
    assert.equal(text(queue), 'aab');
  });
}

test('clear gives up all that waits', () => {
  const queue = new RecordQueue({ maxBytes: 100, whenFull: 'drop_oldest' });
  for (const record of ['aa', 'bb']) queue.push(Buffer.from(record), 0);
  queue.clear('stopped');
  assert.deepEqual([queue.length, queue.bytes, queue.drops.total, queue.passed], [0, 0, 2, 2]);
});
