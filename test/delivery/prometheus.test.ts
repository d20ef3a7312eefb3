import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, get as httpGet } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { OutputSet } from '../../src/delivery/output-set.ts';
import { PrometheusEndpoint } from '../../src/delivery/prometheus/endpoint.ts';
import { acceptsGzip, pageFormat } from '../../src/delivery/prometheus/negotiation.ts';
import { Pages } from '../../src/delivery/prometheus/pages.ts';
import type { PrometheusSettings } from '../../src/delivery/settings.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';
import { Authority } from './authority.ts';
import { directory, freePort, logs, until } from './helpers.ts';

const settings: PrometheusSettings = {
  name: 'prometheus',
  type: 'prometheus',
  print: { verbose: false, devices: false },
  host: '127.0.0.1',
  port: 0,
  timeout: 10,
  credentials: {},
};

/** Opens an endpoint on a free port; it listens when this resolves. */
async function open(
  t: TestContext,
  changed: Partial<PrometheusSettings> = {},
): Promise<{ endpoint: PrometheusEndpoint; port: number; at: ReturnType<typeof logs>['at'] }> {
  const { log, at } = logs();
  const port = changed.port ?? (await freePort());
  const endpoint = new PrometheusEndpoint({ ...settings, port, ...changed }, log);
  t.after(() => endpoint.close(0));
  await until(() => endpoint.status.state !== 'connecting', 'it listens or cannot');
  return { endpoint, port, at };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function read(response: IncomingMessage): Promise<Answer> {
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

async function get(port: number, path = '/metrics', options: RequestOptions = {}): Promise<Answer> {
  const request = httpGet({ host: '127.0.0.1', port, path, ...options });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return read(response);
}

const sample = sampleOf({
  guests: [vmRows(row('vm', { UUID: 'u', name: 'web', vmid: '100', cpu_cores: 2 }))],
});
const line = 'proxtop_vm_cpu_cores{uuid="u",name="web",vmid="100"} 2\n';

test('the page of the latest sample; before the first one there is none', async (t) => {
  const { endpoint, port } = await open(t);
  const early = await get(port);
  assert.equal(early.status, 503);
  assert.equal(endpoint.status.sent, 0);
  endpoint.write(sample);
  const { status, headers, body } = await get(port);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.ok(body.toString().includes(line));
  endpoint.write(sampleOf({ seq: 43 }));
  const later = (await get(port)).body.toString();
  assert.doesNotMatch(later, /proxtop_vm_cpu_cores/, 'a VM that is gone vanishes');
  assert.match(later, /proxtop_agent_samples_total 43\n/);
  assert.equal(endpoint.status.sent, 2);
  assert.equal(endpoint.status.state, 'up');
});

test('OpenMetrics and gzip for those who ask', async (t) => {
  const { endpoint, port } = await open(t);
  endpoint.write(sample);
  const headers = {
    accept: 'application/openmetrics-text;version=1.0.0,*/*;q=0.1',
    'accept-encoding': 'gzip',
  };
  const zipped = await get(port, '/metrics', { headers });
  assert.equal(zipped.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  const plain = await get(port, '/metrics', { headers: { accept: headers.accept } });
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.deepEqual(gunzipSync(zipped.body), plain.body);
  assert.match(plain.body.toString(), /\n# EOF\n$/);
});

test('which format is answered', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1';
  for (const accept of [prometheus2, prometheus3, 'application/openmetrics-text'])
    assert.equal(pageFormat(accept), 'openmetrics', accept);
  const texts = [
    undefined,
    '*/*',
    'text/html',
    '',
    ';;,q=',
    'application/openmetrics-text;version=0.0.1',
    'application/openmetrics-text;version=1.0.0;q=0',
    'application/openmetrics-text;q=0.4, text/plain;q=0.5',
  ];
  for (const accept of texts) assert.equal(pageFormat(accept), 'text', accept);
  assert.ok(acceptsGzip('deflate, GZIP;q=0.5'));
  for (const header of [undefined, '', 'identity', 'gzip;q=0']) assert.ok(!acceptsGzip(header), header);
});

test('a page is made once for a sample and a format, however many ask', async () => {
  const made: string[] = [];
  const pages = new Pages(({ seq }, format) => {
    made.push(`${seq} ${format}`);
    return Buffer.from(`${seq}`);
  });
  assert.equal(pages.plain('text'), undefined);
  assert.equal(pages.compressed('text'), undefined);
  pages.replace(sample);
  assert.deepEqual(made, [], 'nobody asked');
  const [one, other] = [pages.compressed('text'), pages.compressed('text')];
  assert.equal(one, other);
  assert.equal(gunzipSync((await one)!).toString(), '42');
  assert.equal(pages.plain('text'), pages.plain('text'));
  pages.plain('openmetrics');
  pages.replace(sampleOf({ seq: 43 }));
  assert.equal(pages.plain('text')?.toString(), '43');
  assert.deepEqual(made, ['42 text', '42 openmetrics', '43 text']);
});

test('ten scrapers at once get the same page, each over one connection', async (t) => {
  const { endpoint, port } = await open(t);
  endpoint.write(sample);
  const agents = Array.from({ length: 10 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(() => {
    for (const agent of agents) agent.destroy();
  });
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(agents.map((agent) => get(port, '/metrics', { agent })));
    for (const { status, body } of answers) {
      assert.equal(status, 200);
      assert.deepEqual(body, answers[0]?.body);
    }
  }
  for (const agent of agents) assert.equal(Object.values(agent.freeSockets).flat().length, 1);
  assert.equal(endpoint.status.sent, 30);
});

test('other paths and methods', async (t) => {
  const { endpoint, port } = await open(t);
  endpoint.write(sample);
  const index = await get(port, '/');
  assert.equal(index.status, 200);
  assert.match(index.body.toString(), /href="\/metrics"/);
  assert.equal((await get(port, '/metrics?debug=1')).status, 200);
  for (const path of ['/metric', '/metrics/', '/favicon.ico', '/../etc/passwd'])
    assert.equal((await get(port, path)).status, 404, path);
  const post = await get(port, '/metrics', { method: 'POST' });
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
  const head = await get(port, '/metrics', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body.length], [200, 0]);
  assert.ok(Number(head.headers['content-length']) > 100);
});

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

test('with a user name only who knows the password is let in, which may change in its file', async (t) => {
  const tokenFile = join(directory(t), 'password');
  writeFileSync(tokenFile, 'first\n');
  const { endpoint, port } = await open(t, { credentials: { username: 'scraper', tokenFile } });
  endpoint.write(sample);
  const status = async (headers = {}, path = '/metrics') => (await get(port, path, { headers })).status;
  const refused = await get(port);
  assert.equal(refused.status, 401);
  assert.equal(refused.headers['www-authenticate'], 'Basic realm="proxtop", charset="UTF-8"');
  assert.doesNotMatch(refused.body.toString(), /proxtop_/);
  assert.equal(await status(basic('scraper:first')), 200);
  for (const wrong of ['scraper:second', 'scraper:', 'other:first', 'first'])
    assert.equal(await status(basic(wrong)), 401, wrong);
  assert.equal(await status({}, '/'), 401);
  writeFileSync(tokenFile, 'second\n');
  assert.equal(await status(basic('scraper:first')), 401);
  assert.equal(await status(basic('scraper:second')), 200);
});

test('a token', async (t) => {
  const { endpoint, port } = await open(t, { credentials: { token: 'secret' } });
  endpoint.write(sample);
  const refused = await get(port);
  assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'Bearer realm="proxtop"']);
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    const authorization = `${scheme} secret`;
    assert.equal((await get(port, '/metrics', { headers: { authorization } })).status, 200, scheme);
  }
  for (const authorization of ['bearersecret', 'bearer Secret', 'basic secret', 'secret'])
    assert.equal((await get(port, '/metrics', { headers: { authorization } })).status, 401, authorization);
});

test('a user name needs a password, a file must be there', (t) => {
  const make = (changed: Partial<PrometheusSettings>) => () =>
    new PrometheusEndpoint({ ...settings, ...changed }, logs().log);
  assert.throws(make({ credentials: { username: 'scraper' } }), /username needs password/);
  const tokenFile = join(directory(t), 'absent');
  assert.throws(make({ credentials: { username: 'scraper', tokenFile } }), /cannot read the secret/);
  assert.throws(make({ tls: { cert: '/nowhere.pem', key: '/nowhere.key' } }), /tls_cert.*nowhere\.pem/);
});

test('TLS; a certificate that was replaced is taken on SIGHUP, a bad one is not', async (t) => {
  const authority = new Authority(directory(t));
  const tls = authority.sign('first', 'IP:127.0.0.1');
  const { endpoint, port, at } = await open(t, { tls });
  endpoint.write(sample);
  const names: string[] = [];
  const scrape = async (): Promise<number | undefined> => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/metrics',
      ca: readFileSync(authority.ca),
      agent: false,
    };
    const request = httpsGet(options);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    names.push(
      (
        response.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }
      ).getPeerCertificate().subject.CN,
    );
    return (await read(response)).status;
  };
  assert.equal(await scrape(), 200);
  const second = authority.sign('second', 'IP:127.0.0.1');
  writeFileSync(tls.cert, readFileSync(second.cert));
  writeFileSync(tls.key, readFileSync(second.key));
  endpoint.reopen();
  // There is no event when it has been read.
  while (names.at(-1) === 'first') assert.equal(await scrape(), 200);
  writeFileSync(tls.cert, 'no certificate');
  endpoint.reopen();
  await until(() => at('error').length === 1, 'told');
  assert.equal(await scrape(), 200);
  assert.deepEqual([names[0], ...names.slice(-2)], ['first', 'second', 'second']);
  await assert.rejects(get(port), 'plain HTTP is not answered');
});

test('a port that is taken is tried again until it is free', async (t) => {
  const blocker = createServer();
  blocker.listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const { port } = blocker.address() as { port: number };
  const { endpoint, at } = await open(t, { port });
  endpoint.write(sample);
  assert.equal(endpoint.status.state, 'down');
  assert.match(endpoint.status.lastError ?? '', /EADDRINUSE/);
  await new Promise((resolve) => blocker.close(resolve));
  await until(() => endpoint.status.state === 'up', 'it listens');
  assert.equal((await get(port)).status, 200);
  assert.equal(at('error').length, 1, 'told once');
  assert.equal(at('info').length, 1);
});

/** A connection that does not behave, and when it is cut. */
function raw(t: TestContext, port: number): { socket: Socket; cut: Promise<unknown> } {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  // A reset is one way to be cut off.
  socket.on('error', () => undefined);
  return { socket, cut: new Promise((resolve) => socket.once('close', resolve)) };
}

test('who sends no request, half of one, or does not take the page is cut off; others are served', async (t) => {
  const { endpoint, port } = await open(t, { timeout: 1 });
  // More than the buffers of both sides hold, which the kernel lets grow.
  const names = Array.from({ length: 600 }, (_, index) => `${index}-${'x'.repeat(6000)}`);
  endpoint.write(
    sampleOf({ guests: names.map((name) => vmRows(row('vm', { UUID: name, name, cpu_cores: 1 }))) }),
  );
  const silent = raw(t, port);
  const half = raw(t, port);
  half.socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n');
  const slow = raw(t, port);
  slow.socket.pause();
  slow.socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await get(port, '/')).status, 200);
  silent.socket.resume();
  half.socket.resume();
  await Promise.all([silent.cut, half.cut]);
  await until(() => endpoint.status.sent === 1, 'the page was given to the slow one');
  // It reads only now, and finds the page cut short.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  let got = 0;
  slow.socket.on('data', (data) => (got += data.length)).resume();
  await slow.cut;
  const { headers, body } = await get(port);
  assert.equal(Number(headers['content-length']), body.length);
  assert.ok(got < body.length, `${got} of ${body.length} bytes`);
});

test('closing lets a page that is under way arrive, and cuts what does not end', async (t) => {
  const { endpoint, port } = await open(t);
  endpoint.write(sample);
  const idle = raw(t, port);
  await once(idle.socket, 'connect');
  const started = performance.now();
  await endpoint.close(200);
  assert.ok(performance.now() - started < 60_000);
  await assert.rejects(get(port), /ECONNREFUSED/);
  idle.socket.resume();
  await idle.cut;
});

test('another configuration of it takes its address over; one that cannot be leaves it where it was', async (t) => {
  const { log } = logs();
  const set = new OutputSet(
    log,
    () => assert.fail('it has no printer'),
    () => assert.fail('closed'),
  );
  t.after(() => set.close(0));
  const port = await freePort();
  const serves = async (): Promise<number | undefined> => {
    await until(() => set.list[0]?.status.state === 'up', 'it listens');
    set.write(sample);
    return (await get(port)).status;
  };
  await set.replace([{ ...settings, port }]);
  assert.equal(await serves(), 200);
  const [first] = set.list;
  await set.replace([{ ...settings, port }]);
  assert.equal(set.list[0], first, 'the same settings, the same endpoint');
  await set.replace([{ ...settings, port, credentials: { token: 'secret' } }]);
  assert.equal(await serves(), 401);
  await assert.rejects(set.replace([{ ...settings, port, credentials: { username: 'a' } }]), /username/);
  assert.equal(await serves(), 401);
  await set.replace([]);
  await assert.rejects(get(port));
});

const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n';

test('requests that do not wait for their answers end their connection', async (t) => {
  const { endpoint, port } = await open(t);
  endpoint.write(sample);
  const greedy = Array.from({ length: 10 }, () => raw(t, port));
  for (const { socket } of greedy) socket.write(REQUEST.repeat(5000));
  await Promise.all(greedy.map(({ socket, cut }) => (socket.resume(), cut)));
  assert.ok(endpoint.status.sent <= 10, `${endpoint.status.sent} pages`);
  assert.equal((await get(port)).status, 200);
});

test('a refusal is the last answer of its connection, and after a hundred requests it ends', async (t) => {
  const { endpoint, port } = await open(t, { credentials: { token: 'secret' } });
  endpoint.write(sample);
  const stranger = await get(port, '/metrics', { agent: new Agent({ keepAlive: true }) });
  assert.equal(stranger.status, 401);
  assert.equal(stranger.headers.connection, 'close');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => {
    agent.destroy();
  });
  const headers = { authorization: 'Bearer secret' };
  for (let request = 1; request <= 101; request++) {
    const { status, headers: found } = await get(port, '/metrics', { agent, headers });
    assert.equal(status, 200);
    assert.equal(found.connection, request === 100 ? 'close' : 'keep-alive');
  }
});

test('connections that do nothing keep no scraper out', async (t) => {
  const { endpoint, port } = await open(t, { timeout: 3600 });
  endpoint.write(sample);
  const idle = Array.from({ length: 200 }, () => raw(t, port));
  await Promise.all(idle.map(({ socket }) => once(socket, 'connect')));
  for (const { socket } of idle.slice(0, 100)) socket.write('GET /metrics HTTP/1.1\r\n');
  for (let scrape = 0; scrape < 20; scrape++) assert.equal((await get(port)).status, 200);
  // All but the 16 that there may be were given up.
  await Promise.all(idle.slice(0, 180).map(({ socket, cut }) => (socket.resume(), cut)));
});

test('of many connections from one address, and one from another that came first, the one stays', async (t) => {
  const { endpoint, port } = await open(t);
  endpoint.write(sample);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => {
    agent.destroy();
  });
  const scrape = (): Promise<Answer> => get(port, '/metrics', { agent, localAddress: '127.0.0.2' });
  await scrape();
  const flood = Array.from({ length: 100 }, () => raw(t, port));
  await Promise.all(flood.map(({ socket }) => once(socket, 'connect')));
  const [socket] = Object.values(agent.freeSockets).flat();
  assert.equal((await scrape()).status, 200);
  assert.equal(Object.values(agent.freeSockets).flat()[0], socket, 'over the same connection');
});
