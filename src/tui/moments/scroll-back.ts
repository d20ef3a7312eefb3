import { duration } from '../../verdicts/wording.ts';
import { askTime } from '../sources/instant.ts';
import type { Desk, SourceCommand } from '../sources/source.ts';
import type { Moment } from './moment.ts';
import type { Past } from './past.ts';

/** ms that { and } jump. */
const JUMP = 60_000;
const DAY = 86_400_000;

/** Goes from one moment to another; undefined where there is none. */
type Way = (shown: Moment, isOutdated: () => boolean) => Promise<Moment | undefined>;

/** Which moment a live view shows: the present one, or a past one until the user continues. */
export class ScrollBack {
  readonly commands: readonly SourceCommand[];
  private present: Moment | undefined;
  /** Undefined while the present one is shown. */
  private shown: Moment | undefined;
  private given = 0;
  /** Settles when the commands given so far have had their effect. */
  private work: Promise<void> = Promise.resolve();

  /** @param stand lets the present moment stand as it is for as long as it is shown */
  constructor(
    private readonly past: Past,
    private readonly stand: () => void,
  ) {
    const back: Way = ({ time }) => past.before(time);
    const forward: Way = ({ time }) => past.from(time + 1);
    const { hasHistory } = past;
    const beyond = hasHistory ? '; beyond ten minutes from the history' : ', of the last ten minutes';
    const nothingOlder = hasHistory ? nothingInHistory : nothingInMemory;
    this.commands = [
      command(['Z'], 'Z', 'pause, or return to now', (desk) => {
        if (this.shown === undefined) this.pause(desk);
        else this.toNow(desk);
      }),
      command(['[', ','], '[ ,', `a sample back${beyond}`, (desk) => {
        this.go(back, desk, nothingOlder);
      }),
      command([']', '.'], '] .', 'a sample forward', (desk) => {
        this.go(forward, desk);
      }),
      command(['{'], '{', 'a minute back', (desk) => {
        this.go(({ time }) => this.minuteBack(time), desk, nothingOlder);
      }),
      command(['}'], '}', 'a minute forward', (desk) => {
        this.go(({ time }) => past.from(time + JUMP), desk);
      }),
      command(
        ['J'],
        'J',
        'back to a time: 14:30, 14:30:05, 2026-11-22 14:30, or seconds from here as -90',
        (desk) => {
          const { present, shown = present } = this;
          const jump = (time: number): void => {
            this.go(() => past.from(time), desk);
          };
          if (present !== undefined && shown !== undefined) askTime(desk, shown.time, jump, present.time);
        },
      ),
      command(['!'], '!', 'back to the last moment at which something turned red', (desk) => {
        this.go(({ time }, isOutdated) => past.redBefore(time, isOutdated), desk, nothingRed);
      }),
      command(['G'], 'G', 'return to now', (desk) => {
        this.toNow(desk);
      }),
    ];
  }

  /** Takes the present moment. @returns the one that is to be shown */
  take(present: Moment): Moment {
    this.present = present;
    this.past.keep(present);
    return this.shown ?? present;
  }

  /** Goes back to the present moment. */
  toNow(desk: Desk): void {
    this.do(desk, () => {
      this.shown = undefined;
      if (this.present !== undefined) desk.show(this.present);
    });
  }

  /** Resolves when all commands given so far have had their effect. */
  async idle(): Promise<void> {
    await this.work;
  }

  /** A note that the past is shown, in fewer and fewer words; empty for the present. */
  get note(): readonly string[] {
    const { shown, present } = this;
    if (shown === undefined || present === undefined) return [];
    const moment = new Date(shown.time);
    const day = present.time - shown.time < DAY ? '' : `${moment.toDateString().slice(4, 10)} `;
    const paused = `PAUSED ${day}${moment.toTimeString().slice(0, 8)}`;
    const ago = `${paused}, ${duration(Math.max(0, present.time - shown.time) / 1000)} ago`;
    return [`${ago}; G returns to now`, ago, paused];
  }

  private pause(desk: Desk): void {
    this.do(desk, () => {
      if (this.present === undefined) return;
      this.stand();
      this.shown = this.present;
      desk.show(this.shown);
    });
  }

  /** The moment a minute ago; the oldest there is where nothing is older. */
  private async minuteBack(time: number): Promise<Moment | undefined> {
    const found = await this.past.from(time - JUMP);
    return found !== undefined && found.time < time ? found : undefined;
  }

  /** Goes on from what is shown. @param none what is told where there is no moment to show; missing where that is now */
  private go(way: Way, desk: Desk, none?: string): void {
    this.do(desk, async (isOutdated) => {
      const { shown = this.present } = this;
      const found = shown && (await way(shown, isOutdated));
      if (found === undefined && none !== undefined) {
        if (!isOutdated()) desk.tell(none);
        return;
      }
      const isPast = found !== undefined && found.time < (this.present?.time ?? Infinity);
      this.shown = isPast ? found : undefined;
      const next = this.shown ?? this.present;
      if (next !== undefined) desk.show(next);
    });
  }

  /** Does one command after the other. */
  private do(desk: Desk, act: (isOutdated: () => boolean) => void | Promise<void>): void {
    const number = ++this.given;
    this.work = this.work
      .then(() => act(() => number !== this.given))
      .catch((error: unknown) => {
        desk.tell(`this time cannot be shown: ${(error as Error).message}`);
      });
  }
}

const nothingInHistory = 'nothing older: the view keeps ten minutes, the history of the service more';
const nothingInMemory = 'nothing older: a view of several hosts keeps ten minutes at most';
const nothingRed = 'nothing turned red before this moment';

function command(
  keys: readonly string[],
  label: string,
  help: string,
  act: (desk: Desk) => void,
): SourceCommand {
  return {
    keys,
    label,
    help,
    act: (_, desk) => {
      act(desk);
    },
  };
}
