// What the log hears of a destination that fails, lastingly or again and again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outage } from '../../src/delivery/shared/outage.ts';
import { logs } from './helpers.ts';

const status = { queued: 1, queuedBytes: 10, dropped: 0 };

test('of what comes and goes the log hears some times a minute, and of what lasts in any case', (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const { log, at } = logs();
  const outage = new Outage(log, { status });
  for (let round = 0; round < 100; round++, now += 200) {
    outage.begin('HTTP 503');
    now += 200;
    outage.end('answers again');
  }
  assert.equal(at('warn').length, 5);
  assert.equal(at('info').length, 5);
  assert.match(at('warn').at(-1) ?? '', /it comes and goes: no more of it is logged within this minute$/);
  // Now for good, while nothing may be logged: it is told as soon as that is over.
  outage.begin('HTTP 500');
  assert.equal(at('warn').length, 5);
  assert.equal(outage.lasts, true);
  now += 60_000;
  outage.begin('HTTP 500');
  outage.begin('HTTP 500');
  assert.equal(at('warn').length, 6);
  assert.match(at('warn').at(-1) ?? '', /^HTTP 500; 1 records \(10 bytes\) wait$/);
  outage.end('answers again');
  assert.match(at('info').at(-1) ?? '', /^answers again after 60\.0 s/);
});
