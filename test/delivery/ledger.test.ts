import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../src/delivery/ledger/ledger.ts';

function counts({ memory, disk, unconfirmed, arrived, drops, pushed }: Ledger): object {
  return { pushed, memory, disk, unconfirmed, arrived, dropped: drops.total };
}

test('a record is in one state at a time, from the push to its end', () => {
  const ledger = new Ledger();
  const [one, two, three] = [ledger.push(), ledger.push(), ledger.push()];
  assert.deepEqual([one, two, three, ledger.end], [1, 2, 3, 4]);
  assert.deepEqual(counts(ledger), { pushed: 3, memory: 3, disk: 0, unconfirmed: 0, arrived: 0, dropped: 0 });
  ledger.stored(two);
  ledger.hand(one);
  ledger.hand(two);
  assert.deepEqual(counts(ledger), { pushed: 3, memory: 1, disk: 0, unconfirmed: 2, arrived: 0, dropped: 0 });
  ledger.back(two, true);
  assert.ok(ledger.waitsOnDisk(two) && ledger.tried(two) && !ledger.settled(two));
  ledger.arrive(one);
  ledger.drop(three, 'stopped');
  assert.deepEqual(counts(ledger), { pushed: 3, memory: 0, disk: 1, unconfirmed: 0, arrived: 1, dropped: 1 });
  assert.equal(ledger.resent, 0);
  ledger.hand(two);
  assert.equal(ledger.resent, 1);
  assert.ok(ledger.arrive(two));
  assert.deepEqual(counts(ledger), { pushed: 3, memory: 0, disk: 0, unconfirmed: 0, arrived: 2, dropped: 1 });
});

test('what is said of a settled record is ignored', () => {
  const ledger = new Ledger();
  const record = ledger.push();
  ledger.stored(record);
  ledger.hand(record);
  assert.ok(ledger.drop(record, 'spool_full'));
  const before = counts(ledger);
  for (const late of [
    () => ledger.arrive(record),
    () => ledger.back(record, true),
    () => ledger.drop(record, 'stopped'),
    () => ledger.stored(record),
    () => ledger.hand(record),
    () => ledger.leave(record),
  ])
    assert.equal(late(), false);
  assert.deepEqual(counts(ledger), before);
});

test('what an earlier run left is taken over, and what stays on disk is in no book', () => {
  const ledger = new Ledger();
  ledger.push();
  const first = ledger.adopt(5000);
  assert.equal(first, 2);
  assert.deepEqual([ledger.disk, ledger.pushed], [5000, 5001]);
  for (let ordinal = first; ordinal < first + 5000; ordinal++) {
    if (ordinal % 2 === 0) ledger.leave(ordinal);
    else ledger.drop(ordinal, 'damaged');
  }
  assert.deepEqual(counts(ledger), {
    pushed: 2501,
    memory: 1,
    disk: 0,
    unconfirmed: 0,
    arrived: 0,
    dropped: 2500,
  });
});

test('ordinals beyond 32 bits', () => {
  const ledger = new Ledger();
  ledger.refuse('queue_full', 2 ** 33);
  const first = ledger.adopt(5000);
  ledger.hand(first);
  ledger.back(first, true);
  assert.ok(ledger.tried(first) && !ledger.tried(first + 1) && ledger.waitsOnDisk(first + 4999));
  for (let ordinal = first; ordinal < first + 5000; ordinal++) assert.ok(ledger.leave(ordinal));
  assert.equal(ledger.disk, 0);
});

// They run with PROXTOP_ASSERT=1 (test/run).
test('a transition that cannot be is an error where transitions are checked', () => {
  const ledger = new Ledger();
  const record = ledger.push();
  assert.throws(() => ledger.arrive(record), /was not handed over/);
  assert.throws(() => ledger.back(record, false), /is in state 1, not 3/);
  ledger.memory++;
  assert.throws(() => ledger.push(), /2 pushed, but 3 in memory/);
});

test('a million records leave no memory behind when they are settled', () => {
  const ledger = new Ledger();
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 1_000_000; count++) {
    const record = ledger.push();
    ledger.hand(record);
    if (count % 7 === 0) ledger.drop(record, 'refused');
    else ledger.arrive(record);
  }
  assert.deepEqual([ledger.pushed, ledger.memory + ledger.unconfirmed], [1_000_000, 0]);
  assert.ok(process.memoryUsage().arrayBuffers - before < 5 << 20);
});
