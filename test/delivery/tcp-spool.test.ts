import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SpoolSettings } from '../../src/delivery/settings.ts';
import {
  assertAccounted,
  directory,
  distinct,
  freePort,
  handedOver,
  range,
  Receiver,
  record,
  records,
  seqs,
  until,
} from './helpers.ts';
import { segmentFiles, smallDisk } from './spool/helpers.ts';
import { open, quick } from './tcp-helpers.ts';

function spoolIn(path: string, change: Partial<SpoolSettings> = {}): SpoolSettings {
  return { directory: join(path, 'test'), maxBytes: 64 << 20, sync: 0.05, catchup: 0.5, ...change };
}

test('what a receiver misses goes to disk, memory does not grow, and all of it arrives in order', async (t) => {
  const port = await freePort();
  const spool = spoolIn(directory(t));
  const { tcp } = open(t, port, { spool });
  for (let seq = 1; seq <= 5000; seq += 100) {
    tcp.send(records(seq, seq + 99, 1000));
    await until(() => tcp.status.queued === 0, 'all is spooled');
  }
  const { spooled, spooledBytes, queuedBytes, oldest, state } = tcp.status;
  assert.deepEqual([spooled, queuedBytes, state], [5000, 0, 'down']);
  assert.ok(spooledBytes > 5000 * 1000);
  assert.ok(oldest !== undefined && Date.now() - oldest < 60_000);
  assertAccounted(tcp.status, 5000);
  const receiver = new Receiver(t);
  await receiver.start(port);
  await until(() => tcp.status.sent === 5000, 'all is sent');
  await tcp.close(5000);
  assert.deepEqual(seqs(receiver.received(0)), range(1, 5000));
  assert.equal(segmentFiles(spool.directory).length, 0);
  assertAccounted(tcp.status, 5000);
});

test('what waits at the end is delivered by the next start, before and beside what is new', async (t) => {
  const port = await freePort();
  const spool = spoolIn(directory(t));
  for (const from of [1, 101]) {
    const { tcp, at } = open(t, port, { spool });
    tcp.send(records(from, from + 99));
    await tcp.close(5000);
    assert.equal(at('info').at(-1), `test: ${from + 99} records wait in the spool for the next start`);
    const { queued, unconfirmed, dropped } = tcp.status;
    assert.deepEqual([queued, unconfirmed, dropped], [0, 0, 0]);
  }
  const receiver = new Receiver(t);
  await receiver.start(port);
  const { tcp } = open(t, port, { spool });
  tcp.send(records(201, 300));
  await until(() => tcp.status.sent === 300, 'all is sent');
  assertAccounted(tcp.status, 300);
  await tcp.close(5000);
  const arrived = seqs(receiver.received(0));
  assert.deepEqual(distinct(arrived), range(1, 300));
  assert.equal(arrived.length, 300);
  // Each of the two in its own order.
  assert.deepEqual(
    arrived.filter((seq) => seq <= 200),
    range(1, 200),
  );
  assert.deepEqual(
    arrived.filter((seq) => seq > 200),
    range(201, 300),
  );
  assert.equal(segmentFiles(spool.directory).length, 0);
});

test('a backlog does not hold up what is new', async (t) => {
  const port = await freePort();
  const spool = spoolIn(directory(t), { catchup: 0.5 });
  const before = open(t, port, { spool }).tcp;
  before.send(records(1, 20_000, 1000));
  await before.close(5000);
  // A receiver that takes 2 MB/s at most: the backlog of 20 MB takes 10 s.
  const receiver = new Receiver(t, '127.0.0.1', (socket) => {
    const slowly = setInterval(() => {
      socket.resume();
      setTimeout(() => socket.pause(), 1);
    }, 20);
    socket.once('close', () => {
      clearInterval(slowly);
    });
  });
  await receiver.start(port);
  const { tcp } = open(t, port, { spool });
  await until(() => handedOver(tcp.status) > 1000, 'the backlog is being delivered');
  tcp.send([record(100_000)]);
  await until(() => receiver.received(0).includes('"seq":100000,'), 'the new record');
  const { spooled } = tcp.status;
  assert.ok(spooled > 0, 'there still is a backlog');
  await tcp.close(0);
});

test('records on a connection that breaks are spooled and sent again, once', async (t) => {
  const port = await freePort();
  const spool = spoolIn(directory(t));
  const receiver = new Receiver(t);
  await receiver.start(port);
  const { tcp } = open(t, port, { spool });
  tcp.send(records(1, 100));
  await until(
    () => receiver.connections.length === 1 && seqs(receiver.received(0), false).length === 100,
    'sent',
  );
  await receiver.stop();
  await until(() => tcp.status.state === 'down', 'the end is noticed');
  tcp.send(records(101, 150));
  // 100 were handed over, and are on disk all the same.
  await until(() => tcp.status.spooled === 150, 'spooled');
  assertAccounted(tcp.status, 150);
  await receiver.start(port);
  await until(() => tcp.status.sent === 150, 'all is sent');
  await tcp.close(5000);
  assert.deepEqual(seqs(receiver.received(1)), range(1, 150));
  // What was in the resend window went to disk and came back.
  assert.equal(tcp.status.resent, 100);
  assertAccounted(tcp.status, 150);
});

test('a receiver killed and started again under load gets everything', async (t) => {
  const port = await freePort();
  const receiver = new Receiver(t);
  const { tcp } = open(t, port, { spool: spoolIn(directory(t)) });
  let seq = 0;
  const writing = setInterval(() => {
    tcp.send([record(++seq, 1000), record(++seq, 10)]);
  }, 1);
  t.after(() => {
    clearInterval(writing);
  });
  for (let round = 0; round < 10; round++) {
    await receiver.start(port);
    const connections = receiver.connections.length;
    await until(() => receiver.connections.length > connections, 'a connection');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
    await receiver.stop();
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
  }
  clearInterval(writing);
  await receiver.start(port);
  await until(() => tcp.status.sent === seq, 'all is sent');
  await tcp.close(5000);
  assert.deepEqual(distinct(receiver.seqs()), range(1, seq));
  assertAccounted(tcp.status, seq);
  assert.equal(tcp.status.dropped, 0);
});

test('a full disk: what follows waits in memory, is told once, and is spooled when there is room', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(900_000));
  const port = await freePort();
  const { tcp, at } = open(t, port, { spool: spoolIn(disk) }, quick);
  let seq = 0;
  await until(() => {
    tcp.send([record(++seq, 5000)]);
    return at('warn').some((message) => message.includes('ENOSPC'));
  }, 'the disk is full');
  await until(() => tcp.status.queued > 0, 'records wait in memory');
  assert.match(tcp.status.lastError ?? '', /ENOSPC/);
  assertAccounted(tcp.status, seq);
  rmSync(ballast);
  await until(() => at('info').some((message) => message.includes('spool: writing again')), 'writing again');
  await until(() => tcp.status.queued === 0, 'all is spooled');
  assert.equal(at('warn').filter((message) => message.includes('ENOSPC')).length, 1);
  const receiver = new Receiver(t);
  await receiver.start(port);
  await until(() => tcp.status.sent === seq, 'all is sent');
  await tcp.close(5000);
  assert.deepEqual(distinct(receiver.seqs()), range(1, seq));
});

test('with a full disk the queue in memory is bounded, and every loss is counted', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const port = await freePort();
  const queue = { maxBytes: 1 << 20, whenFull: 'drop_oldest' } as const;
  const { tcp } = open(t, port, { spool: spoolIn(disk), queue });
  let seq = 0;
  await until(() => {
    for (let i = 0; i < 10; i++) tcp.send([record(++seq, 5000)]);
    assert.ok(tcp.status.queuedBytes <= 3 << 20, `${tcp.status.queuedBytes} bytes in memory`);
    return tcp.status.dropped > 50;
  }, 'records are dropped');
  assertAccounted(tcp.status, seq);
  assert.equal(tcp.status.droppedBy.queue_full, tcp.status.dropped);
  const receiver = new Receiver(t);
  await receiver.start(port);
  await until(() => tcp.status.queued + tcp.status.spooled === 0, 'all is sent');
  await tcp.close(5000);
  assert.equal(distinct(receiver.seqs()).length + tcp.status.dropped, seq);
});

test('a spool that an output of this process still has is used when that lets go of it', async (t) => {
  const spool = spoolIn(directory(t));
  const port = await freePort();
  const first = open(t, port, { spool }).tcp;
  first.send(records(1, 10));
  await until(() => first.status.spooled === 10, 'spooled');
  const { tcp, at } = open(t, port, { spool });
  tcp.send(records(11, 20));
  await first.close(0);
  await until(() => tcp.status.spooled === 20, 'the second has all of it');
  assert.ok(!at('warn').some((line) => line.includes('spool')), at('warn').join('\n'));
  assertAccounted(tcp.status, 20);
});
