import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Player } from '../../src/recording/player.ts';
import type { PlayerPosition } from '../../src/recording/player.ts';
import { Recording } from '../../src/recording/recording.ts';
import { file, printed, samples, start } from './files.ts';

/** A player under way, and what it showed. */
class Played {
  readonly shown: { readonly seq: number; readonly position: PlayerPosition }[] = [];
  readonly events = new EventEmitter();
  readonly stop = new AbortController();
  readonly player: Player;
  readonly ended: Promise<void>;

  /** @param at where it begins, ms since 1970 */
  constructor(
    readonly recording: Recording,
    at?: number,
  ) {
    this.player = new Player(recording, ({ seq }, position) => {
      this.shown.push({ seq, position });
      this.events.emit('shown');
    });
    this.ended = this.player.play(this.stop.signal, at);
  }

  get last(): PlayerPosition & { readonly seq: number } {
    const last = this.shown.at(-1);
    assert.ok(last !== undefined);
    return { ...last.position, seq: last.seq };
  }

  /** Waits until a sample is shown for which something holds. */
  async until(holds: (position: PlayerPosition & { readonly seq: number }) => boolean): Promise<void> {
    while (this.shown.length === 0 || !holds(this.last))
      await once(this.events, 'shown', { signal: AbortSignal.timeout(10_000) });
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.ended;
    await this.player.idle();
    await this.recording.close();
  }
}

async function play(count: number, at?: number): Promise<Played> {
  return new Played(await Recording.open(file('played.json', printed(samples(count), 'json'))), at);
}

test('begins at a time: the sample of then, the next one, and at the end the last one', async () => {
  for (const [seconds, seq] of [
    [-3600, 1],
    [2, 3],
    [2.5, 4],
    [3600, 6],
  ] as const) {
    const played = await play(6, start + seconds * 1000);
    await played.until(() => true);
    assert.equal(played.shown[0]?.seq, seq, `${seconds} s`);
    await played.end();
  }
});

test('plays at the pace of the recording times the speed, and pauses at its end', async () => {
  const played = await play(6);
  for (let press = 0; press < 5; press++) played.player.faster();
  await played.until(({ atEnd }) => atEnd);
  assert.deepEqual([...new Set(played.shown.map(({ seq }) => seq))], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(played.last, { seq: 6, index: 5, paused: true, speed: 32, atEnd: true });
  await played.end();
});

test('steps in both directions, and stays between the ends', async () => {
  const played = await play(4);
  const seqAfter = async (count: number): Promise<number> => {
    played.player.step(count);
    await played.player.idle();
    return played.last.seq;
  };
  assert.equal(await seqAfter(0), 1);
  assert.equal(await seqAfter(1), 2);
  assert.equal(await seqAfter(2), 4);
  assert.equal(await seqAfter(1), 4);
  assert.equal(await seqAfter(-1), 3);
  assert.equal(await seqAfter(-9), 1);
  assert.equal(played.last.paused, true);
  await played.end();
});

test('jumps by time and to a time', async () => {
  const played = await play(300);
  const { player } = played;
  player.togglePause();
  player.jump(60);
  await player.idle();
  assert.equal(played.last.seq, 61);
  player.jump(-30);
  await player.idle();
  assert.equal(played.last.seq, 31);
  player.jumpTo(start + 200_500);
  await player.idle();
  assert.equal(played.last.seq, 202);
  player.jumpToEnd();
  await player.idle();
  assert.deepEqual(played.last, { seq: 300, index: 299, paused: true, speed: 1, atEnd: true });
  player.jumpTo(0);
  await player.idle();
  assert.equal(played.last.seq, 1);
  await played.end();
});

test('a pause holds, and commands given at once all count', async () => {
  const played = await play(50);
  const { player } = played;
  player.togglePause();
  player.faster();
  player.faster();
  player.slower();
  await player.idle();
  assert.deepEqual(played.last, { seq: 1, index: 0, paused: true, speed: 2, atEnd: false });
  for (let press = 0; press < 20; press++) player.faster();
  player.togglePause();
  await player.idle();
  assert.deepEqual([played.last.paused, played.last.speed], [false, 64]);
  await played.until(({ seq }) => seq > 3);
  for (let press = 0; press < 20; press++) player.slower();
  await player.idle();
  assert.equal(played.last.speed, 1 / 8);
  await played.end();
  const { length } = played.shown;
  player.step(1);
  await player.idle();
  assert.equal(played.shown.length, length);
});

test('a night without samples is not waited for', async () => {
  const list = samples(3).map((sample, index) => ({ ...sample, time: start + index * 8 * 3600_000 }));
  const played = new Played(await Recording.open(file('gap.json', printed(list, 'json'))));
  played.player.faster();
  await played.until(({ atEnd }) => atEnd);
  assert.equal(played.last.seq, 3);
  await played.end();
});

test('a file that cannot be read any more ends the playing with an error', async () => {
  const played = await play(5);
  await played.until(() => true);
  await played.recording.close();
  played.player.step(1);
  await assert.rejects(played.ended);
});
