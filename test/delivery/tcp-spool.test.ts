import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SpoolSettings } from '../../src/delivery/settings.ts';
import { ChaosDisk } from '../e2e/chaos-disk.ts';
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

const skip = process.getuid?.() !== 0 && 'needs root, for a disk that hangs';

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
    assert.equal(
      at('info').at(-1),
      `test: ${from + 99} records wait in ${spool.directory} for the next start`,
    );
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
  const began = performance.now();
  await until(() => performance.now() - began > 3500, 'it was tried several times');
  assert.ok(!at('info').some((message) => message.includes('writing again')), 'nothing was written');
  assert.match(tcp.status.lastError ?? '', /ENOSPC/);
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

test('a disk that stays full is not reported any more when the peer has accepted what waited', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(900_000));
  const port = await freePort();
  const { tcp } = open(t, port, { spool: spoolIn(disk) }, quick);
  let seq = 0;
  await until(() => {
    tcp.send([record(++seq, 5000)]);
    return /ENOSPC/.test(tcp.status.lastError ?? '');
  }, 'the disk is full');
  await new Receiver(t).start(port);
  await until(() => tcp.status.sent === seq, 'all is sent');
  await until(
    () => /^no connection to .*ECONNREFUSED.* \(over since 20\S+Z\)$/.test(tcp.status.lastError ?? ''),
    'that is over, and so is the other one',
  );
  await tcp.close(5000);
});

test('an end while the disk hangs: what is on disk is there at the next start', { skip }, async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'proxtop-'));
  const place = join(path, 'disk');
  mkdirSync(place);
  const disk = new ChaosDisk(place, 20);
  t.after(() => {
    disk.remove();
    rmSync(path, { recursive: true });
  });
  const port = await freePort();
  const { tcp, at } = open(t, port, { spool: spoolIn(place) }, quick);
  tcp.send(records(1, 20));
  await until(() => tcp.status.spooled === 20, 'spooled');
  disk.become('hangs');
  // The end finds a write under way, and gives up waiting for it.
  tcp.send(records(21, 30));
  await tcp.close(100);
  assert.ok(at('info').some((line) => line.includes('20 records wait in')));
  disk.become('good');
  const receiver = new Receiver(t);
  await receiver.start(port);
  const next = open(t, port, { spool: spoolIn(place) }, quick).tcp;
  // That of the other ten may have come to its end.
  await until(() => next.status.sent >= 20, 'delivered');
  assert.deepEqual(distinct(receiver.seqs()).slice(0, 20), range(1, 20));
  await next.close(5000);
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

test('another spool directory while much is written: what waits goes to the new one', async (t) => {
  const path = directory(t);
  mkdirSync(join(path, 'other'));
  const spool = spoolIn(path);
  const { tcp, at } = open(t, await freePort(), { spool });
  tcp.send(records(1, 40, 500_000));
  await until(() => tcp.status.spooled > 0, 'the first of them are on disk');
  const queue = { maxBytes: 64 << 20, whenFull: 'drop_oldest' } as const;
  const other = spoolIn(join(path, 'other'));
  tcp.store.configure({ queue, spool: other });
  await until(() => at('warn').some((line) => /records stay in/.test(line)), 'the old one is left');
  await until(() => tcp.status.queued === 0, 'all is on disk');
  assert.ok(tcp.status.spooled > 20, `${tcp.status.spooled} of 40 are in the new one`);
  assert.equal(tcp.status.dropped, 0);
});

test('a spool that can be used only later: what an earlier run left is delivered, though nothing new is spooled', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const port = await freePort();
  const spool = spoolIn(disk);
  const before = open(t, port, { spool }).tcp;
  before.send(records(1, 20));
  await before.close(0);
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const receiver = new Receiver(t);
  await receiver.start(port);
  const { tcp, at } = open(t, port, { spool });
  tcp.send(records(21, 30));
  await until(() => at('warn').some((line) => line.includes('EROFS')), 'told');
  await until(() => distinct(receiver.seqs()).length === 10, 'what is new arrives');
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  await until(() => distinct(receiver.seqs()).length === 30, 'what is old arrives');
  await tcp.close(5000);
  assert.deepEqual(distinct(receiver.seqs()), range(1, 30));
  assertAccounted(tcp.status, 30);
  assert.equal(tcp.status.sent, 30);
});

test('a disk that is full from the start: the backlog on it is delivered', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const port = await freePort();
  const spool = spoolIn(disk);
  const before = open(t, port, { spool }).tcp;
  before.send(records(1, 20));
  await before.close(0);
  assert.throws(() => {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(2 << 20));
  });
  const receiver = new Receiver(t);
  await receiver.start(port);
  const { tcp } = open(t, port, { spool });
  await until(() => distinct(receiver.seqs()).length === 20, 'the backlog arrives');
  await tcp.close(5000);
  assert.equal(tcp.status.sent, 20);
});

test('a wall clock that is set back changes nothing: records go to disk, and have their age', async (t) => {
  const { now } = Date;
  t.after(() => (Date.now = now));
  const spool = spoolIn(directory(t));
  const { tcp } = open(t, await freePort(), { spool });
  tcp.send(records(1, 5));
  Date.now = () => now() - 3_600_000;
  tcp.send(records(6, 10));
  await until(() => tcp.status.spooled === 10, 'spooled');
  assert.ok(Math.abs(Date.now() - tcp.status.oldest!) < 60_000);
});

test('a receiver that takes megabytes of the backlog, stalls and dies: nothing counts as arrived, all comes again', async (t) => {
  const spool = spoolIn(directory(t));
  const port = await freePort();
  const before = open(t, port, { spool }).tcp;
  before.send(records(1, 3000, 5000));
  await before.close(5000);
  const receiver = new Receiver(t, '127.0.0.1', (socket, number) => {
    if (number === 1) socket.once('data', () => socket.pause());
  });
  await receiver.start(port);
  const { tcp } = open(t, port, { spool, timeout: 60 });
  let most = 0;
  await until(() => {
    const grown = tcp.status.unconfirmed > most;
    most = Math.max(most, tcp.status.unconfirmed);
    return !grown && most > 500 && receiver.connections.length === 1;
  }, 'both kernels are full');
  assert.equal(segmentFiles(spool.directory).length > 5, true);
  receiver.connections[0]!.socket.resetAndDestroy();
  await until(() => distinct(receiver.seqs()).length === 3000, 'all arrive on the next connection', 60_000);
  await tcp.close(5000);
  assertAccounted(tcp.status, 3000);
  assert.deepEqual([tcp.status.sent, tcp.status.dropped], [3000, 0]);
  assert.equal(segmentFiles(spool.directory).length, 0);
});

test('a segment that makes room while its records are in flight: all of them are counted', async (t) => {
  const spool = spoolIn(directory(t), { maxBytes: 1 << 20 });
  const port = await freePort();
  const before = open(t, port, { spool }).tcp;
  before.send(records(1, 150, 5000));
  await before.close(5000);
  const receiver = new Receiver(t, '127.0.0.1', (socket) => socket.pause());
  await receiver.start(port);
  const queue = { maxBytes: 256 << 10, whenFull: 'drop_oldest' } as const;
  const { tcp, at } = open(t, port, { spool, queue });
  await until(() => tcp.status.unconfirmed >= 20, 'some are in flight');
  await receiver.stop();
  let seq = 150;
  await until(() => {
    tcp.send(records(seq + 1, seq + 5, 5000));
    seq += 5;
    assertAccounted(tcp.status, seq);
    return tcp.status.droppedBy.spool_full > 100;
  }, 'the spool overflows');
  await tcp.close(100);
  const { queued, unconfirmed, sent, dropped } = tcp.status;
  assert.deepEqual([queued, unconfirmed, sent], [0, 0, 0]);
  const left = Number(/(\d+) records wait in /.exec(at('info').at(-1)!)![1]);
  assert.equal(dropped + left, seq);
});

for (const kept of [true, false]) {
  test(`a link that flaps carries no record five times on average, ${kept ? 'with' : 'without'} a spool`, async (t) => {
    const receiver = new Receiver(t);
    const port = await receiver.start();
    // Connections that never last long enough to confirm anything.
    const pace = { ...quick, age: 5000, hold: 60_000 };
    const change = kept ? { spool: spoolIn(directory(t)) } : {};
    const { tcp } = open(t, port, change, pace);
    let seq = 0;
    for (let flap = 0; flap < 30; flap++) {
      const before = receiver.connections.length;
      await until(() => {
        tcp.send([record(++seq)]);
        return (
          receiver.connections.length > 0 && receiver.received(receiver.connections.length - 1).length > 0
        );
      }, 'records flow');
      receiver.connections.at(-1)!.socket.resetAndDestroy();
      await until(() => receiver.connections.length > before, 'the next connection');
      assertAccounted(tcp.status, seq);
    }
    await tcp.close(5000);
    const arrived = receiver.seqs();
    assert.deepEqual(distinct(arrived), range(1, seq));
    assert.ok(arrived.length <= 4 * seq, `${arrived.length} for ${seq}`);
    assert.deepEqual([tcp.status.sent, tcp.status.dropped], [seq, 0]);
  });
}
