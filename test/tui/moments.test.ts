import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { openHistory } from '../../src/daemon/view/open-history.ts';
import { Attention } from '../../src/guests/attention.ts';
import { historyDirectory } from '../../src/history/files.ts';
import { HistoryWriter } from '../../src/history/writer.ts';
import { collectorNames, slots } from '../../src/catalogue/catalogue.ts';
import type { Playable } from '../../src/recording/player.ts';
import { Recording } from '../../src/recording/recording.ts';
import { Pace } from '../../src/sampling/pace.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { JudgedRecording } from '../../src/tui/moments/judged-recording.ts';
import type { Moment } from '../../src/tui/moments/moment.ts';
import { MomentMaker } from '../../src/tui/moments/moment-maker.ts';
import { Past } from '../../src/tui/moments/past.ts';
import { RecentSamples } from '../../src/tui/moments/recent-samples.ts';
import type { PromptQuestion } from '../../src/tui/prompt.ts';
import { LiveSource } from '../../src/tui/sources/live-source.ts';
import { heldValue } from '../../src/tui/values/held.ts';
import { file, printed } from '../recording/files.ts';
import { sampleAt } from '../verdicts/world.ts';
import type { World } from '../verdicts/world.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'proxtop-moments-'));
after(() => {
  rmSync(stateDir, { recursive: true });
});

const calm: World = { guests: { '3100 ci': { cpu_cores: 8, cpu_total: 80 }, '3102 pg': {} } };
const starved: World = {
  host: { cpu_idle: 0 },
  guests: { ...calm.guests, '3102 pg': { cpu_total: 30, cpu_steal: 40, cpu_steal_max: 40 } },
};
const suffers = /^3102 pg RDY \d+ %/;

/** A guest waits for CPUs in the seconds 100 to 139, and nothing is wrong before and after. */
function worldAt(second: number): World {
  return second >= 100 && second < 140 ? starved : calm;
}

function samples(from: number, to: number): Sample[] {
  return Array.from({ length: to - from }, (_, index) => sampleAt(worldAt(from + index), from + index));
}

const start = sampleAt(calm, 0).time;
const secondOf = (moment: Moment | undefined): number => ((moment?.time ?? NaN) - start) / 1000;
const texts = (moment: Moment | undefined): readonly string[] =>
  moment?.verdicts.map(({ text }) => text) ?? [];

/** What can be seen of a moment. */
function seen({ sample, verdicts, isWarm }: Moment): unknown {
  return {
    time: sample.time,
    isWarm,
    host: [...sample.host.row.values],
    guests: sample.guests.map(({ guest, row, disks }) => [
      guest.key,
      guest.name,
      [...row.values],
      disks.length,
    ]),
    verdicts: verdicts.map(({ victims, takers, ...verdict }) => ({
      ...verdict,
      victims: victims.map(({ guest, device, suffers }) => [guest.guest.key, device, suffers]),
      takers: takers.map(({ guest, name, share, amount }) => [guest?.guest.key, name, share, amount]),
    })),
  };
}

test('what was shown is shown again, with its verdicts, out of memory', async () => {
  const maker = new MomentMaker();
  const recent = new RecentSamples();
  const shown: unknown[] = [];
  for (const sample of samples(0, 180)) {
    const moment = maker.take(sample);
    shown.push(seen(moment));
    recent.keep(moment);
  }
  const again = async (second: number): Promise<Moment> => {
    const moment = await recent.from(start + second * 1000);
    assert.ok(moment !== undefined);
    return moment;
  };
  for (const when of ['as they came', 'compressed']) {
    for (const second of [0, 60, 130, 179]) assert.deepEqual(seen(await again(second)), shown[second], when);
    while (recent.bytes > 180 * 1000) await sleep(1);
  }
  assert.match(texts(await again(130)).join(), suffers);
  assert.equal(secondOf(await recent.before(start + 130_000)), 129);
  assert.equal(await recent.before(start), undefined);
  assert.equal(await recent.from(start + 180_000), undefined);
  const red = recent.redBefore(Infinity) ?? NaN;
  assert.ok(red > start + 105_000 && red < start + 160_000);
  assert.match(texts(await recent.from(red)).join(), suffers);
  let first = red;
  for (let found: number | undefined = red; found !== undefined; found = recent.redBefore(found))
    first = found;
  assert.match(texts(await recent.from(first)).join(), suffers);
  assert.deepEqual(texts(await recent.before(first)), [], 'nothing before it began');
  assert.equal(recent.redBefore(first), undefined);
});

/** A host of 250 guests, all of which have other values in each second; the monitor of one in three has just missed. */
function manyAt(second: number): Sample {
  const guests = Array.from({ length: 250 }, (_, index) => {
    const isSilent = index % 3 === 0 && second % 2 === 1;
    const known = { cpu_total: (index + second) % 100, ...(isSilent && { qmp: 'timeout', qmp_age: 1 }) };
    return [`${1000 + index} vm`, isSilent ? known : { ...known, ram_free: index + second }] as const;
  });
  return sampleAt({ guests: Object.fromEntries(guests) }, second);
}

test('a key that is obeyed while a moment is made finds the one before as it was', () => {
  const { ram_free: slot } = slots('mem', 'vm');
  const all = ({ sample, ...rest }: Moment): unknown => [
    seen({ sample, ...rest }),
    sample.guests.map(({ row }) => heldValue(row, slot)),
  ];
  let [shown, before]: [Moment | undefined, unknown] = [undefined, undefined];
  let looks = 0;
  const maker = new MomentMaker(undefined, () => {
    looks++;
    if (shown !== undefined && looks % 50 < 3) assert.deepEqual(all(shown), before);
  });
  for (let second = 0; second < 5; second++) {
    looks = 0;
    shown = maker.take(manyAt(second));
    assert.ok(looks > 250, 'attended to before each guest, and between what is made of all');
    before = all(shown);
  }
  maker.release();
  // One that was paused is looked at while others are made.
  for (let second = 5; second < 8; second++) maker.take(manyAt(second));
  assert.ok(shown !== undefined);
  assert.deepEqual(all(shown), before);
});

test('moments of many guests are kept and shown again piece by piece, in which keys are obeyed', async () => {
  const maker = new MomentMaker();
  let looks = 0;
  const recent = new RecentSamples(undefined, () => looks++);
  const shown: unknown[] = [];
  for (let second = 0; second < 3; second++) {
    looks = 0;
    const moment = maker.take(manyAt(second));
    recent.keep(moment);
    assert.equal(looks, 2, 'after each hundred guests');
    shown.push(seen(moment));
  }
  const found: unknown[] = [];
  const work = recent.from(start + 1000).then((moment) => found.push(moment && seen(moment)));
  await turn();
  assert.deepEqual(found, [], 'the event loop turns meanwhile');
  await work;
  assert.deepEqual(found, [shown[1]]);
});

test('memory is bounded: by ten minutes, and by bytes, of which the oldest go first', async () => {
  const maker = new MomentMaker();
  const recent = new RecentSamples();
  for (const sample of samples(0, 700)) recent.keep(maker.take(sample));
  assert.equal(secondOf(await recent.from(0)), 99);
  const small = new RecentSamples({ time: 600_000, bytes: 40_000 });
  for (const sample of samples(0, 700)) {
    small.keep(maker.take(sample));
    assert.ok(small.bytes <= 40_000, `${small.bytes} bytes`);
  }
  await turn();
  assert.ok(secondOf(await small.from(0)) > 650);
  assert.equal(secondOf(await small.before(Infinity)), 699);
});

test('who steps on after a jump back waits once: what comes before is judged there, and then sample by sample', async () => {
  const all = samples(0, 900);
  let asked = 0;
  const counted: Playable = {
    length: all.length,
    timeAt: (index) => all[index]?.time ?? NaN,
    has: (index) => Promise.resolve(index < all.length),
    indexAt: (time) =>
      Promise.resolve(
        Math.max(
          0,
          all.findIndex((each) => each.time >= time),
        ),
      ),
    at: (index) => {
      asked++;
      return Promise.resolve(all[index]);
    },
  };
  const judged = new JudgedRecording(counted);
  for (let index = 0; index < 900; index++) await judged.at(index);
  // More than values are remembered of, less than what was found.
  await judged.at(150);
  asked = 0;
  for (let index = 151; index < 170; index++) await judged.at(index);
  assert.ok(asked <= 2 * 19, `${asked} samples for 19 steps`);
});

test('keys are obeyed while it is judged what comes before a moment, and while something red is searched', async () => {
  const all = samples(0, 20);
  const slow: Playable = {
    length: all.length,
    timeAt: (index) => all[index]?.time ?? NaN,
    has: (index) => Promise.resolve(index < all.length),
    indexAt: () => Promise.resolve(0),
    at: (index) => {
      // As long as a sample of many guests takes, which was in memory.
      for (const began = performance.now(); performance.now() - began < 11;);
      return Promise.resolve(all[index]);
    },
  };
  const judged = new JudgedRecording(slow);
  const turnsWhile = async (work: Promise<unknown>): Promise<number> => {
    let [turns, isOver] = [0, false];
    const over = work.then(() => (isOver = true));
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await over;
    return turns;
  };
  assert.ok((await turnsWhile(judged.at(19))) >= 18);
  assert.ok((await turnsWhile(judged.redBefore(19, () => false))) >= 18);
});

test('a recording has the verdicts of its time wherever one jumps to, and back step by step', async () => {
  const recording = await Recording.open(
    file('judged.json', printed(samples(0, 300), 'json', { devices: true, verbose: true })),
  );
  const judged = new JudgedRecording(recording);
  const maker = new MomentMaker();
  const shown = samples(0, 300).map((sample) => texts(maker.take(sample)));
  for (const second of [135, 134, 133, 120, 250, 130, 131, 90, 299])
    assert.deepEqual(texts(await judged.at(second)), shown[second], `second ${second}`);
  assert.equal(await judged.at(300), undefined);
  const red = (await judged.redBefore(299, () => false)) ?? NaN;
  assert.match(texts(await judged.at(red)).join(), suffers);
  let first = red;
  for (
    let found: number | undefined = red;
    found !== undefined;
    found = await judged.redBefore(found, () => false)
  )
    first = found;
  assert.deepEqual(texts(await judged.at(first - 1)), []);
  assert.equal(await judged.redBefore(first, () => false), undefined);
  assert.equal(await judged.redBefore(299, () => true), undefined, 'nobody waits for it any more');
  await recording.close();
});

test('a recording has the last minute of values wherever one jumps to, after a jump back too', async () => {
  const all = printed(samples(0, 300), 'json', { devices: true, verbose: true });
  const recording = await Recording.open(file('values.json', all));
  const judged = new JudgedRecording(recording);
  for (const second of [250, 130, 250, 249, 250, 251, 131]) {
    const moment = await judged.at(second);
    const [{ guest } = assert.fail()] = moment?.sample.guests ?? [];
    const [steps = []] =
      moment?.recent.steps({ scope: 'vm', id: 'cpu_total' }, [guest.key], 30, moment.time) ?? [];
    assert.deepEqual(steps.slice(-15), Array<number>(15).fill(80), `second ${second}`);
  }
  await recording.close();
});

/** A live view under way. */
class Live {
  readonly said: string[] = [];
  shown: Moment | undefined;
  question: PromptQuestion | undefined;
  readonly source: LiveSource;

  constructor(past: Past) {
    this.source = new LiveSource(new Pace(1), new Attention(), new AbortController(), past);
  }

  take(all: readonly Sample[]): void {
    for (const sample of all) this.shown = this.source.take(sample);
  }

  /** Presses a key, and waits until it has done what it does. */
  async press(key: string): Promise<number> {
    const desk = {
      tell: (text: string) => this.said.push(text),
      ask: (question: PromptQuestion) => {
        this.question = question;
      },
      show: (moment: Moment) => {
        this.shown = moment;
      },
    };
    this.source.commands.find(({ keys }) => keys.includes(key))?.act(key, desk);
    await this.source.idle();
    return secondOf(this.shown);
  }
}

test('the live view pauses, scrolls back and returns to now, while sampling goes on', async () => {
  const live = new Live(new Past(() => Promise.resolve(undefined)));
  live.take(samples(0, 200));
  assert.deepEqual(live.source.note, []);
  assert.equal(await live.press('Z'), 199);
  const [frozen] = live.shown === undefined ? [] : [seen(live.shown)];
  live.take(samples(200, 320));
  assert.equal(JSON.stringify(live.shown && seen(live.shown)), JSON.stringify(frozen), 'it stands');
  const at = new Date(start + 199_000).toTimeString().slice(0, 8);
  assert.deepEqual(live.source.note, [
    `PAUSED ${at}, 2 min ago; G returns to now`,
    `PAUSED ${at}, 2 min ago`,
    `PAUSED ${at}`,
  ]);
  assert.equal(await live.press('['), 198);
  assert.equal(await live.press('{'), 138);
  assert.match(texts(live.shown).join(), suffers);
  assert.equal(await live.press(']'), 139);
  assert.equal(await live.press('}'), 199);
  assert.equal(await live.press('}'), 259);
  assert.equal(await live.press('}'), 319, 'a minute further on is now');
  assert.deepEqual(live.source.note, []);
  const red = await live.press('!');
  assert.ok(red > 100 && red < 160);
  assert.match(texts(live.shown).join(), suffers);
  const first = await live.press('!');
  assert.ok(first > 100 && first < red, 'it was explained otherwise before');
  for (let count = 0; count < 3; count++) await live.press('!');
  assert.match(live.said.join(), /nothing turned red before this moment/);
  assert.equal(await live.press('G'), 319);
  await live.press('J');
  live.question?.answered('-70');
  await live.source.idle();
  assert.equal(secondOf(live.shown), 249);
  assert.equal(await live.press('space'), 319, 'space samples now, and shows it');
  for (let count = 0; count < 6; count++) await live.press('{');
  assert.equal(secondOf(live.shown), 0, 'the oldest there is');
  assert.equal(await live.press('['), 0);
  assert.match(live.said.at(-1) ?? '', /nothing older/);
});

test('beyond what is in memory the live view reads the history of the host', async () => {
  const settings = {
    directory: historyDirectory(stateDir),
    interval: 10,
    // Of the samples, which are of some day.
    keep: Infinity,
    maxBytes: 2 ** 30,
    collectors: collectorNames,
  };
  const writer = new HistoryWriter(settings, pino({ level: 'silent' }));
  for (const sample of samples(0, 300)) writer.write(sample);
  await writer.close(60_000);
  const live = new Live(new Past(() => openHistory({ stateDir })));
  live.take(samples(300, 340));
  assert.equal(await live.press('{'), 280);
  assert.equal(await live.press('['), 270);
  const red = await live.press('!');
  assert.ok(red > 100 && red <= 160, `${red} s`);
  assert.match(texts(live.shown).join(), suffers);
  assert.equal(await live.press(']'), red + 10);
  for (let count = 0; count < 3; count++) await live.press('}');
  assert.ok(secondOf(live.shown) >= 300, 'memory goes on where the history is later');
  assert.equal(await live.press('G'), 339);
});

test('without a history ten minutes are all there is, and that is said', async () => {
  const live = new Live(new Past(() => openHistory({ stateDir: join(stateDir, 'none') })));
  live.take(samples(0, 5));
  assert.equal(await live.press('{'), 0);
  assert.equal(await live.press('!'), 0);
  assert.match(live.said.join(), /nothing turned red/);
});
