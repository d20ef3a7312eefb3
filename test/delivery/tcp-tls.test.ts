import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';
import type { TcpSettings } from '../../src/delivery/settings.ts';
import { Authority } from './authority.ts';
import { directory, distinct, HangingFile, range, Receiver, records, seqs, until } from './helpers.ts';
import { open } from './tcp-helpers.ts';

/** The name in the peer's certificate; Node gives an empty one where there is none. */
function subjectOf(socket: TLSSocket): string {
  const { subject } = socket.getPeerCertificate() as { subject?: { CN: string } };
  return subject?.CN ?? '';
}

/** A receiver that speaks TLS, by Node's own server. */
async function receive(
  t: TestContext,
  { cert, key }: { cert: string; key: string },
  options: TlsOptions = {},
): Promise<{ port: number; data: Buffer[]; sockets: Socket[]; names: unknown[]; clients: string[] }> {
  const data: Buffer[] = [];
  const sockets: Socket[] = [];
  const names: unknown[] = [];
  const clients: string[] = [];
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key), ...options }, (socket) => {
    names.push((socket as TLSSocket & { servername: unknown }).servername);
    clients.push(subjectOf(socket));
    socket.on('data', (chunk: Buffer) => data.push(chunk));
    socket.on('error', () => {});
  });
  server.on('connection', (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, data, sockets, names, clients };
}

test('a receiver with the right certificate gets everything, by name and by address', async (t) => {
  const authority = new Authority(directory(t));
  const server = authority.sign('server', 'DNS:localhost,IP:127.0.0.1');
  for (const [host, name] of [
    ['localhost', 'localhost'],
    ['127.0.0.1', false],
  ] as const) {
    const { port, data, names } = await receive(t, server);
    const { tcp } = open(t, port, { host, tls: { ca: authority.ca } });
    tcp.send(records(1, 5000, 1000));
    await tcp.close(5000);
    assert.deepEqual(seqs(Buffer.concat(data)), range(1, 5000));
    assert.deepEqual(names, [name]);
    assert.deepEqual([tcp.status.sent, tcp.status.dropped], [5000, 0]);
  }
});

for (const [what, sign, tls, expected] of [
  ['an unknown authority', 'DNS:localhost', undefined, /unable to verify|self.signed/],
  ['a certificate for another name', 'DNS:elsewhere.example', {}, /does not match certificate's altnames/],
  [
    'a certificate for another name than wanted',
    'DNS:localhost',
    { servername: 'other.example' },
    /altnames/,
  ],
  ['a file of authorities that does not exist', 'DNS:localhost', { ca: '/nonexistent' }, /tls_ca: ENOENT/],
] as const) {
  test(`${what}: nothing is sent, and the reason is told once`, async (t) => {
    const authority = new Authority(directory(t));
    const { port, data } = await receive(t, authority.sign('server', sign));
    const settings: TcpSettings['tls'] = tls === undefined ? {} : { ca: authority.ca, ...tls };
    const { tcp, at } = open(t, port, { host: 'localhost', tls: settings });
    tcp.send(records(1, 10));
    await until(
      () => at('debug').filter((line) => line.includes('next attempt')).length > 3,
      'several attempts',
    );
    assert.equal(data.length, 0);
    assert.equal(at('warn').length, 1);
    assert.match(at('warn')[0]!, expected);
    assert.equal(tcp.status.state, 'down');
    assert.match(tcp.status.lastError ?? '', expected);
    assert.equal(tcp.status.queued, 10);
  });
}

test('a certificate for the name given is taken, whatever the host is called', async (t) => {
  const authority = new Authority(directory(t));
  const { port, data, names } = await receive(t, authority.sign('server', 'DNS:logs.example'));
  const { tcp } = open(t, port, { host: 'localhost', tls: { ca: authority.ca, servername: 'logs.example' } });
  tcp.send(records(1, 10));
  await tcp.close(5000);
  assert.deepEqual(seqs(Buffer.concat(data)), range(1, 10));
  assert.deepEqual(names, ['logs.example']);
});

test('a receiver that asks for a certificate gets ours; a renewed one needs no restart', async (t) => {
  const authority = new Authority(directory(t));
  const server = authority.sign('server', 'DNS:localhost');
  const { cert, key } = authority.sign('client', 'DNS:client.example');
  const { port, data, clients } = await receive(t, server, {
    ca: readFileSync(authority.ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const kept = readFileSync(cert);
  rmSync(cert);
  const { tcp, at } = open(t, port, { host: 'localhost', tls: { ca: authority.ca, cert, key } });
  tcp.send(records(1, 10));
  await until(() => at('warn').length > 0, 'the file is missed');
  assert.match(at('warn')[0]!, /tls_cert: ENOENT/);
  writeFileSync(cert, kept);
  await until(() => clients.length > 0, 'a connection');
  await tcp.close(5000);
  assert.deepEqual(seqs(Buffer.concat(data)), range(1, 10));
  assert.deepEqual(clients, ['client']);
});

test('a broken connection is made again, and the last records are sent again', async (t) => {
  const authority = new Authority(directory(t));
  const { port, data, sockets } = await receive(t, authority.sign('server', 'DNS:localhost'));
  const { tcp } = open(t, port, { host: 'localhost', tls: { ca: authority.ca } });
  let seq = 0;
  await until(() => {
    tcp.send(records(++seq, seq));
    if (sockets.length < 4 && data.length > 0) sockets.at(-1)!.resetAndDestroy();
    return sockets.length === 4;
  }, 'three reconnects');
  await tcp.close(5000);
  const text = Buffer.concat(data).toString();
  // Whole lines of different connections; where one broke, a piece of a line may stand before the next one.
  const arrived = [...text.matchAll(/\{"seq":(\d+),"padding":"x*","end":\1\}\n/g)].map(([, number]) =>
    Number(number),
  );
  assert.deepEqual(distinct(arrived), range(1, seq));
});

test('a receiver that takes TLS connections and never reads is given up', async (t) => {
  const authority = new Authority(directory(t));
  const { port, sockets } = await receive(t, authority.sign('server', 'DNS:localhost'), {
    pauseOnConnect: true,
  });
  const { tcp, at } = open(t, port, { host: 'localhost', tls: { ca: authority.ca }, timeout: 0.4 });
  let seq = 0;
  await until(() => {
    if (tcp.status.queuedBytes < 8 << 20) tcp.send(records(++seq, seq, 64 << 10));
    return at('warn').length > 0;
  }, 'it is given up');
  assert.match(at('warn')[0]!, /stalled|no answer/);
  assert.equal(sockets.length, 1);
});

test('a receiver that does not speak TLS is reported', async (t) => {
  const receiver = new Receiver(t, '127.0.0.1', (socket) => socket.write('220 hello\r\n'));
  const { tcp, at } = open(t, await receiver.start(), { tls: {} });
  tcp.send(records(1, 10));
  await until(() => at('warn').length > 0, 'a warning');
  assert.match(at('warn')[0]!, /wrong version number|packet length too long|EPROTO/i);
  assert.equal(tcp.status.queued, 10);
});

test('a token is the first line of each connection', async (t) => {
  const path = directory(t);
  const receiver = new Receiver(t, '127.0.0.1', (socket, number) => {
    if (number === 1) socket.once('data', () => socket.resetAndDestroy());
  });
  const port = await receiver.start();
  const tokenFile = join(path, 'token');
  writeFileSync(tokenFile, 'first token\n');
  const { tcp } = open(t, port, { tokenFile });
  tcp.send(records(1, 3));
  await until(() => receiver.connections.length > 0, 'the first connection');
  writeFileSync(tokenFile, 'second-token');
  await until(() => receiver.connections.length > 1, 'the second connection');
  await tcp.close(5000);
  const [token, ...lines] = receiver
    .received(1)
    .toString()
    .split(/(?<=\n)/);
  assert.match(token ?? '', /^(first |second-)token\n$/);
  assert.deepEqual(seqs(Buffer.from(lines.join(''))), range(1, 3));
});

test('a token may be given, or be a credential of systemd; a file without one is reported', async (t) => {
  const path = directory(t);
  const receiver = new Receiver(t);
  const port = await receiver.start();
  await open(t, port, { token: 'abc' }).tcp.close(5000);
  process.env['CREDENTIALS_DIRECTORY'] = path;
  t.after(() => delete process.env['CREDENTIALS_DIRECTORY']);
  writeFileSync(join(path, 'test'), 'from-systemd\n');
  for (const settings of [{ token: 'abc' }, {}, {}]) {
    const { tcp } = open(t, port, settings);
    tcp.send(records(1, 1));
    await tcp.close(5000);
    rmSync(join(path, 'test'), { force: settings.token === undefined });
    if (settings.token !== undefined) writeFileSync(join(path, 'test'), 'from-systemd\n');
  }
  const first = receiver.connections.map((_, index) => receiver.received(index).toString().split('\n')[0]);
  assert.deepEqual(first.slice(-3, -1), ['abc', 'from-systemd']);
  assert.match(first.at(-1) ?? '', /^\{"seq":1,/);
  const tokenFile = join(path, 'two-lines');
  writeFileSync(tokenFile, 'a\nb\n');
  const { tcp, at } = open(t, port, { tokenFile });
  await until(() => at('warn').length > 0, 'a warning');
  assert.match(at('warn')[0]!, /two-lines: expected a secret of one line/);
  await tcp.close(0);
});

for (const what of ['token', 'certificate'] as const) {
  test(`a ${what} on a file system that hangs holds up this output alone`, async (t) => {
    const authority = new Authority(directory(t));
    const file = new HangingFile(t);
    const receiver = new Receiver(t);
    const plain = await receiver.start();
    const encrypted = await receive(t, authority.sign('server', 'DNS:localhost'));
    const { tcp } =
      what === 'token'
        ? open(t, plain, { tokenFile: file.path })
        : open(t, encrypted.port, { host: 'localhost', tls: { ca: file.path } });
    assert.ok(file.hangs, 'nobody waited for it');
    tcp.send(records(1, 10));
    await until(() => tcp.status.state === 'down', 'told');
    assert.match(tcp.status.lastError!, /hangs: (no answer within 2000 ms|not read, .* still hangs)/);
    assert.equal(tcp.status.queued, 10);
    // However many attempts there were, one thread of the pool waits.
    await Promise.all(range(1, 8).map(() => readFile(authority.ca)));
    assert.ok(file.hangs);
    file.become(what === 'token' ? 'word\n' : readFileSync(authority.ca, 'utf8'));
    await until(() => tcp.status.unconfirmed + tcp.status.sent === 10, 'sent');
    await tcp.close(5000);
    const received =
      what === 'token' ? receiver.received(0).subarray('word\n'.length) : Buffer.concat(encrypted.data);
    assert.deepEqual(seqs(received), range(1, 10));
  });
}
