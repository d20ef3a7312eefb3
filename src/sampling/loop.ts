import type { Logger } from 'pino';
import type { Inventory } from '../guests/inventory.ts';
import { Clock, sleep } from './clock.ts';
import type { ObservedOutput } from './output-status.ts';
import type { Pace } from './pace.ts';
import type { Sample } from './sample.ts';
import type { Sampler } from './sampler.ts';

/** ms between the two polls that the first sample's disk rates are derived from. */
const PRIMING_PAUSE = 200;
/**
 * What monitors have to answer these polls, in ms, less what it took to open the VMs and will take to read them: with 1000
 * of them about a second each on a busy machine, and the first sample is to come within 5 s.
 */
const PRIMING_DEADLINE = 2000;
/** The first sample does not wait for the tick of a long interval, but at most this long. ms. */
const PRIMING_INTERVAL = 1000;

/** What becomes of the samples. */
interface LoopSettings {
  /** Samples to take; Infinity for no end. */
  readonly runs: number;
  readonly outputs: readonly ObservedOutput[];
  /** Takes each sample; has read it when it returns. */
  readonly emit: (sample: Sample) => void;
  /** Pace of a view; undefined for the frequency of the loop. */
  readonly pace: Pace | undefined;
}

/** Samples on the ticks of the clock. */
export class SampleLoop {
  private clock: Clock | undefined;
  /** Whether the last cycle failed. */
  private failing = false;

  /** @param frequency seconds between samples */
  constructor(
    private readonly sampler: Sampler,
    private readonly inventory: Inventory,
    private readonly frequency: number,
    private readonly log: Logger,
  ) {}

  /** Samples until `runs` are done or `stop` is aborted. Called again, it continues on the same ticks. */
  async run(settings: LoopSettings, stop: AbortSignal): Promise<void> {
    const clock = await this.begin(stop);
    if (clock === undefined) return;
    for (let run = 1; ; run++) {
      this.cycle(clock, settings);
      if (run >= settings.runs) return;
      void this.poll(false);
      if (!(await this.next(clock, settings.pace, stop))) return;
    }
  }

  close(): void {
    this.sampler.since.missedTicks += this.clock?.missed ?? 0;
    this.sampler.close();
  }

  /** A failure costs one sample and does not end the program. */
  private cycle(clock: Clock, { outputs, emit }: LoopSettings): void {
    const started = performance.now();
    try {
      emit(this.sampler.sample(clock.missed, outputs));
      if (this.failing) this.log.info('sampling works again');
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.log.error(error, 'sampling failed');
      this.failing = true;
    }
    this.sampler.agent.cycleTook(performance.now() - started);
  }

  /** Waits for the next tick, or until somebody wants a sample; false when `stop` was aborted before. */
  private async next(clock: Clock, pace: Pace | undefined, stop: AbortSignal): Promise<boolean> {
    if (pace === undefined) return clock.tick(stop);
    while (!stop.aborted) {
      clock.change(pace.frequency * 1000);
      if ((await clock.tick(pace.until(stop))) || pace.takeWish()) break;
    }
    return !stop.aborted;
  }

  /** Waits for the first tick, or for the next one; undefined when `stop` was aborted before. */
  private async begin(stop: AbortSignal): Promise<Clock | undefined> {
    const interval = this.frequency * 1000;
    if (this.clock !== undefined) return (await this.clock.tick(stop)) ? this.clock : undefined;
    if (!(await this.prime(stop))) return undefined;
    const first = new Clock(Math.min(interval, PRIMING_INTERVAL), this.log);
    if (!(await first.tick(stop))) return undefined;
    return (this.clock = new Clock(interval, this.log));
  }

  /**
   * Reads everything once and asks every monitor twice, so that the first sample has rates. It does not wait for one
   * that hangs.
   */
  private async prime(stop: AbortSignal): Promise<boolean> {
    const primed = new AbortController();
    const began = performance.now();
    this.sampler.guests();
    const deadline = Math.max(0, PRIMING_DEADLINE - 2 * (performance.now() - began));
    const late = sleep(deadline, AbortSignal.any([stop, primed.signal]));
    await Promise.race([this.poll(true), late]);
    this.sampler.prime();
    if (!(await sleep(PRIMING_PAUSE, stop))) return false;
    await Promise.race([this.poll(true), late]);
    primed.abort();
    return !stop.aborted;
  }

  /** Never rejects. */
  private async poll(everyone: boolean): Promise<void> {
    try {
      await this.inventory.poll(everyone);
    } catch (error) {
      this.log.error(error, 'polling the monitors failed');
    }
  }
}
