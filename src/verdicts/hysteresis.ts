/** State of a symptom: beyond the level where it begins, between both levels, below the one where it ends, or unknown. */
export type Standing = 'beyond' | 'between' | 'below' | 'unknown';

/** Seconds for which a symptom must be beyond its level to begin, or below it to end. */
const PERSISTENCE = 5;
/** Seconds that it is shown at least. */
const SHOWN = 15;
/** Samples that it must be beyond its level to begin. */
const SAMPLES = 2;
/** Samples for which nothing is known until it ends. */
const UNKNOWN = 3;

/** Where a value stands between the level where a symptom begins and the lower one where it ends. */
export function standing(value: number, begins: number, ends: number): Standing {
  if (Number.isNaN(value)) return 'unknown';
  return value >= begins ? 'beyond' : value >= ends ? 'between' : 'below';
}

/** Whether one symptom of one guest or device is shown. */
class Hysteresis {
  /** When it got beyond its level the last time; NaN while it is not. */
  private beyond = NaN;
  private samples = 0;
  private below = NaN;
  private shown = NaN;
  private unknown = 0;

  step(now: Standing, time: number, isWarm: boolean): boolean {
    if (now === 'unknown') {
      if (++this.unknown > UNKNOWN) this.shown = this.beyond = NaN;
      return !Number.isNaN(this.shown);
    }
    this.unknown = 0;
    if (now !== 'beyond') this.beyond = NaN;
    else if (Number.isNaN(this.beyond)) [this.beyond, this.samples] = [time, 1];
    else this.samples++;
    if (now !== 'below') this.below = NaN;
    else if (Number.isNaN(this.below)) this.below = time;
    if (Number.isNaN(this.shown)) {
      if (isWarm && time - this.beyond >= PERSISTENCE && this.samples >= SAMPLES) this.shown = time;
    } else if (time - this.below >= PERSISTENCE && time - this.shown >= SHOWN) this.shown = NaN;
    return !Number.isNaN(this.shown);
  }

  /** Whether there is nothing to remember. */
  get isIdle(): boolean {
    return Number.isNaN(this.shown) && Number.isNaN(this.beyond);
  }
}

/** A choice that changes only when another one was better for a while. */
export class Sticky<T> {
  private chosen: T | undefined;
  private other: T | undefined;
  private since = NaN;

  get value(): T | undefined {
    return this.chosen;
  }

  step(candidate: T, time: number): T {
    if (this.chosen === undefined || candidate === this.chosen) {
      this.other = undefined;
      return (this.chosen = candidate);
    }
    if (candidate !== this.other) [this.other, this.since] = [candidate, time];
    if (time - this.since < PERSISTENCE) return this.chosen;
    this.other = undefined;
    return (this.chosen = candidate);
  }
}

/**
 * The symptoms that are watched, by what they are and of whom or of which device. Those of subjects that are gone are
 * forgotten.
 */
export class Symptoms {
  private time = 0;
  private isWarm = false;
  private kept = new Map<string, Map<object, Hysteresis>>();
  private next = new Map<string, Map<object, Hysteresis>>();

  /**
   * Starts a sample.
   * @param time monotonic seconds
   * @param isWarm whether the means have looked back far enough for a symptom to begin
   */
  begin(time: number, isWarm: boolean): void {
    this.time = time;
    this.isWarm = isWarm;
    this.kept = this.next;
    this.next = new Map();
  }

  /**
   * Whether a symptom is shown, which stands so in this sample; asked once a sample.
   * @param subject the signals of the guest or device, which are the same as long as it is there
   */
  shows(symptom: string, subject: object, now: Standing): boolean {
    const before = this.kept.get(symptom)?.get(subject);
    if (before === undefined && now !== 'beyond') return false;
    const state = before ?? new Hysteresis();
    const shown = state.step(now, this.time, this.isWarm);
    if (state.isIdle) return false;
    const next = this.next.get(symptom) ?? new Map<object, Hysteresis>();
    this.next.set(symptom, next.set(subject, state));
    return shown;
  }
}
