import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { HttpDestination } from '../../src/delivery/http/http.ts';
import { judgeAnswer, retryAfterMs } from '../../src/delivery/http/http-answer.ts';
import type { HttpSettings } from '../../src/delivery/settings.ts';
import {
  HangingFile,
  assertAccounted,
  counts,
  directory,
  freePort,
  logs,
  range,
  record,
  records,
  seqs,
  TestOutput,
  undecided,
  until,
} from './helpers.ts';
import { HttpReceiver, answer, httpSettings } from './http-receiver.ts';

/** An output to a port of this machine that comes back quickly. */
function open(t: TestContext, port: number, changed: Partial<HttpSettings> = {}, scheme = 'http') {
  const { log, at } = logs();
  const pauses: number[] = [];
  const pause = (attempt: number): number => (pauses.push(attempt), 20);
  const settings = httpSettings(`${scheme}://127.0.0.1:${port}/in?q=1`, changed);
  const http = new TestOutput(t, settings, log, (tap) => new HttpDestination(settings, tap, log, pause));
  return { http, at, pauses };
}

const delivered = (http: TestOutput, count: number): Promise<void> =>
  until(() => http.status.sent === count, `${count} records sent`);

test('one request for what comes together, over one connection', async (t) => {
  const receiver = new HttpReceiver(t);
  const { http, at } = open(t, await receiver.start(), { headers: { 'X-Scope': 'a', 'user-agent': 'mine' } });
  for (const round of range(0, 4)) {
    http.send(records(round * 10 + 1, round * 10 + 10));
    assertAccounted(http.status, round * 10 + 10);
    assert.equal(http.status.sent, round * 10, 'nothing counts as sent before it is acknowledged');
    await delivered(http, round * 10 + 10);
  }
  assert.deepEqual(seqs(receiver.bodies), range(1, 50));
  assert.equal(receiver.requests.length, 5);
  assert.equal(receiver.connections, 1);
  const { headers, url } = receiver.requests[0]!;
  assert.equal(url, '/in?q=1');
  assert.equal(headers['content-type'], 'application/x-ndjson');
  assert.equal(headers['content-encoding'], 'gzip');
  assert.equal(headers['x-scope'], 'a');
  assert.equal(headers['user-agent'], 'mine');
  assert.equal(headers.authorization, undefined);
  assert.deepEqual(counts(http.status), { queued: 0, queuedBytes: 0, sent: 50, dropped: 0, reconnects: 0 });
  assert.deepEqual(at('warn'), []);
});

test('many requests over one connection leave no listeners behind', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.off('warning', note));
  const receiver = new HttpReceiver(t);
  const { http } = open(t, await receiver.start(), { batch: { records: 1, bytes: 1 << 20, age: 0 } });
  http.send(records(1, 30));
  await delivered(http, 30);
  assert.equal(receiver.connections, 1);
  assert.deepEqual(warnings, []);
});

test('a JSON array, not compressed', async (t) => {
  const receiver = new HttpReceiver(t);
  const { http } = open(t, await receiver.start(), { body: 'array', gzip: false });
  http.send(records(1, 3));
  await delivered(http, 3);
  const { headers, body } = receiver.requests[0]!;
  assert.deepEqual(
    (JSON.parse(body.toString()) as { seq: number }[]).map(({ seq }) => seq),
    [1, 2, 3],
  );
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['content-encoding'], undefined);
});

test('a batch is bounded by records and by bytes', async (t) => {
  const receiver = new HttpReceiver(t);
  const port = await receiver.start();
  const byRecords = open(t, port, { batch: { records: 4, bytes: 1 << 20, age: 0 } }).http;
  byRecords.send(records(1, 10));
  await delivered(byRecords, 10);
  assert.deepEqual(
    receiver.requests.map(({ body }) => seqs(body).length),
    [4, 4, 2],
  );
  receiver.requests.length = 0;
  const byBytes = open(t, port, { batch: { records: 100, bytes: 1000, age: 0 } }).http;
  byBytes.send([record(1, 5000), ...records(2, 9, 300)]);
  await delivered(byBytes, 9);
  assert.deepEqual(seqs(receiver.bodies), range(1, 9));
  for (const { body } of receiver.requests.slice(1)) assert.ok(body.length <= 1000, String(body.length));
  assert.deepEqual(seqs(receiver.requests[0]!.body), [1]);
});

test('a batch waits for its age, or until it is full, or the end', async (t) => {
  const receiver = new HttpReceiver(t);
  const { http } = open(t, await receiver.start(), { batch: { records: 10, bytes: 1 << 20, age: 0.3 } });
  const began = performance.now();
  http.send(records(1, 2));
  http.send(records(3, 4));
  await delivered(http, 4);
  assert.ok(performance.now() - began >= 290);
  assert.equal(receiver.requests.length, 1);
});

test('what is full goes at once, and what is left at the end too', async (t) => {
  const receiver = new HttpReceiver(t);
  const { http } = open(t, await receiver.start(), { batch: { records: 10, bytes: 1 << 20, age: 3600 } });
  http.send(records(1, 9));
  http.send(records(10, 13));
  await delivered(http, 10);
  assert.equal(http.status.queued, 3);
  await http.close(5000);
  assert.deepEqual(seqs(receiver.bodies), range(1, 13));
  assert.equal(http.status.sent, 13);
});

test('busy and broken servers get the same request again until they take it', async (t) => {
  for (const status of [429, 500, 503, 408, 301, 302, 307, 100 + 205]) {
    const receiver = new HttpReceiver(t, (_, response, number) => {
      if (number <= 2) response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end('not now');
      else response.writeHead(200).end();
    });
    const { http, at, pauses } = open(t, await receiver.start());
    http.send(records(1, 5));
    await delivered(http, 5);
    const bodies = receiver.requests.map(({ body }) => seqs(body));
    assert.deepEqual(bodies, [range(1, 5), range(1, 5), range(1, 5)], String(status));
    assert.deepEqual(pauses, [0, 1]);
    assert.match(
      at('warn')[0]!,
      new RegExp(`127\\.0\\.0\\.1:\\d+/in: HTTP ${status}: not now; 5 records \\(\\d+ bytes\\) wait`),
    );
    assert.equal(at('warn').length, 1);
    assert.match(at('info')[0]!, /answers again after \d+\.\d s; 0 records were dropped/);
    assert.equal(http.status.dropped, 0);
  }
});

test('Retry-After is honoured', async (t) => {
  let refusedAt = NaN;
  const receiver = new HttpReceiver(t, (_, response, number) => {
    if (number > 1) return void response.writeHead(204).end();
    refusedAt = performance.now();
    response.writeHead(429, { 'Retry-After': '1' }).end();
  });
  const { http } = open(t, await receiver.start());
  http.send(records(1, 2));
  await until(() => !Number.isNaN(refusedAt), 'the refusal');
  // What comes meanwhile does not cut the wait short.
  http.send(records(3, 4));
  await delivered(http, 4);
  assert.ok(performance.now() - refusedAt >= 990);
  assert.deepEqual(
    receiver.requests.map(({ body }) => seqs(body).length),
    // What was refused goes again as it was, then what came meanwhile.
    [2, 2, 2],
  );
});

test('seconds and dates in Retry-After, and nonsense', () => {
  const now = Date.UTC(2026, 10, 22, 12);
  assert.equal(retryAfterMs('120', now), 120_000);
  assert.equal(retryAfterMs('Sun, 22 Nov 2026 12:00:30 GMT', now), 30_000);
  assert.equal(retryAfterMs('Sun, 22 Nov 2026 11:00:00 GMT', now), 0);
  assert.equal(retryAfterMs('99999999999999', now), 3_600_000);
  for (const nonsense of [undefined, '', 'soon', '-5']) assert.equal(retryAfterMs(nonsense, now), 0);
});

test('every status has a verdict', () => {
  const statuses = range(100, 599).filter((status) => judgeAnswer(status, '', 1) !== 'later');
  const refused = range(400, 499).filter((status) => ![408, 413, 429].includes(status));
  assert.deepEqual(
    statuses,
    [...range(200, 299), ...refused, 413].sort((a, b) => a - b),
  );
});

test('what a server refuses for good is logged with its words and dropped', async (t) => {
  for (const status of [400, 401, 403, 404, 422]) {
    const words = `unable to\nparse \u001b[31m'x'${' and more'.repeat(100)}`;
    const receiver = new HttpReceiver(t, (request, response, number) => {
      (number === 1 ? answer(status, words) : answer(204))(request, response, number);
    });
    const { http, at } = open(t, await receiver.start(), { batch: { records: 1, bytes: 1 << 20, age: 0 } });
    http.send(records(1, 4));
    await delivered(http, 3);
    assertAccounted(http.status, 4);
    assert.equal(http.status.dropped, 1);
    assert.deepEqual(seqs(receiver.requests[1]!.body), [2]);
    const [message = ''] = at('error');
    const start = `refuses 1 records, which are dropped: HTTP ${status}: unable to parse ?[31m'x' and more and`;
    assert.ok(message.includes(start), message);
    assert.ok(message.length < 400);
  }
});

test('a request that is too large is halved until it fits, and a record that never does is dropped', async (t) => {
  let largest = 2000;
  const receiver = new HttpReceiver(t, ({ body }, response) => {
    response.writeHead(body.length > largest ? 413 : 204).end();
  });
  const { http, at } = open(t, await receiver.start());
  http.send([...records(1, 40, 100), record(41, 3000), ...records(42, 60, 100)]);
  await until(() => undecided(http.status) === 0, 'all is decided');
  const taken = receiver.requests.filter(({ body }) => body.length <= largest);
  assert.deepEqual(
    taken.flatMap(({ body }) => seqs(body)),
    range(1, 60).filter((seq) => seq !== 41),
  );
  assert.equal(http.status.dropped, 1);
  assert.equal(http.status.sent, 59);
  assert.match(at('error')[0]!, /refuses 1 records, which are dropped: HTTP 413/);
  // It comes back to whole batches when the server takes them.
  largest = Infinity;
  receiver.requests.length = 0;
  for (let seq = 61; seq < 200; seq++) {
    http.send([record(seq)]);
    await until(() => undecided(http.status) === 0, 'sent');
  }
  receiver.requests.length = 0;
  http.send(records(200, 400));
  await until(() => undecided(http.status) === 0, 'sent');
  assert.equal(receiver.requests.length, 1);
});

/** A peer that speaks no HTTP, or not to the end. @param treat what it does with each connection */
async function rude(t: TestContext, treat: (socket: Socket, number: number) => void): Promise<number> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    treat(socket, ++count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** Reads a request with a small body and answers 204. */
function polite(socket: Socket): void {
  socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
}

const rudeness: Readonly<Record<string, { treat: (socket: Socket) => void; reason: RegExp }>> = {
  'accepts and says nothing': { treat: (socket) => socket.resume(), reason: /no answer for 1 s/ },
  'stops reading': { treat: (socket) => socket.pause(), reason: /no answer for 1 s/ },
  resets: { treat: (socket) => socket.resetAndDestroy(), reason: /ECONNRESET|hang up|EPIPE/ },
  'closes half': { treat: (socket) => void socket.resume().end(), reason: /hang up|ECONNRESET/ },
  'answers garbage': {
    treat: (socket) => void socket.once('data', () => socket.write('SSH-2.0-OpenSSH_9.2\r\n')),
    reason: /Parse Error/,
  },
  'answers half a status line': {
    treat: (socket) => void socket.once('data', () => socket.end('HTTP/1.1 20')),
    reason: /hang up|Parse Error|aborted/,
  },
  'answers endless headers': {
    treat: (socket) =>
      void socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1 << 20)}`)),
    reason: /Header overflow|Parse Error/,
  },
  'wants another protocol': {
    treat: (socket) =>
      void socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      ),
    reason: /no answer/,
  },
};
for (const [what, { treat, reason }] of Object.entries(rudeness)) {
  test(`a peer that ${what} gets the records when it is well again`, async (t) => {
    const port = await rude(t, (socket, number) => {
      if (number <= 2) treat(socket);
      else polite(socket);
    });
    const { http, at } = open(t, port, { timeout: 1 });
    // More than the buffers of a socket hold, even compressed, would hide what is tested here; a few kB do.
    http.send(records(1, 20));
    await delivered(http, 20);
    assert.match(at('warn')[0]!, reason);
    assertAccounted(http.status, 20);
    assert.equal(http.status.dropped, 0);
  });
}

test('a peer that stops reading in the middle of a large body is given up in time', async (t) => {
  const port = await rude(t, (socket) => socket.pause());
  const { http, at } = open(t, port, {
    timeout: 1,
    gzip: false,
    batch: { records: 1e6, bytes: 64 << 20, age: 0 },
  });
  http.send(records(1, 400, 100_000));
  await until(() => at('warn').length > 0, 'the outage');
  assert.match(at('warn')[0]!, /no answer for 1 s; 400 records/);
  assertAccounted(http.status, 400);
});

test('an acknowledgement counts even when its body never ends', async (t) => {
  let head = 'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n';
  const port = await rude(
    t,
    (socket) => void socket.once('data', () => socket.write(head + 'x'.repeat(200_000))),
  );
  const { http, at } = open(t, port, { timeout: 1 });
  http.send(records(1, 3));
  await delivered(http, 3);
  // And one whose body stops.
  head = 'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nx';
  const stopping = open(t, await rude(t, (socket) => void socket.once('data', () => socket.write(head))), {
    timeout: 1,
  });
  stopping.http.send(records(1, 3));
  await delivered(stopping.http, 3);
  assert.deepEqual([...at('warn'), ...stopping.at('warn')], []);
});

test('a server that is not there yet, goes away and comes back', async (t) => {
  const port = await freePort();
  const { http, at } = open(t, port);
  http.send(records(1, 10));
  await until(() => at('warn').length === 1, 'the outage');
  assert.match(at('warn')[0]!, /ECONNREFUSED/);
  assert.equal(http.status.resent, 0, 'a request without a connection was not handed over');
  const receiver = new HttpReceiver(t);
  await receiver.start(port);
  await delivered(http, 10);
  await receiver.stop();
  http.send(records(11, 20));
  await until(() => at('warn').length === 2, 'the second outage');
  const again = new HttpReceiver(t);
  await again.start(port);
  await delivered(http, 20);
  assert.deepEqual(seqs(again.bodies), range(11, 20));
  assert.equal(http.status.reconnects, 1);
});

test('a connection that the server closed while it was idle is replaced without a word', async (t) => {
  const receiver = new HttpReceiver(t);
  const { http, at } = open(t, await receiver.start());
  http.send(records(1, 2));
  await delivered(http, 2);
  // Reset at the moment in which the next request arrives.
  for (const socket of receiver.sockets) socket.once('data', () => socket.resetAndDestroy());
  http.send(records(3, 4));
  await delivered(http, 4);
  assert.deepEqual(at('warn'), []);
  assert.equal(http.status.reconnects, 1);
});

test('while the server is away the queue overflows, and all is accounted for', async (t) => {
  const { http } = open(t, await freePort(), {
    queue: { maxBytes: 50_000, whenFull: 'drop_oldest' },
    batch: { records: 10, bytes: 1 << 20, age: 0 },
  });
  for (let seq = 1; seq <= 2000; seq += 100) {
    http.send(records(seq, seq + 99));
    assertAccounted(http.status, seq + 99);
    await new Promise(setImmediate);
  }
  assert.ok(http.status.dropped > 1000);
  assert.ok(http.status.queuedBytes < 60_000);
  await http.close(5000);
  assertAccounted(http.status, 2000);
  assert.deepEqual([http.status.queued, http.status.queuedBytes], [0, 0]);
});

test('close ends in time when the server says nothing', async (t) => {
  const port = await rude(t, (socket) => socket.resume());
  const { http } = open(t, port, { timeout: 60 });
  http.send(records(1, 10));
  const began = performance.now();
  await http.close(200);
  assert.ok(performance.now() - began < 30_000);
  assert.deepEqual(counts(http.status), { queued: 0, queuedBytes: 0, sent: 0, dropped: 10, reconnects: 0 });
});

test('close gives a server that was away one more attempt', async (t) => {
  const port = await freePort();
  const { log, at } = logs();
  const settings = httpSettings(`http://127.0.0.1:${port}/`);
  const http = new TestOutput(
    t,
    settings,
    log,
    (tap) => new HttpDestination(settings, tap, log, () => 3_600_000),
  );
  http.send(records(1, 10));
  await until(() => at('warn').length === 1, 'the outage');
  const receiver = new HttpReceiver(t);
  await receiver.start(port);
  await http.close(5000);
  assert.deepEqual(seqs(receiver.bodies), range(1, 10));
  assert.equal(http.status.sent, 10);
});

test('who we are: basic, bearer, InfluxDB 2, files, systemd', async (t) => {
  const receiver = new HttpReceiver(t);
  const port = await receiver.start();
  const secret = join(directory(t), 'secret');
  writeFileSync(secret, 'first\n');
  const told = async (changed: Partial<HttpSettings>, path = '/'): Promise<string | undefined> => {
    const { log } = logs();
    const settings = httpSettings(`http://127.0.0.1:${port}${path}`, changed);
    const http = new TestOutput(t, settings, log, (tap) => new HttpDestination(settings, tap, log));
    http.send(records(1, 1));
    await http.close(5000);
    return receiver.requests.at(-1)?.headers.authorization;
  };
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  assert.equal(await told({ credentials: { username: 'ü', password: 'p:w' } }), basic('ü:p:w'));
  assert.equal(await told({ credentials: { token: 't' } }), 'Bearer t');
  assert.equal(await told({ credentials: { token: 't' } }, '/api/v2/write?org=o'), 'Token t');
  assert.equal(await told({ credentials: { tokenFile: secret } }), 'Bearer first');
  writeFileSync(secret, 'second\n');
  assert.equal(await told({ credentials: { tokenFile: secret, username: 'u' } }), basic('u:second'));
  assert.equal(await told({ credentials: { token: 't' }, headers: { Authorization: 'Mine' } }), 'Mine');
  const credentials = directory(t);
  mkdirSync(join(credentials, 'nested'));
  writeFileSync(join(credentials, 'test'), 'of-systemd');
  process.env['CREDENTIALS_DIRECTORY'] = credentials;
  t.after(() => delete process.env['CREDENTIALS_DIRECTORY']);
  assert.equal(await told({}), 'Bearer of-systemd');
  assert.equal(await told({ credentials: { username: 'u' } }), basic('u:of-systemd'));
  assert.equal(await told({ name: 'other' }), undefined);
});

test('a secret that cannot be read is an error at the start, and later an outage', async (t) => {
  const receiver = new HttpReceiver(t);
  const port = await receiver.start();
  const secret = join(directory(t), 'secret');
  const credentials = { tokenFile: secret };
  const started = (): Promise<void> => open(t, port, { credentials }).http.ready();
  await assert.rejects(started(), { message: /^cannot read the secret: ENOENT.*secret/ });
  writeFileSync(secret, 'two\nlines');
  await assert.rejects(started(), { message: /expected a secret of one line/ });
  writeFileSync(secret, 'good');
  const { http, at } = open(t, port, { credentials });
  rmSync(secret);
  http.send(records(1, 2));
  await until(() => at('warn').length > 0, 'the outage');
  assert.match(at('warn')[0]!, /cannot read the secret/);
  writeFileSync(secret, 'new');
  await delivered(http, 2);
  assert.equal(receiver.requests[0]?.headers.authorization, 'Bearer new');
});

test('a secret on a file system that hangs is an outage, and the start does not wait for it', async (t) => {
  const receiver = new HttpReceiver(t);
  const secret = new HangingFile(t);
  const { http } = open(t, await receiver.start(), { credentials: { tokenFile: secret.path } });
  assert.ok(secret.hangs, 'nobody waited for it');
  http.send(records(1, 2));
  await until(() => http.status.state === 'down', 'told');
  assert.match(http.status.lastError!, /cannot read the secret: .*hangs: no answer within 2000 ms/);
  assert.deepEqual([http.status.queued, http.status.resent], [2, 0]);
  secret.become('new');
  await delivered(http, 2);
  assert.equal(receiver.requests[0]?.headers.authorization, 'Bearer new');
});

/** An authority and certificates by it: for 127.0.0.1, for another name, and for a client. */
function certificates(t: TestContext) {
  const path = directory(t);
  const at = (name: string): string => join(path, name);
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { stdio: 'pipe', cwd: path });
  const authority = (name: string): void => {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  };
  const issue = (name: string, subject: string): void => {
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    writeFileSync(at(`${name}.ext`), `subjectAltName=${subject}\n`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
    chmodSync(at(`${name}.key`), 0o600);
  };
  authority('ca');
  authority('other');
  issue('server', 'IP:127.0.0.1');
  issue('named', 'DNS:influx.example');
  issue('client', 'DNS:client');
  const pair = (name: string) => ({
    cert: readFileSync(at(`${name}.pem`)),
    key: readFileSync(at(`${name}.key`)),
  });
  return { at, pair };
}

test('https: the right certificate, wrong ones, another name, a certificate of our own', async (t) => {
  const { at: file, pair } = certificates(t);
  const ca = file('ca.pem');
  const receiver = new HttpReceiver(t, answer(204), pair('server'));
  const port = await receiver.start();
  const right = open(t, port, { tls: { ca } }, 'https').http;
  right.send(records(1, 5));
  await delivered(right, 5);
  assert.deepEqual(seqs(receiver.bodies), range(1, 5));

  const wrong = async (tls: HttpSettings['tls'], to: number, reason: RegExp): Promise<void> => {
    const { http, at } = open(t, to, { tls }, 'https');
    http.send(records(1, 5));
    await until(() => at('warn').length > 0, 'the outage');
    assert.match(at('warn')[0]!, reason);
    assertAccounted(http.status, 5);
    await http.close(1000);
    assert.equal(http.status.sent, 0);
  };
  await wrong({}, port, /unable to (verify|get)|self-signed/);
  await wrong({ ca: file('other.pem') }, port, /unable to (verify|get)|self-signed/);
  const named = new HttpReceiver(t, answer(204), pair('named'));
  const namedPort = await named.start();
  await wrong({ ca }, namedPort, /IP: 127\.0\.0\.1 is not in the cert's list/);
  const byName = open(t, namedPort, { tls: { ca, servername: 'influx.example' } }, 'https').http;
  byName.send(records(1, 5));
  await delivered(byName, 5);

  const strict = new HttpReceiver(t, answer(204), {
    ...pair('server'),
    ca: readFileSync(ca),
    requestCert: true,
  });
  const strictPort = await strict.start();
  await wrong({ ca }, strictPort, /certificate required|alert|ECONNRESET|hang up/);
  const known = open(
    t,
    strictPort,
    { tls: { ca, cert: file('client.pem'), key: file('client.key') } },
    'https',
  ).http;
  known.send(records(1, 5));
  await delivered(known, 5);

  const plain = new HttpReceiver(t);
  await wrong({ ca }, await plain.start(), /wrong version number|packet length|EPROTO|ECONNRESET/);
  const missing = { message: /^cannot read the file of tls_ca: ENOENT.*none\.pem/ };
  await assert.rejects(open(t, port, { tls: { ca: file('none.pem') } }, 'https').http.ready(), missing);
});

test('endless interim answers do not count as an answer', async (t) => {
  // A fake server: no real one does this.
  let interim = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const tell = (): void => {
      while (socket.writable && socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))) interim += 100;
    };
    socket.once('data', tell).on('drain', tell);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { http } = open(t, (server.address() as AddressInfo).port);
  http.send(records(1, 1));
  await until(() => http.status.lastError !== undefined, 'it is given up');
  assert.match(http.status.lastError ?? '', /no final answer after 16 interim ones \(1xx\)/);
  assert.ok(interim < 1e6, `${interim} answers`);
  assert.deepEqual(counts(http.status).valueOf(), { ...counts(http.status), sent: 0, dropped: 0 });
});

test('some interim answers do no harm', async (t) => {
  const receiver = new HttpReceiver(t, (_, response) => {
    for (let i = 0; i < 10; i++) response.writeProcessing();
    response.writeHead(204).end();
  });
  const { http } = open(t, await receiver.start());
  http.send(records(1, 3));
  await delivered(http, 3);
});

test('a database that does not exist yet is waited for', async (t) => {
  for (const words of [
    '{"error":"database not found: \\"proxtop\\""}',
    '{"code":"not found","message":"bucket \\"proxtop\\" not found"}',
  ]) {
    const receiver = new HttpReceiver(t, (request, response, number) => {
      (number <= 2 ? answer(404, words) : answer(204))(request, response, number);
    });
    const { http } = open(t, await receiver.start());
    http.send(records(1, 5));
    await until(() => http.status.state === 'down', 'it is told');
    assert.match(http.status.lastError ?? '', /HTTP 404: .*not found/);
    await delivered(http, 5);
    assert.equal(http.status.dropped, 0);
    await http.close(5000);
  }
});

test('a server that refuses shows as such until it takes records again', async (t) => {
  const receiver = new HttpReceiver(t, (request, response, number) => {
    (number === 1 ? answer(401, 'who are you?') : answer(204))(request, response, number);
  });
  const { http } = open(t, await receiver.start());
  http.send(records(1, 5));
  await until(() => http.status.dropped === 5, 'refused');
  assert.equal(http.status.state, 'refused');
  assert.match(http.status.lastError ?? '', /refuses records: HTTP 401: who are you\?/);
  http.send(records(6, 9));
  await delivered(http, 4);
  assert.equal(http.status.state, 'up');
});

test('after a partial write of InfluxDB, only what it dropped counts as refused', async (t) => {
  const words =
    '{"error":"partial write: field type conflict: input field \\"x\\" is type float, already exists as integer dropped=2"}';
  const receiver = new HttpReceiver(t, answer(400, words));
  const { http } = open(t, await receiver.start());
  http.send(records(1, 50));
  await until(() => undecided(http.status) === 0, 'answered');
  assert.deepEqual([http.status.sent, http.status.droppedBy.refused], [48, 2]);
});

test('of a request that is refused as a whole only the records at fault are dropped, with the words for them', async (t) => {
  const bad = [137, 700];
  const taken: number[] = [];
  // Takes all of a request or nothing, as InfluxDB 2 does, which cannot be had here.
  const receiver = new HttpReceiver(t, (request, response, number) => {
    const found = seqs(request.body);
    const wrong = found.find((seq) => bad.includes(seq));
    if (wrong === undefined) taken.push(...found);
    const words = `{"code":"invalid","message":"unable to parse '${wrong}'"}`;
    (wrong === undefined ? answer(204) : answer(400, words))(request, response, number);
  });
  const { http, at } = open(t, await receiver.start());
  http.send(records(1, 1000));
  await until(() => undecided(http.status) === 0, 'answered');
  assert.deepEqual([http.status.sent, http.status.droppedBy.refused], [998, 2]);
  assert.deepEqual(
    taken,
    range(1, 1000).filter((seq) => !bad.includes(seq)),
  );
  assert.ok(receiver.requests.length <= 2 * 2 * 10 + 1, `${receiver.requests.length} requests`);
  assert.deepEqual(at('error').length, 1);
  assert.match(at('error')[0]!, /refuses 1 records, which are dropped: HTTP 400: .*unable to parse '137'/);
});

test('a server that refuses everything is not searched for what it takes again and again', async (t) => {
  for (const [status, first] of [
    [400, 1 + 2 * 2 * 3],
    [401, 1],
  ] as const) {
    const receiver = new HttpReceiver(t, answer(status));
    const { http } = open(t, await receiver.start(), { batch: { records: 8, bytes: 1 << 20, age: 0 } });
    http.send(records(1, 8));
    await until(() => http.status.droppedBy.refused === 8, 'refused');
    const before = receiver.requests.length;
    assert.ok(before <= first, `${before} requests`);
    http.send(records(9, 32));
    await until(() => http.status.droppedBy.refused === 32, 'refused');
    assert.equal(receiver.requests.length, before + 3);
    // When it takes something again, it is.
    const wrong = record(36).toString();
    receiver.respond = (request, response, number) => {
      answer(request.body.includes(wrong) ? 400 : 204)(request, response, number);
    };
    http.send(records(33, 34));
    await delivered(http, 2);
    http.send(records(35, 38));
    await until(() => undecided(http.status) === 0, 'answered');
    assert.equal(http.status.sent, 5);
  }
});

test('a secret that cannot be read hands nothing over', async (t) => {
  const receiver = new HttpReceiver(t);
  const secret = join(directory(t), 'secret');
  writeFileSync(secret, 'word');
  const { http } = open(t, await receiver.start(), { credentials: { tokenFile: secret } });
  http.send(records(1, 5));
  await delivered(http, 5);
  rmSync(secret);
  http.send(records(6, 9));
  await until(() => http.status.state === 'down', 'told');
  assert.match(http.status.lastError ?? '', /cannot read the secret/);
  writeFileSync(secret, 'word');
  await delivered(http, 9);
  assert.equal(http.status.resent, 0);
  assert.equal(seqs(receiver.bodies).length, 9);
});
