// Strict order: whatever happens, a record comes before those that were pushed after it.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { HttpDestination } from '../../src/delivery/http/http.ts';
import { OutputSet } from '../../src/delivery/output-set.ts';
import type { HttpSettings, TcpSettings } from '../../src/delivery/settings.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import {
  assertAccounted,
  directory,
  distinct,
  freePort,
  logs,
  range,
  Receiver,
  record,
  records,
  seqs,
  TestOutput,
  until,
} from './helpers.ts';
import { answer, HttpReceiver, httpSettings } from './http-receiver.ts';
import { open as openTcp } from './tcp-helpers.ts';
import { segmentFiles, settings as spoolSettings } from './spool/helpers.ts';

/** A store of time series that takes nothing older than what it has, as Prometheus does: all of a request, or none. */
class OrderedStore extends HttpReceiver {
  readonly taken: number[] = [];
  newest = 0;

  constructor(t: TestContext) {
    super(t, ({ body }, response) => {
      const found = seqs(body);
      const fits = found.every((seq, index) => seq >= (found[index - 1] ?? this.newest));
      if (fits) this.taken.push(...found);
      this.newest = Math.max(this.newest, ...this.taken.slice(-1));
      response.writeHead(fits ? 204 : 400).end(fits ? '' : 'out of order sample');
    });
  }
}

/** An output with strict order, and what it logs. */
function open(
  t: TestContext,
  port: number,
  changed: Partial<HttpSettings> = {},
): TestOutput & { readonly log: ReturnType<typeof logs>['at'] } {
  const settings = httpSettings(`http://127.0.0.1:${port}/in`, { strict: true, ...changed });
  const { log, at } = logs();
  const output = new TestOutput(t, settings, log, (tap) => new HttpDestination(settings, tap, log, () => 20));
  return Object.assign(output, { log: at });
}

test('a backlog on disk goes before what is new, also what comes while it is delivered', async (t) => {
  const spool = spoolSettings(join(directory(t), 'test'), { sync: 0.05 });
  const batch = { records: 100, bytes: 1 << 20, age: 0 };
  const port = await freePort();
  const http = open(t, port, { spool, batch });
  let seq = 0;
  const writing = setInterval(() => {
    http.send([record(++seq, 1000), record(++seq, 10)]);
  }, 2);
  t.after(() => {
    clearInterval(writing);
  });
  await until(() => http.status.spooled > 200, 'a backlog');
  const store = new OrderedStore(t);
  await store.start(port);
  const goal = seq + 50;
  await until(() => http.status.sent > goal, 'new ones have arrived too');
  // It fails in all ways in the middle of it.
  const take = store.respond;
  for (const status of [503, 429, 500]) {
    store.respond = answer(status);
    const before = http.status.spooled;
    await until(() => http.status.spooled > before + 20, 'a backlog again');
    store.respond = take;
    await until(() => http.status.sent > goal && http.status.spooled === 0, 'all is delivered');
  }
  clearInterval(writing);
  await until(() => http.status.sent === seq, 'all is sent');
  await http.close(5000);
  assert.deepEqual(store.taken, range(1, seq));
  assertAccounted(http.status, seq);
  assert.equal(http.status.dropped, 0);
});

test('over a restart: what an earlier run left goes first', async (t) => {
  const spool = spoolSettings(join(directory(t), 'test'), { sync: 0.05 });
  const port = await freePort();
  const before = open(t, port, { spool });
  before.send(records(1, 3000));
  await before.close(5000);
  const store = new OrderedStore(t);
  await store.start(port);
  const http = open(t, port, { spool });
  // Nobody has looked at the spool yet.
  http.send(records(3001, 3100));
  await until(() => http.status.sent === 3100, 'all is sent');
  assert.deepEqual(store.taken, range(1, 3100));
});

test('what was handed over when the server stalled comes before what came during the stall', async (t) => {
  const spool = spoolSettings(join(directory(t), 'test'), { sync: 0.05 });
  const queue = { maxBytes: 64 << 10, whenFull: 'drop_newest' } as const;
  const store = new OrderedStore(t);
  const take = store.respond;
  store.respond = () => undefined;
  const http = open(t, await store.start(), { spool, queue, timeout: 1 });
  http.send(records(1, 50));
  await until(() => store.requests.length === 1, 'the server has it');
  // More than half of the queue: without strict order this goes to disk at once, in front of what comes back.
  http.send(records(51, 220));
  await until(() => http.status.state === 'down' && http.status.spooled > 200, 'all is on disk');
  store.respond = take;
  await until(() => http.status.sent === 220, 'all is sent');
  assert.deepEqual(store.taken, range(1, 220));
});

test('a request whose answer was lost is sent again as it was: only what is old in it is refused', async (t) => {
  const store = new OrderedStore(t);
  const take = store.respond;
  const http = open(t, await store.start());
  store.respond = (request, response, number) => {
    take(request, response, number);
    response.destroy();
  };
  http.send(records(1, 20));
  await until(() => store.taken.length === 20, 'taken');
  http.send(records(21, 40));
  store.respond = take;
  await until(() => http.status.sent + http.status.dropped === 40, 'all is decided');
  // The last one came again with the time of the newest, which is no fault.
  assert.deepEqual(distinct(store.taken), range(1, 40));
  assert.equal(http.status.droppedBy.refused, http.status.dropped);
  assert.ok(http.status.dropped <= 20);
});

test('after a reload the new output waits for what the old one may give back', async (t) => {
  const { log } = logs();
  const printer = { print: ({ seq }: Sample) => [record(seq)] };
  const set = new OutputSet(
    log,
    () => printer,
    () => assert.fail('closed'),
  );
  t.after(() => set.close(0));
  const store = new OrderedStore(t);
  const port = await store.start();
  const take = store.respond;
  store.respond = () => undefined;
  const settings = httpSettings(`http://127.0.0.1:${port}/in`, { strict: true });
  await set.replace([settings]);
  for (const seq of range(1, 10)) set.write({ seq } as Sample);
  await until(() => store.requests.length === 1, 'the server has it');
  await set.replace([{ ...settings, timeout: 6 }]);
  store.respond = take;
  for (const seq of range(11, 20)) set.write({ seq } as Sample);
  await until(() => set.list[0]?.status.sent === 20, 'all is sent');
  assert.deepEqual(store.taken, range(1, 20));
});

test('tcp: over broken connections and an outage, in order on each connection', async (t) => {
  const spool = spoolSettings(join(directory(t), 'test'), { sync: 0.05 });
  const receiver = new Receiver(t);
  const port = await receiver.start();
  const change: Partial<TcpSettings> = { spool, strict: true };
  const { tcp } = openTcp(t, port, change);
  let seq = 0;
  const writing = setInterval(() => {
    tcp.send([record(++seq, 1000), record(++seq, 10)]);
  }, 2);
  t.after(() => {
    clearInterval(writing);
  });
  for (let round = 0; round < 3; round++) {
    const { length } = receiver.connections;
    await until(() => receiver.connections.length > length || receiver.received(length - 1).length > 1e5, '');
    await receiver.stop();
    await until(() => tcp.status.spooled > 100, 'a backlog');
    await receiver.start(port);
  }
  clearInterval(writing);
  await until(() => tcp.status.sent === seq, 'all is confirmed');
  const seen = new Set<number>();
  let newest = 0;
  for (const each of receiver.seqs()) {
    if (!seen.has(each)) assert.ok(each > newest, `${each} came after ${newest}`);
    seen.add(each);
    newest = Math.max(newest, each);
  }
  assert.deepEqual(distinct([...seen]), range(1, seq));
  await tcp.close(5000);
});

test('a file of the spool that cannot be read holds up those behind it until it can', async (t) => {
  const path = join(directory(t), 'test');
  const spool = spoolSettings(path, { sync: 0.05, maxBytes: 1 << 20 });
  const port = await freePort();
  const before = open(t, port, { spool });
  before.send(records(1, 600, 500));
  await before.close(5000);
  const [oldest = '', ...others] = segmentFiles(path);
  assert.ok(others.length > 0, 'more than one file');
  renameSync(oldest, `${oldest}.aside`);
  mkdirSync(oldest);
  const store = new OrderedStore(t);
  await store.start(port);
  const http = open(t, port, { spool });
  http.send(records(601, 610));
  await until(() => http.log('warn').some((line) => line.includes('it is not a regular file')), 'it is told');
  assert.deepEqual([store.taken, http.status.sent], [[], 0]);
  rmSync(oldest, { recursive: true });
  renameSync(`${oldest}.aside`, oldest);
  await until(() => http.status.sent === 610, 'all is sent');
  assert.deepEqual(store.taken, range(1, 610));
});
