import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import type { UdpSettings } from '../../src/delivery/settings.ts';
import { UdpDestination } from '../../src/delivery/udp/udp.ts';
import { assertAccounted, counts, logs, range, record, records, seqs, TestOutput, until } from './helpers.ts';
import { roomy } from './tcp-helpers.ts';

function open(
  t: TestContext,
  port: number,
  change: Partial<Pick<UdpSettings, 'host' | 'maxDatagram'>> = {},
): { udp: TestOutput; at: ReturnType<typeof logs>['at'] } {
  const { log, at } = logs();
  const print = { layout: 'event', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
  const common = {
    name: 'test',
    printer: 'json',
    print,
    type: 'udp',
    host: '127.0.0.1',
    maxDatagram: 1432,
  } as const;
  const settings = { ...common, port, ...change };
  const store = { name: 'test', printer: 'json', queue: roomy };
  const udp = new TestOutput(t, store, log, (tap) => new UdpDestination(settings, tap, log));
  return { udp, at };
}

async function receiver(
  t: TestContext,
  host = '127.0.0.1',
  port = 0,
): Promise<{ socket: Socket; datagrams: Buffer[] }> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 });
  t.after(() => {
    socket.close();
  });
  const datagrams: Buffer[] = [];
  socket.on('message', (message) => datagrams.push(message));
  socket.bind(port, host);
  await once(socket, 'listening');
  return { socket, datagrams };
}

for (const host of ['127.0.0.1', '::1']) {
  test(`a record is a datagram: ${host}`, async (t) => {
    const { socket, datagrams } = await receiver(t, host);
    const { udp } = open(t, socket.address().port, { host });
    udp.send(records(1, 300));
    assertAccounted(udp.status, 300);
    await udp.close(5000);
    await until(() => datagrams.length === 300, 'all datagrams');
    assert.deepEqual(
      datagrams.flatMap((datagram) => seqs(datagram)),
      range(1, 300),
    );
    assert.deepEqual(counts(udp.status), { queued: 0, queuedBytes: 0, sent: 300, dropped: 0, reconnects: 0 });
  });
}

test('a longer record is dropped whole, counted, and told once', async (t) => {
  const { socket, datagrams } = await receiver(t);
  const maxDatagram = record(1).length;
  const { udp, at } = open(t, socket.address().port, { maxDatagram });
  udp.send([record(1), record(10), record(2), record(20)]);
  await udp.close(5000);
  await until(() => datagrams.length === 2, 'two datagrams');
  assert.deepEqual(
    datagrams.flatMap((datagram) => seqs(datagram)),
    [1, 2],
  );
  assert.equal(udp.status.dropped, 2);
  assert.deepEqual(at('warn'), [
    `a record of ${maxDatagram + 2} bytes is dropped: longer than max_datagram, ${maxDatagram} bytes`,
    'test: 2 records were dropped since the start: 2 too_large',
  ]);
});

test('what the kernel refuses is dropped and counted', async (t) => {
  const { socket } = await receiver(t);
  const { udp, at } = open(t, socket.address().port, { maxDatagram: 100_000 });
  udp.send([record(1, 90_000), record(2)]);
  await udp.close(5000);
  assert.deepEqual([udp.status.sent, udp.status.dropped], [1, 1]);
  assert.match(at('warn')[0]!, /EMSGSIZE/);
});

test('a name that cannot be resolved is one warning; what it should have got is dropped', async (t) => {
  const { udp, at } = open(t, 5000, { host: 'receiver.invalid' });
  udp.send(records(1, 10));
  await until(() => udp.status.dropped === 10, 'the look-up fails');
  udp.send(records(11, 20));
  assert.deepEqual(counts(udp.status), { queued: 0, queuedBytes: 0, sent: 0, dropped: 20, reconnects: 0 });
  assert.equal(at('warn').length, 1);
  assert.match(at('warn')[0]!, /receiver\.invalid port 5000: .*(ENOTFOUND|EAI_AGAIN)/);
  await udp.close(60_000);
});

test('a missing receiver is reported, and its return', async (t) => {
  const gone = createSocket('udp4');
  gone.bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  await new Promise<void>((resolve) => gone.close(resolve));
  const { udp, at } = open(t, port);
  let seq = 0;
  await until(() => {
    udp.send([record(++seq)]);
    return seq > 50 && at('warn').length > 0;
  }, 'the refusal');
  const { datagrams } = await receiver(t, '127.0.0.1', port);
  await until(() => {
    udp.send([record(++seq)]);
    return at('info').length > 0;
  }, 'the return');
  assert.equal(at('warn').length, 1);
  await udp.close(5000);
  assert.match(at('warn')[0]!, /cannot send to 127\.0\.0\.1 port \d+: .*ECONNREFUSED/);
  assert.match(at('info')[0]!, /again after/);
  await until(() => datagrams.length > 0 && seqs(datagrams.at(-1)!)[0] === seq, 'the last datagram');
  assertAccounted(udp.status, seq);
});

test('nothing counts as sent where nothing listens: an error applies to all datagrams before it', async (t) => {
  const gone = createSocket('udp4');
  gone.bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  await new Promise<void>((resolve) => gone.close(resolve));
  const { udp } = open(t, port);
  for (let seq = 1; seq <= 50; seq++) {
    udp.send([record(seq)]);
    await new Promise(setImmediate);
    assertAccounted(udp.status, seq);
  }
  await until(() => udp.status.droppedBy.refused > 0, 'the kernel tells');
  assert.equal(udp.status.state, 'down');
  await udp.close(5000);
  const { sent, unconfirmed, droppedBy } = udp.status;
  assert.deepEqual([sent, unconfirmed], [0, 0]);
  assert.equal(droppedBy.refused + droppedBy.unconfirmed, 50, JSON.stringify(droppedBy));
  assertAccounted(udp.status, 50);
});
