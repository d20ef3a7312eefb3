import type { Player } from '../../recording/player.ts';
import type { JudgedRecording } from '../moments/judged-recording.ts';
import type { Moment } from '../moments/moment.ts';
import { askTime } from './instant.ts';
import type { Desk, Source, SourceCommand } from './source.ts';

/** Seconds that { and } jump. */
const JUMP = 60;

/** What a command needs: what plays, out of which recording, and the time of the sample shown, ms since 1970. */
interface Playing {
  readonly recording: JudgedRecording;
  readonly player: Player<Moment>;
  readonly time: () => number;
}

/** The keys of a replay. */
export const replayCommands = [
  command(['space', 'Z'], 'space Z', 'pause, or go on', ({ player }) => {
    player.togglePause();
  }),
  command([']', '.'], '] .', 'pause and step forward', ({ player }) => {
    player.step(1);
  }),
  command(['[', ','], '[ ,', 'pause and step back', ({ player }) => {
    player.step(-1);
  }),
  command(['+', '='], '+', 'twice as fast', ({ player }) => {
    player.faster();
  }),
  command(['-'], '-', 'half as fast', ({ player }) => {
    player.slower();
  }),
  command(['}'], '}', 'a minute forward', ({ player }) => {
    player.jump(JUMP);
  }),
  command(['{'], '{', 'a minute back', ({ player }) => {
    player.jump(-JUMP);
  }),
  command(['G'], 'G', 'to the last sample', ({ player }) => {
    player.jumpToEnd();
  }),
  command(
    ['J'],
    'J',
    'to a time: 14:30, 14:30:05, 2026-11-22 14:30, or seconds from here as +90 or -90',
    ({ player, time }, desk) => {
      askTime(desk, time(), (wanted) => {
        player.jumpTo(wanted);
      });
    },
  ),
  command(
    ['!'],
    '!',
    'pause at the last moment at which something turned red',
    ({ player, recording }, desk) => {
      player.seek(async (index, isOutdated) => {
        const found = await recording.redBefore(index, isOutdated);
        if (found === undefined && !isOutdated()) desk.tell('nothing turned red before this moment');
        return found;
      });
    },
  ),
] as const;

/** The samples of a recording. */
export class ReplaySource implements Source, Playing {
  readonly interval = undefined;
  readonly commands: readonly SourceCommand[] = replayCommands.map(({ act, ...rest }) => ({
    ...rest,
    act: (_: string, desk: Desk) => {
      act(this, desk);
    },
  }));

  /** @param time of the sample shown, ms since 1970 */
  constructor(
    readonly recording: JudgedRecording,
    readonly player: Player<Moment>,
    readonly time: () => number,
    private readonly stop: AbortController,
  ) {}

  get note(): readonly string[] {
    const { paused, speed, atEnd } = this.player.position;
    if (atEnd) return ['replay, at its end'];
    return [paused ? 'replay, paused' : `replay x${speed}`];
  }

  quit(): void {
    this.stop.abort();
  }
}

function command(
  keys: readonly string[],
  label: string,
  help: string,
  act: (playing: Playing, desk: Desk) => void,
): { keys: readonly string[]; label: string; help: string; act: typeof act } {
  return { keys, label, help, act };
}
