import type { Sample } from '../sampling/sample.ts';

/** What a player shows: a sample, or the samples of several hosts at a time. */
type Timed = Pick<Sample, 'interval'>;

/** A gap of more than so many intervals is not waited for. */
const GAP = 3;
/** ms to wait where the recording does not tell. */
const USUAL_PAUSE = 1000;
const slowest = 1 / 8;
const fastest = 64;

/** Samples that can be looked at in any order, by their numbers from 0; or what is made of each. */
export interface Playable<T = Sample> {
  /** Samples found so far. */
  readonly length: number;
  /** When sample `index`, one found so far, was taken, ms since 1970; NaN for others. */
  timeAt(index: number): number;
  /** Whether there is a sample number `index`. */
  has(index: number): Promise<boolean>;
  /** Sample number `index`; undefined behind the last one. Numbers behind a damaged one may go down by this. */
  at(index: number): Promise<T | undefined>;
  /** The number of the first sample taken at a time (ms since 1970) or after it; of the last one if there is none. */
  indexAt(time: number): Promise<number>;
}

/** Where a player is. */
export interface PlayerPosition {
  /** Number of the sample shown, from 0. */
  readonly index: number;
  readonly paused: boolean;
  /** Seconds of the recording in one second. */
  readonly speed: number;
  /** Whether the sample shown is the last one. */
  readonly atEnd: boolean;
}

/**
 * Shows the samples of a recording at the pace at which they were taken, times a speed. Commands take effect in the
 * order in which they are given; each shows a sample, so that its effect is seen. At its end the player pauses.
 */
export class Player<T extends Timed = Sample> {
  private index = 0;
  private paused = false;
  private atEnd = false;
  private speed = 1;
  private stopped = false;
  /** ms from the sample shown to the one before it; NaN where not known. */
  private interval = NaN;
  private timer: NodeJS.Timeout | undefined;
  /** Commands given so far; they are done when `work` settles. */
  private given = 0;
  private work: Promise<void> = Promise.resolve();
  private settle: { readonly done: () => void; readonly failed: (error: unknown) => void } | undefined;

  /** @param show takes each sample, and has read it when it returns */
  constructor(
    private readonly recording: Playable<T>,
    private readonly show: (sample: T, position: PlayerPosition) => void,
  ) {}

  get position(): PlayerPosition {
    return { index: this.index, paused: this.paused, speed: this.speed, atEnd: this.atEnd };
  }

  /**
   * Plays until `stop` is aborted. Rejects when the file cannot be read any more.
   *
   * @param at where to begin, ms since 1970; the first sample where it is not given
   */
  play(stop: AbortSignal, at?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = { done: resolve, failed: reject };
      const end = (): void => {
        this.end();
        resolve();
      };
      if (stop.aborted) {
        end();
        return;
      }
      stop.addEventListener('abort', end, { once: true });
      this.do(() => (at === undefined ? this.goTo(0) : this.goToTime(at)));
    });
  }

  /** Pauses, or goes on. */
  togglePause(): void {
    this.do(() => {
      this.paused = !this.paused;
      return this.goTo(this.index);
    });
  }

  /** Pauses and shows the sample so many further on, or back where negative. */
  step(count: number): void {
    this.do(() => {
      this.paused = true;
      return this.goTo(this.index + count);
    });
  }

  /** Shows the sample so many seconds further on, or back where negative. */
  jump(seconds: number): void {
    this.do(() => this.goToTime(this.recording.timeAt(this.index) + seconds * 1000));
  }

  /** Shows the first sample taken at a time, ms since 1970, or after it. */
  jumpTo(time: number): void {
    this.do(() => this.goToTime(time));
  }

  /** Shows the last sample. */
  jumpToEnd(): void {
    this.jumpTo(Infinity);
  }

  /**
   * Pauses, and shows the sample that is found, or the present one again where none is.
   *
   * @param find is given the number of the sample shown; its result is ignored once `isOutdated`, when another command was
   * given
   */
  seek(find: (index: number, isOutdated: () => boolean) => Promise<number | undefined>): void {
    this.do(async (isOutdated) => {
      const found = await find(this.index, isOutdated);
      if (isOutdated()) return;
      this.paused ||= found !== undefined;
      await this.goTo(found ?? this.index);
    });
  }

  faster(): void {
    this.changeSpeed(2);
  }

  slower(): void {
    this.changeSpeed(0.5);
  }

  /** Resolves when all commands given so far have had their effect. */
  async idle(): Promise<void> {
    await this.work;
  }

  private changeSpeed(factor: number): void {
    this.do(() => {
      this.speed = Math.min(fastest, Math.max(slowest, this.speed * factor));
      return this.goTo(this.index);
    });
  }

  private do(command: (isOutdated: () => boolean) => Promise<void>): void {
    const number = ++this.given;
    this.work = this.work.then(async () => {
      if (this.stopped) return;
      clearTimeout(this.timer);
      try {
        await command(() => number !== this.given || this.stopped);
      } catch (error) {
        this.end();
        this.settle?.failed(error);
      }
    });
  }

  private async goToTime(time: number): Promise<void> {
    await this.goTo(await this.recording.indexAt(time));
  }

  /** Shows a sample, the first or last one where there is none of that number, and sets the timer for the next. */
  private async goTo(wanted: number): Promise<void> {
    const { recording } = this;
    let index = Math.max(0, wanted);
    if (!(await recording.has(index))) index = recording.length - 1;
    const sample = await recording.at(index);
    // Damaged samples at the end were forgotten just now.
    if (sample === undefined) {
      if (recording.length > 0) await this.goTo(recording.length - 1);
      return;
    }
    this.index = index;
    this.interval = sample.interval * 1000;
    this.atEnd = !(await recording.has(index + 1));
    if (this.atEnd) this.paused = true;
    if (this.stopped) return;
    this.show(sample, this.position);
    if (!this.paused) this.wait();
  }

  private wait(): void {
    const { recording } = this;
    const apart = recording.timeAt(this.index + 1) - recording.timeAt(this.index);
    const usual = this.interval > 0 ? this.interval : USUAL_PAUSE;
    const pause = apart > 0 && apart <= GAP * usual ? apart : usual;
    this.timer = setTimeout(() => {
      this.do(() => this.goTo(this.index + 1));
    }, pause / this.speed);
  }

  private end(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}
