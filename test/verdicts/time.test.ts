import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from '../../src/sampling/sample.ts';
import { Followed } from '../../src/verdicts/followed.ts';
import { Verdicts } from '../../src/verdicts/verdicts.ts';
import { sampleAt, several, told } from './world.ts';
import type { Known, World } from './world.ts';

const hog = { cpu_cores: 8, cpu_total: 90 };
const waiting = (ready: number, more: Known = {}): World => ({
  host: { cpu_idle: 0 },
  guests: { 3102: { cpu_total: 30, cpu_steal: ready, cpu_steal_max: ready, ...more }, 3100: hog },
});

/** The seconds at which something was reported, and the sentences before changes. */
function secondsTold(seconds: number, world: (second: number) => World): number[] {
  const verdicts = new Verdicts();
  const at: number[] = [];
  for (let second = 0; second <= seconds; second++)
    if (verdicts.add(sampleAt(world(second), second)).verdicts.length > 0) at.push(second);
  return at;
}

/** Where a list of seconds begins and ends to be without gaps. */
function spans(seconds: readonly number[]): string[] {
  const found: string[] = [];
  let first: number | undefined;
  for (const [index, second] of seconds.entries()) {
    first ??= second;
    if (seconds[index + 1] === second + 1) continue;
    found.push(`${first}-${second}`);
    first = undefined;
  }
  return found;
}

/** A spike among small values, values that swing about the level, values that sink below it, and peace. */
function swinging(second: number): number {
  if (second < 20) return second === 8 ? 90 : 3;
  if (second < 60) return [22, 34, 6, 28][(second - 20) % 4] ?? NaN;
  if (second < 102) return (second - 60) % 6 < 3 ? 15 : 5;
  return 2;
}

test('25 d: values that swing about their level make one line that comes and goes once', () => {
  const series = Array.from({ length: 131 }, (_, second) => swinging(second));
  const crossings = series.filter((value, at) => value >= 10 !== (series[at - 1] ?? 0) >= 10).length;
  assert.ok(crossings > 30, `raw values cross the level ${crossings} times`);
  assert.deepEqual(spans(secondsTold(130, (second) => waiting(swinging(second)))), ['28-115']);
});

test('any period of swinging changes the lines seldom', () => {
  for (const period of [2, 3, 5, 8, 13, 20, 30])
    for (const [low, high] of [
      [0, 20],
      [4, 16],
      [8, 12],
      [0, 100],
    ] as const) {
      const world = (second: number): World => waiting(second % period < period / 2 ? high : low);
      const shown = spans(secondsTold(600, world));
      // A verdict stays for 15 s at least, and needs 5 s to begin.
      assert.ok(shown.length <= 600 / 20, `${low} and ${high} each ${period} s: ${shown.join(' ')}`);
      if (period <= 8)
        assert.ok(shown.length <= 1, `${low} and ${high} each ${period} s: ${shown.join(' ')}`);
    }
});

test('a step shows the sooner the larger it is', () => {
  for (const [to, most] of [
    [12, 21],
    [15, 14],
    [20, 11],
    [40, 8],
    [75, 8],
  ] as const) {
    const [first = NaN] = secondsTold(120, (second) => waiting(second < 60 ? 3 : to));
    assert.ok(Math.abs(first - 60 - most) <= 1, `to ${to}: after ${first - 60} s`);
  }
});

test('25 a: nothing is reported just after the program has started', () => {
  assert.deepEqual(told(8, waiting(40)), []);
  assert.equal(told(10, waiting(40)).length, 1);
});

test('25 b: a guest that is about to leave is not a victim, nor is one that has just come', () => {
  assert.deepEqual(told(60, waiting(60, { lock: 'migrate' })), []);
  const { guests, ...world } = waiting(60);
  const joined = (second: number): World => ({
    ...world,
    guests: second < 30 ? { 3100: hog } : guests,
  });
  assert.deepEqual(spans(secondsTold(150, joined)), ['94-150']);
});

test('25 c: a clock that is set back changes nothing; a gap and another run start again', () => {
  const after = (change: (sample: Sample, second: number) => Sample): number[] => {
    const verdicts = new Verdicts();
    const at: number[] = [];
    for (let second = 0; second <= 60; second++) {
      const sample = change(sampleAt(waiting(40), second), second);
      if (verdicts.add(sample).verdicts.length > 0) at.push(second);
    }
    return at;
  };
  const back = after((sample, second) => ({
    ...sample,
    time: sample.time - (second > 30 ? 3_600_000 : 0),
  }));
  assert.deepEqual(spans(back), ['10-60']);
  const late = after((sample, second) => {
    const [time, seq] = second > 30 ? [sample.time + 60_000, sample.seq + 60] : [sample.time, sample.seq];
    return { ...sample, time, seq };
  });
  assert.deepEqual(spans(late), ['10-30', '41-60']);
  const other = after((sample, second) => ({ ...sample, run: second > 30 ? 'r2' : 'r1' }));
  assert.deepEqual(spans(other), ['10-30', '41-60']);
});

test('a long interval is judged as a short one', () => {
  for (const interval of [0.1, 0.5, 2, 5, 10, 60]) {
    const verdicts = new Verdicts();
    let first = NaN;
    for (let count = 0; count < 400 && Number.isNaN(first); count++) {
      const sample = { ...sampleAt(waiting(40), 0), seq: count + 1, interval };
      const time = sample.time + count * interval * 1000;
      if (verdicts.add({ ...sample, time }).verdicts.length > 0) first = count * interval;
    }
    assert.ok(first <= Math.max(11, 2 * interval), `each ${interval} s: after ${first} s`);
  }
});

test('values that are not known for a moment change nothing; for longer they end the verdict', () => {
  const without = (from: number, to: number) => (second: number) => {
    const world = waiting(40);
    if (second < from || second >= to) return world;
    const { cpu_steal: _, cpu_steal_max: __, ...rest } = world.guests['3102'] as Known;
    return { ...world, guests: { ...world.guests, 3102: { ...rest, cpu_steal: NaN, cpu_steal_max: NaN } } };
  };
  assert.deepEqual(spans(secondsTold(60, without(30, 33))), ['10-60']);
  const [first, second] = spans(secondsTold(90, without(30, 60)));
  assert.ok(/^10-3\d$/.test(first ?? '') && /^7\d-90$/.test(second ?? ''), `${first} ${second}`);
});

test('who is named changes when another one takes well more for a while, and numbers every 3 s at most', () => {
  const verdicts = new Verdicts();
  const texts: string[] = [];
  for (let second = 0; second <= 120; second++) {
    const swap = second % 2 === 0;
    const world: World = {
      host: { cpu_idle: 0 },
      guests: {
        3102: { cpu_total: 30, cpu_steal: 40 + (second % 7), cpu_steal_max: 40 },
        '3100 one': { cpu_cores: 4, cpu_total: swap ? 92 : 85 },
        '3101 two': { cpu_cores: 4, cpu_total: second > 60 ? 60 : swap ? 85 : 92 },
      },
    };
    verdicts.add(sampleAt(world, second));
    texts.push(verdicts.now[0]?.text ?? '');
  }
  const names = texts.flatMap((text) => /: (\d+)/.exec(text)?.[1] ?? []);
  assert.ok(names.filter((name, at) => at > 0 && name !== names[at - 1]).length <= 1);
  const changes = texts.filter((text, at) => text !== texts[at - 1]).length;
  assert.ok(changes <= 120 / 3, `${changes} changes`);
});

test('a guest that hangs, or does not get to run, has no other trouble', () => {
  const slow = {
    disk_reads: 100,
    disk_writes: 0,
    disk_lat_rd: 80,
    disk_lat_avg: 80,
    disk_davg_rd: 1,
    disk_device: 'sdb',
  };
  const world = waiting(40, {});
  const guests = { ...world.guests, 3102: { ...world.guests['3102'], disks: { scsi0: slow } } };
  const [only, ...none] = told(60, { ...world, guests });
  assert.match(only ?? '', /RDY 40 %/);
  assert.deepEqual(none, []);
  const hung = { ...guests, 3102: { ...guests[3102], qmp: 'timeout', qmp_age: 90 } };
  assert.deepEqual(told(60, { ...world, guests: hung }), [
    '3102 vm3102 does not answer for 1 min, guest runs',
  ]);
});

test('the gravest first, one line for all victims of one shortage, no control characters, under 80 columns', () => {
  const name = `x\u001b[31m${'long'.repeat(40)}`;
  const guests = {
    ...several([101, 102, 103], (index) => ({ cpu_total: 30, cpu_steal: 20 + 10 * index })),
    '3100 hog': { cpu_cores: 8, cpu_total: 80 },
    [`105 ${name}`]: { qmp: 'timeout', qmp_age: 7200 },
  };
  const texts = told(60, { host: { cpu_idle: 0 }, guests });
  assert.match(texts[0] ?? '', /^105 x\?\[31mlong.*~ does not answer for 2 h, guest runs$/);
  assert.equal(texts[1], 'RDY 20-40 % on 3 guests: 3100 hog takes 80 % of 8 CPUs');
  assert.equal(texts.length, 2);
  for (const text of texts) assert.ok(text.length < 80, text);
});

test('what is kept is bounded by the guests that there are', () => {
  const verdicts = new Verdicts();
  for (let second = 0; second < 500; second++) {
    const guests = several([1000 + second], () => ({
      cpu_steal: 40,
      disks: { [`scsi${second}`]: { disk_reads: 100, disk_writes: 0, disk_lat_avg: 90 } },
    }));
    verdicts.add(sampleAt({ host: { cpu_idle: 0 }, guests }, second));
  }
  const sizes = Object.values(verdicts as unknown as Record<string, unknown>).flatMap((value) =>
    value instanceof Map ? [value.size] : value instanceof Followed ? [value.all.length] : [],
  );
  assert.ok(sizes.length >= 3 && sizes.every((size) => size <= 2), sizes.join(' '));
});
