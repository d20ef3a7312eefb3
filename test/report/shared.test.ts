// What the maker of a report and its page share: codes of values, words, ticks of a clock that changes, buckets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketsIn, bucketsOf } from '../../src/report/buckets.ts';
import { json, markup, name } from '../../src/report/html/markup.ts';
import { Mentions } from '../../src/report/mentions.ts';
import { planOf } from '../../src/report/plan.ts';
import { Series } from '../../src/report/series.ts';
import { codeOf, packPlanes, unpackPlanes, valueOf } from '../../src/report/shared/codes.ts';
import { ticksOf } from '../../src/report/shared/ticks.ts';
import { duration, momentText, quantity } from '../../src/report/shared/words.ts';
import { zoneOf } from '../../src/report/zone.ts';

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

test('a sentence names the guests that it names, and none whose names are parts of theirs', () => {
  const labels = [
    '10 web',
    '110 web',
    'web',
    'web2',
    'web2-old',
    'data',
    'data base',
    '7 a\u202eb',
    'twin',
    'twin',
  ];
  const mentions = new Mentions(labels.entries());
  const all = (sentence: string): string[] => mentions.all(sentence).map((index) => labels[index] ?? '');
  const first = (sentence: string): string[] => mentions.first(sentence).map((index) => labels[index] ?? '');
  assert.deepEqual(all('110 web RDY 40 %: 10 web takes 75 %'), ['10 web', '110 web']);
  assert.deepEqual(all('110 web RDY 40 %'), ['110 web']);
  assert.deepEqual(all('web2 waits for web2-old.'), ['web2', 'web2-old']);
  assert.deepEqual(all('cobweb, web3 and web-1 are others'), []);
  assert.deepEqual(all('data base: RDY'), ['data base']);
  assert.deepEqual(all('7 a?b: RDY'), ['7 a\u202eb']);
  assert.deepEqual(mentions.all('twin: RDY'), [8, 9]);
  assert.deepEqual(first('110 web scsi0'), ['110 web']);
  assert.deepEqual(first('web2-old RDY'), ['web2-old']);
  assert.deepEqual(first('memory: web'), []);
  assert.deepEqual(new Mentions([]).all('web'), []);
});

test('a clock that was never set, or is set to any year, does not hold up a report', () => {
  const now = Date.UTC(2026, 10, 28);
  for (const [begin, end] of [
    [0, now],
    [now, Date.UTC(9999, 0, 1)],
    [Date.UTC(-200_000, 0, 1), Date.UTC(275_000, 0, 1)],
  ] as const) {
    const zone = zoneOf(begin, end);
    const started = performance.now();
    const ticks = ticksOf(zone, begin, end, 7);
    assert.ok(ticks.length >= 3 && ticks.length <= 8, `${ticks.length}`);
    // Minutes, where it was looked at by hours or quarters of one.
    assert.ok(performance.now() - started < 60_000);
    assert.ok(zone.offsets.length <= 20_001);
  }
});

test('a guest that ran for a moment takes memory for that moment', () => {
  const plan = planOf('vm', new Map());
  const values = new Float64Array(400).fill(5);
  const before = process.memoryUsage().arrayBuffers;
  const all = Array.from({ length: 200 }, (_, index) => {
    const series = new Series(plan, 720);
    series.add(index, values, 10);
    return series;
  });
  const each = (process.memoryUsage().arrayBuffers - before) / all.length;
  assert.ok(each < 100_000, `${each} bytes of a guest`);
  const [series] = all;
  assert.deepEqual(series?.summary(0), { mean: 5, max: 5, at: 0, above: 0 });
  const { mean, max } = (all[199] as Series).planes(0);
  assert.deepEqual([mean.length, mean[199], max[199], mean[198], mean[200]], [720, 5, 5, NaN, NaN]);
});
