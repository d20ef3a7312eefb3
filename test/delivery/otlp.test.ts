/** OTLP/HTTP: requests, and what the answers of receivers mean. Answers here are made by hand after the specification. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { HttpDestination } from '../../src/delivery/http/http.ts';
import { otlpAnswers } from '../../src/delivery/http/otlp-answer.ts';
import type { HttpSettings } from '../../src/delivery/settings.ts';
import { ProtobufWriter } from '../../src/formats/protobuf/protobuf-writer.ts';
import { TestOutput, assertAccounted, logs, range, record, records, seqs, until } from './helpers.ts';
import { HttpReceiver, answer, httpSettings } from './http-receiver.ts';
import type { Responder } from './http-receiver.ts';

const PROTOBUF = { 'Content-Type': 'application/x-protobuf' };

function open(t: TestContext, port: number, changed: Partial<HttpSettings> = {}) {
  const { log, at } = logs();
  const settings = httpSettings(`http://127.0.0.1:${port}/v1/metrics`, { printer: 'otlp', ...changed });
  const output = new TestOutput(t, settings, log, (tap) => new HttpDestination(settings, tap, log, () => 20));
  return { output, at };
}

/** ExportMetricsServiceResponse with a partial success. */
function partial(rejected: number, message: string): Buffer {
  const out = new ProtobufWriter();
  const begin = out.begin(1);
  out.int64(1, rejected);
  out.string(2, message);
  out.end(begin);
  return out.take();
}

/** google.rpc.Status. */
function status(code: number, message: string): Buffer {
  const out = new ProtobufWriter();
  out.int64(1, code);
  out.string(2, message);
  return out.take();
}

const answering =
  (code: number, body: Buffer, headers: Record<string, string> = PROTOBUF): Responder =>
  (_, response) =>
    void response.writeHead(code, headers).end(body);

test('requests are protobuf, gzip, put together as they are', async (t) => {
  const receiver = new HttpReceiver(t);
  const { output } = open(t, await receiver.start(), { headers: { 'api-key': 'k' } });
  output.send(records(1, 3));
  await until(() => output.status.sent === 3, 'sent');
  const { headers, body } = receiver.requests[0]!;
  assert.equal(headers['content-type'], 'application/x-protobuf');
  assert.equal(headers['content-encoding'], 'gzip');
  assert.equal(headers['api-key'], 'k');
  assert.deepEqual(seqs(body), [1, 2, 3]);
});

test('rejected points of a request that was taken are counted, with the words of the receiver', async (t) => {
  const receiver = new HttpReceiver(t, answering(200, partial(7, 'too old')));
  const { output, at } = open(t, await receiver.start());
  output.send(records(1, 3));
  await until(() => output.status.dropped === 3, 'counted');
  assertAccounted(output.status, 3);
  assert.match(
    at('error')[0]!,
    /refuses 3 records, which are dropped: HTTP 200: 7 data points rejected: too old/,
  );
  assert.equal(output.status.state, 'refused');
  assert.equal(receiver.requests.length, 1, 'never sent again');

  receiver.respond = answering(200, partial(1, 'one'));
  output.send(records(4, 6));
  await until(() => output.status.sent === 2, 'the others arrived');
  assert.equal(output.status.dropped, 4);
});

test('a success with a message is a warning, an empty answer is none', async (t) => {
  const receiver = new HttpReceiver(t, answering(200, partial(0, 'use the new path')));
  const { output, at } = open(t, await receiver.start());
  output.send(records(1, 2));
  await until(() => output.status.sent === 2, 'sent');
  assert.match(at('warn')[0]!, /HTTP 200: use the new path/);
  // VictoriaMetrics answers with nothing at all.
  receiver.respond = answer(200);
  output.send(records(3, 4));
  await until(() => output.status.sent === 4, 'sent');
  assert.deepEqual([at('warn').length, at('error').length, output.status.state], [1, 0, 'up']);
});

test('only 429, 502, 503 and 504 are tried again, as the specification says', () => {
  const judged = (code: number) =>
    otlpAnswers.judge(
      { status: code, retryAfter: undefined, contentType: undefined, body: Buffer.alloc(0) },
      4,
    );
  const later = range(400, 599).filter((code) => judged(code) === 'later');
  assert.deepEqual(later, [429, 502, 503, 504]);
  assert.equal(judged(413), 'too-large');
  assert.equal(judged(400), 'faulty');
  assert.equal(judged(500), 'refused');
  assert.deepEqual([judged(200), judged(202), judged(302)], ['arrived', 'arrived', 'later']);
});

test('500 is final, 503 is not', async (t) => {
  const receiver = new HttpReceiver(t, answering(500, status(13, 'broken\ninside')));
  const { output, at } = open(t, await receiver.start());
  output.send(records(1, 2));
  await until(() => output.status.dropped === 2, 'dropped');
  assert.match(at('error')[0]!, /HTTP 500: broken inside$/);
  receiver.respond = (_, response, number) =>
    void response.writeHead(number < 4 ? 503 : 200, { 'Retry-After': '0' }).end();
  output.send(records(3, 4));
  await until(() => output.status.sent === 2, 'sent at the third attempt');
  assert.equal(receiver.requests.length, 4);
});

test('a request that is too large goes in halves', async (t) => {
  const receiver = new HttpReceiver(
    t,
    ({ body }, response) => void response.writeHead(body.length > 1000 ? 413 : 200, PROTOBUF).end(),
  );
  const { output } = open(t, await receiver.start());
  output.send([...records(1, 20, 100), record(21, 2000)]);
  await until(() => output.status.sent === 20 && output.status.dropped === 1, 'all is decided');
});

test('answers that are not messages, are cut, or give a wrong length', () => {
  const bodies = [
    Buffer.from('<html>no</html>'),
    Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    Buffer.from('ff'.repeat(40), 'hex'),
    partial(3, 'x').subarray(0, 7),
    Buffer.alloc(0),
    Buffer.from([0x0a]),
    Buffer.alloc(1000, 8),
  ];
  for (const body of bodies) {
    const taken = { status: 200, retryAfter: undefined, contentType: 'application/x-protobuf', body };
    assert.doesNotThrow(() => otlpAnswers.words(taken));
    assert.equal(otlpAnswers.judge(taken, 2), 'arrived', body.toString('hex'));
  }
  // A number of rejected points that no request can have.
  const out = new ProtobufWriter();
  const begin = out.begin(1);
  out.int64(1, -5);
  out.end(begin);
  const negative = {
    status: 200,
    retryAfter: undefined,
    contentType: PROTOBUF['Content-Type'],
    body: out.take(),
  };
  assert.equal(otlpAnswers.judge(negative, 2), 'arrived');
});

test('messages of servers that are not OTLP receivers are passed on unchanged', async (t) => {
  const receiver = new HttpReceiver(t, answer(404, '404 page not found\n', { 'Content-Type': 'text/plain' }));
  const { output, at } = open(t, await receiver.start());
  output.send(records(1, 1));
  await until(() => output.status.dropped === 1, 'dropped');
  assert.match(at('error')[0]!, /HTTP 404: 404 page not found$/);
});
