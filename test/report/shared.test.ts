// What the maker of a report and its page share: codes of values, words, ticks of a clock that changes, buckets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketsIn, bucketsOf } from '../../src/report/buckets.ts';
import { json, markup, name } from '../../src/report/markup.ts';
import { codeOf, packPlanes, unpackPlanes, valueOf } from '../../src/report/shared/codes.ts';
import { ticksOf } from '../../src/report/shared/ticks.ts';
import { duration, momentText, quantity } from '../../src/report/shared/words.ts';

test('a value comes back with three significant digits, and what is not known as such', () => {
  for (const value of [
    0, 1e-6, 0.000123, 0.1, 0.999, 1, 9.99, 10, 12.3, 99.9, 100, 999, 1000, 123_000, 1.5e12, 9.99e15,
  ])
    assert.equal(valueOf(codeOf(value)), value);
  assert.equal(valueOf(codeOf(12.345)), 12.3);
  assert.equal(valueOf(codeOf(0.99999)), 1);
  assert.ok(Number.isNaN(valueOf(codeOf(NaN))));
  assert.equal(codeOf(0), 1);
  // Of larger values the code is never smaller.
  for (let before = 0, value = 1e-7; value < 1e14; value *= 1.003) {
    const code = codeOf(value);
    assert.ok(code >= before, `${value}`);
    before = code;
  }
});

test('planes are unpacked as they were packed', () => {
  const mean = Float64Array.of(NaN, 0, 1, 5, 100, NaN, 2 ** 40);
  const max = Float64Array.of(NaN, 10, 1, 5.5, 1e6, NaN, 2 ** 41);
  const min = Float64Array.of(NaN, 0, 1, 0, 3, NaN, 2 ** 39);
  const bytes = packPlanes({ mean, min, max });
  const planes = unpackPlanes(bytes, mean.length);
  const rounded = (plane: Float64Array): number[] => [...plane].map((value) => Number(value.toPrecision(3)));
  assert.deepEqual([...planes.mean], rounded(mean));
  assert.deepEqual([...planes.max], rounded(max));
  assert.deepEqual([...planes.min], rounded(min));
  assert.throws(() => unpackPlanes(bytes.subarray(0, 5), mean.length), RangeError);
});

test('numbers and lengths of time in words', () => {
  assert.equal(quantity(12.34, '%'), '12.3 %');
  assert.equal(quantity(1234.5, '/s'), '1,235 /s');
  assert.equal(quantity(1.5 * 2 ** 30, 'bytes'), '1.5 GiB');
  assert.equal(quantity(NaN, '%'), '-');
  assert.deepEqual([5, 119, 120, 7200, 7260, 200_000].map(duration), [
    '5 s',
    '119 s',
    '2 min',
    '2 h',
    '2 h 1 min',
    '2 d 7 h',
  ]);
});

test('ticks stand at round times of a clock that is changed', () => {
  const end = Date.UTC(2026, 9, 25, 1);
  const zone = {
    name: 'Europe/Berlin',
    offsets: [
      [0, 120],
      [end, 60],
    ],
  } as const;
  const ticks = ticksOf(zone, end - 7_200_000, end + 7_200_000, 5);
  assert.deepEqual(
    ticks.map((tick) => momentText(zone, tick).slice(11)),
    ['01:00 +02:00', '02:00 +02:00', '02:00 +01:00', '03:00 +01:00', '04:00 +01:00'],
  );
  // A zone that is not whole hours from UTC, and steps of six hours.
  const kathmandu = { name: 'Asia/Kathmandu', offsets: [[0, 345]] } as const;
  const day = Date.UTC(2026, 9, 25);
  assert.deepEqual(
    ticksOf(kathmandu, day, day + 86_400_000, 4).map((tick) => momentText(kathmandu, tick).slice(11)),
    ['06:00', '12:00', '18:00', '00:00'],
  );
});

test('buckets are round lengths of time, each with as many samples as the others', () => {
  const from = Date.UTC(2026, 10, 28, 2);
  const day = bucketsOf(from + 10_002, from + 86_400_002, 10);
  assert.deepEqual(day, { begin: from, seconds: 120, count: 720 });
  const hour = bucketsOf(from + 10_002, from + 3_600_002, 10);
  assert.deepEqual(hour, { begin: from, seconds: 10, count: 360 });
  assert.deepEqual(bucketsIn(hour, from + 10_002, 10), { first: 0, last: 0 });
  assert.deepEqual(bucketsIn(hour, from + 20_002, 10), { first: 1, last: 1 });
  // A tick was missed: the sample is about twice the time.
  assert.deepEqual(bucketsIn(hour, from + 60_002, 20), { first: 4, last: 5 });
  assert.deepEqual(bucketsOf(from, from, NaN), { begin: from - 1000, seconds: 1, count: 1 });
});

test('text stays text in HTML and in JSON', () => {
  assert.equal(
    markup`<b title="${'"'}">${name('</b>&$&')}</b>`.html,
    '<b title="&quot;"><bdi>&lt;/b&gt;&amp;$&amp;</bdi></b>',
  );
  const text = '</script><!--\u2028\u2029';
  assert.doesNotMatch(json(text).html, /[<\u2028\u2029]/);
  assert.equal(JSON.parse(json(text).html), text);
});
