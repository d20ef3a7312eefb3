import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  assertAccounted,
  counts,
  directory,
  distinct,
  freePort,
  range,
  Receiver,
  record,
  records,
  seqs,
  until,
} from './helpers.ts';
import { returnedBytes } from '../../src/delivery/ledger/waiting.ts';
import { open } from './tcp-helpers.ts';

for (const host of ['127.0.0.1', '::1', 'localhost']) {
  test(`delivers to ${host}, and close flushes`, async (t) => {
    const receiver = new Receiver(t, host);
    const port = await receiver.start();
    const { tcp } = open(t, port, { host });
    tcp.send(records(1, 5000));
    await tcp.close(5000);
    assert.deepEqual(seqs(receiver.received(0)), range(1, 5000));
    assert.ok(receiver.connections[0]?.ended);
    assert.deepEqual(counts(tcp.status), {
      queued: 0,
      queuedBytes: 0,
      sent: 5000,
      dropped: 0,
      reconnects: 0,
    });
  });
}

test('a receiver killed and started again ten times gets everything, in whole lines', async (t) => {
  const path = directory(t);
  const port = await freePort();
  const { tcp, at } = open(t, port);
  let seq = 0;
  const writing = setInterval(() => {
    tcp.send([record(++seq, 1000), record(++seq, 10)]);
  }, 2);
  t.after(() => {
    clearInterval(writing);
  });
  // A real process, killed for real; each start writes a file of its own.
  let socat: ChildProcess | undefined;
  t.after(() => socat?.kill('SIGKILL'));
  const files = range(0, 10).map((number) => join(path, String(number)));
  for (const file of files) {
    socat?.kill('SIGKILL');
    if (socat !== undefined) await once(socat, 'exit');
    socat = spawn('socat', ['-u', `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`, `CREATE:${file}`]);
    const grown = (Math.random() * 200) << 10;
    await until(() => existsSync(file) && statSync(file).size > grown, `${file} has ${grown} bytes`);
    await until(() => tcp.status.queued === 0, 'the queue is empty');
  }
  clearInterval(writing);
  assert.ok(socat);
  const exited = once(socat, 'exit');
  await tcp.close(5000);
  await exited;
  const last = files.length - 1;
  const arrived = files.flatMap((file, number) => seqs(readFileSync(file), number === last));
  assert.deepEqual(distinct(arrived), range(1, seq));
  assert.deepEqual(counts(tcp.status), { queued: 0, queuedBytes: 0, sent: seq, dropped: 0, reconnects: 10 });
  assert.ok(at('warn').length >= 1 && at('warn').length <= 11);
});

for (const [whenFull, first] of [
  ['drop_oldest', 91],
  ['drop_newest', 1],
] as const) {
  test(`${whenFull} while the receiver is down`, async (t) => {
    const port = await freePort();
    const size = record(1001).length;
    const { tcp, at } = open(t, port, { queue: { maxBytes: 10 * size, whenFull } });
    tcp.send(records(1001, 1100));
    assert.equal(tcp.status.queued, 10);
    assert.equal(tcp.status.dropped, 90);
    assertAccounted(tcp.status, 100);
    await until(() => at('debug').length > 2, 'several attempts');
    const receiver = new Receiver(t);
    await receiver.start(port);
    await until(() => at('info').length > 0, 'connected');
    await tcp.close(5000);
    assert.deepEqual(seqs(receiver.received(0)), range(1000 + first, 1000 + first + 9));
    assert.equal(at('warn').length, 2);
    assert.match(at('warn')[0]!, /ECONNREFUSED.*; \d+ records/);
    assert.equal(at('warn')[1], 'test: 90 records were dropped since the start: 90 queue_full');
    assert.equal(at('info').length, 1);
    assert.match(at('info')[0]!, /again after \d+\.\d s; \d+ records were dropped/);
    assertAccounted(tcp.status, 100);
  });
}

test('a name that cannot be resolved is one warning and many attempts', async (t) => {
  const { tcp, at } = open(t, 5000, { host: 'receiver.invalid' });
  tcp.send(records(1, 10));
  await until(() => at('debug').length > 3, 'several attempts');
  assert.equal(at('warn').length, 1);
  assert.match(at('warn')[0]!, /receiver\.invalid:5000.*(ENOTFOUND|EAI_AGAIN)/);
  assert.equal(tcp.status.queued, 10);
  await tcp.close(5000);
  assert.deepEqual(counts(tcp.status), { queued: 0, queuedBytes: 0, sent: 0, dropped: 10, reconnects: 0 });
});

test('a receiver that accepts and never reads is given up, in bounded memory', async (t) => {
  const receiver = new Receiver(t, '127.0.0.1', (socket, number) => {
    if (number === 1) socket.pause();
  });
  const port = await receiver.start();
  const maxBytes = 1 << 20;
  const { tcp, at } = open(t, port, { timeout: 0.4, queue: { maxBytes, whenFull: 'drop_oldest' } });
  let seq = 0;
  const size = 64 << 10;
  await until(() => {
    if (tcp.status.dropped < 10) tcp.send([record(++seq, size)]);
    // What a broken connection gave back waits beside the queue: kernels hold some MiB.
    assert.ok(tcp.status.queuedBytes <= maxBytes + returnedBytes + size + 100);
    assertAccounted(tcp.status, seq);
    return tcp.status.reconnects > 0;
  }, 'a second connection');
  assert.match(at('warn')[0]!, /stalled/);
  await tcp.close(5000);
  const arrived = seqs(receiver.received(1));
  // What the first receiver's kernel had taken came again; only what did not fit into the queue is missing.
  assert.equal(arrived.length, arrived.at(-1)! - arrived[0]! + 1 - tcp.status.dropped);
  assert.equal(arrived.at(-1), seq);
  assertAccounted(tcp.status, seq);
});

test('a receiver that vanished without a word is given up, and nothing is lost', async (t) => {
  const namespace = `proxtop${process.pid}`;
  const ip = (line: string): unknown => execFileSync('ip', line.split(' '), { stdio: 'pipe' });
  try {
    ip(`netns add ${namespace}`);
  } catch {
    t.skip('needs the right to make a network namespace');
    return;
  }
  t.after(() => ip(`netns del ${namespace}`));
  const near = `px${process.pid}`;
  ip(`link add ${near} type veth peer name far netns ${namespace}`);
  ip(`addr add 198.18.77.1/30 dev ${near}`);
  ip(`link set ${near} up`);
  ip(`-n ${namespace} addr add 198.18.77.2/30 dev far`);
  ip(`-n ${namespace} link set far up`);
  const path = directory(t);
  const listen = (file: string): ChildProcess => {
    const arguments_ = [
      'netns',
      'exec',
      namespace,
      'socat',
      '-u',
      'TCP-LISTEN:5000,reuseaddr',
      `CREATE:${join(path, file)}`,
    ];
    const socat = spawn('ip', arguments_);
    t.after(() => socat.kill('SIGKILL'));
    return socat;
  };
  listen('first');
  const { tcp, at } = open(t, 5000, { host: '198.18.77.2', timeout: 0.5 });
  tcp.send(records(1, 10));
  await until(
    () => existsSync(join(path, 'first')) && seqs(readFileSync(join(path, 'first')), false).length === 10,
    'ten lines',
  );
  ip(`-n ${namespace} link set far down`);
  tcp.send(records(11, 20));
  await until(() => at('warn').some((message) => message.includes('stalled')), 'the stall is noticed');
  // Our kernel took them all. The first ten had arrived; that was not known yet or is, as the stall came.
  assert.ok(tcp.status.sent <= 10);
  assert.equal(tcp.status.sent + tcp.status.unconfirmed + tcp.status.queued, 20);
  const socat = listen('second');
  const exited = once(socat, 'exit');
  ip(`-n ${namespace} link set far up`);
  await until(() => tcp.status.reconnects > 0, 'a second connection');
  await tcp.close(5000);
  await exited;
  const again = seqs(readFileSync(join(path, 'second')));
  assert.deepEqual(distinct([...seqs(readFileSync(join(path, 'first'))), ...again]), range(1, 20));
  assert.deepEqual(again, range(again[0]!, 20));
  assert.ok(again[0]! <= 11);
  assert.deepEqual([tcp.status.sent, tcp.status.dropped], [20, 0]);
});

for (const [how, leave] of [
  ['half-closes', (socket) => socket.end()],
  ['resets', (socket) => socket.resetAndDestroy()],
] as [string, (socket: Receiver['connections'][0]['socket']) => void][]) {
  test(`a receiver that ${how} is connected to anew`, async (t) => {
    const receiver = new Receiver(t, '127.0.0.1', (socket, number) => {
      if (number <= 3)
        socket.once('data', () => {
          leave(socket);
        });
    });
    const { tcp } = open(t, await receiver.start());
    let seq = 0;
    await until(() => {
      tcp.send([record(++seq)]);
      return receiver.connections.length === 4;
    }, 'three reconnects');
    await tcp.close(5000);
    assert.deepEqual(distinct(receiver.seqs()), range(1, seq));
    assert.equal(tcp.status.reconnects, 3);
    assertAccounted(tcp.status, seq);
  });
}

test('a receiver that resets every connection at once is one outage', async (t) => {
  const receiver = new Receiver(t, '127.0.0.1', (socket, number) => {
    if (number <= 50) socket.resetAndDestroy();
  });
  const { tcp, at } = open(t, await receiver.start());
  let seq = 0;
  await until(() => {
    tcp.send([record(++seq)]);
    return at('info').length > 0;
  }, 'a connection that lasts');
  await tcp.close(5000);
  assert.equal(at('warn').length, 1);
  assert.deepEqual(distinct(receiver.seqs()), range(1, seq));
  assertAccounted(tcp.status, seq);
});

test('a receiver that talks back changes nothing', async (t) => {
  const receiver = new Receiver(t, '127.0.0.1', (socket) => {
    socket.on('data', () => socket.write(Buffer.alloc(100_000, 'garbage\n')));
  });
  const { tcp } = open(t, await receiver.start());
  tcp.send(records(1, 1000, 1000));
  await tcp.close(5000);
  assert.deepEqual(seqs(receiver.received(0)), range(1, 1000));
  assert.equal(tcp.status.reconnects, 0);
});

test('close does not wait for a receiver that is down', async (t) => {
  const { tcp } = open(t, await freePort());
  tcp.send(records(1, 10));
  await tcp.close(60_000);
  assert.deepEqual(counts(tcp.status), { queued: 0, queuedBytes: 0, sent: 0, dropped: 10, reconnects: 0 });
});

test('close waits for a receiver that does not read only until the deadline', async (t) => {
  const receiver = new Receiver(t, '127.0.0.1', (socket) => socket.pause());
  const { tcp } = open(t, await receiver.start());
  const size = 64 << 10;
  tcp.send(records(1, 300, size));
  await until(() => tcp.status.unconfirmed > 10, 'the kernel took some');
  await tcp.close(100);
  const { queued, unconfirmed, sent, dropped, droppedBy } = tcp.status;
  assert.deepEqual([queued, unconfirmed, sent, dropped], [0, 0, 0, 300]);
  // The peer's kernel has some, and may yet give them to it.
  assert.ok(droppedBy.unconfirmed > 10 && droppedBy.stopped > 0);
  assertAccounted(tcp.status, 300);
});

test('a new reader is told: when the one before is lost, and when it is there, but not the first one', async (t) => {
  const receiver = new Receiver(t, '127.0.0.1');
  const port = await receiver.start();
  let told = 0;
  const { tcp } = open(t, port, {}, undefined, () => told++);
  tcp.send(records(1, 1));
  await until(() => receiver.received(0).length > 0, 'the first record arrives');
  assert.equal(told, 0);
  receiver.connections[0]!.socket.destroy();
  await until(() => told >= 1, 'the loss is told');
  await until(() => receiver.connections.length === 2 && told === 2, 'the second reader is told');
  await tcp.close(5000);
});
