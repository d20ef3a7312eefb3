import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { HttpDestination } from '../../src/delivery/http/http.ts';
import type { HttpSettings } from '../../src/delivery/settings.ts';
import {
  assertAccounted,
  directory,
  distinct,
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
import { answer, HttpReceiver, httpSettings } from './http-receiver.ts';
import { segmentFiles, settings as spoolSettings } from './spool/helpers.ts';

function open(t: TestContext, port: number, path: string, changed: Partial<HttpSettings> = {}): TestOutput {
  const spool = spoolSettings(join(path, 'test'), { sync: 0.05 });
  const settings = httpSettings(`http://127.0.0.1:${port}/in`, { spool, ...changed });
  const { log } = logs();
  return new TestOutput(t, settings, log, (tap) => new HttpDestination(settings, tap, log, () => 20));
}

test('what a server that is down misses goes to disk, also over a restart, and arrives once', async (t) => {
  const path = directory(t);
  const port = await freePort();
  const first = open(t, port, path);
  first.send(records(1, 500));
  await until(() => first.status.state === 'down' && first.status.queued === 0, 'all is spooled');
  // Some of them may have been taken again for the next attempt, and are on disk.
  assert.equal(undecided(first.status), 500);
  assert.equal(first.status.state, 'down');
  first.send(records(501, 600));
  await first.close(5000);
  assert.deepEqual([undecided(first.status), first.status.dropped], [0, 0]);
  const receiver = new HttpReceiver(t);
  await receiver.start(port);
  const second = open(t, port, path);
  second.send(records(601, 700));
  await until(() => second.status.sent === 700, 'all is sent');
  assertAccounted(second.status, 700);
  await second.close(5000);
  const arrived = seqs(receiver.bodies);
  assert.deepEqual(distinct(arrived), range(1, 700));
  assert.equal(arrived.length, 700);
  assert.equal(segmentFiles(join(path, 'test')).length, 0);
});

test('a server that answers 503 for a while: records go to disk and come back in order', async (t) => {
  const path = directory(t);
  const receiver = new HttpReceiver(t, answer(503));
  const http = open(t, await receiver.start(), path);
  let seq = 0;
  await until(() => {
    http.send([record(++seq)]);
    return http.status.spooled > 20;
  }, 'records are spooled');
  const before = receiver.requests.length;
  receiver.respond = answer(204);
  await until(() => http.status.sent === seq, 'all is sent');
  assert.ok(http.status.resent > 0);
  assertAccounted(http.status, seq);
  await http.close(5000);
  const arrived = seqs(Buffer.concat(receiver.requests.slice(before).map(({ body }) => body)));
  assert.deepEqual(distinct(arrived), range(1, seq));
});

test('what the server refuses leaves the spool and is counted', async (t) => {
  const path = directory(t);
  const port = await freePort();
  const http = open(t, port, path, { batch: { records: 10, bytes: 1 << 20, age: 0 } });
  http.send(records(1, 100));
  await until(() => http.status.spooled > 80, 'spooled');
  const receiver = new HttpReceiver(t, (request, response) => {
    response.writeHead(seqs(request.body).includes(42) ? 400 : 204).end();
  });
  await receiver.start(port);
  await until(() => http.status.sent + http.status.dropped === 100, 'all is decided');
  assert.equal(http.status.droppedBy.refused, http.status.dropped);
  assert.ok(http.status.dropped >= 1 && http.status.dropped <= 10);
  await http.close(5000);
  assert.equal(segmentFiles(join(path, 'test')).length, 0);
});

test('a server killed and started again under load gets everything', async (t) => {
  const path = directory(t);
  const port = await freePort();
  const http = open(t, port, path);
  let seq = 0;
  const writing = setInterval(() => {
    http.send([record(++seq, 1000), record(++seq, 10)]);
  }, 2);
  t.after(() => {
    clearInterval(writing);
  });
  const arrived: number[] = [];
  for (let round = 0; round < 8; round++) {
    const receiver = new HttpReceiver(t);
    await receiver.start(port);
    await until(() => receiver.requests.length > 0, 'a request');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
    await receiver.stop();
    arrived.push(...seqs(receiver.bodies));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
  }
  clearInterval(writing);
  const last = new HttpReceiver(t);
  await last.start(port);
  await until(() => http.status.sent === seq, 'all is sent');
  await http.close(5000);
  arrived.push(...seqs(last.bodies));
  assert.deepEqual(distinct(arrived), range(1, seq));
  assertAccounted(http.status, seq);
  assert.equal(http.status.dropped, 0);
});
