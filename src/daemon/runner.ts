import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { allOutputs } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import type { OutputSet } from '../delivery/output-set.ts';
import type { History } from '../history/history.ts';
import { sleep } from '../sampling/clock.ts';
import type { SampleLoop } from '../sampling/loop.ts';
import type { Sample } from '../sampling/sample.ts';
import { SinceStart } from '../sampling/since-start.ts';
import type { Consumer } from './consumer.ts';
import { setLogLevel } from './logging.ts';
import { samplesAlike, startSampling } from './sampling.ts';
import type { Service } from './service.ts';

const DAY = 86_400_000;

/**
 * Samples into the outputs as configured; settings can be replaced between two samples.
 *
 *     sampling ──change, refuse──> reloading ──last request handled──> sampling
 *
 * Requests that come during a reload, which may wait for a hypervisor to be found, replace each other: the last one counts,
 * even if it equals the running settings. Counts since the start and `runs` continue.
 */
export class Runner {
  private settings: Settings | undefined;
  /** Undefined while there is no output to sample for. */
  private loop: SampleLoop | undefined;
  /** The newest requested settings that were not handled yet. */
  private next: Settings | undefined;
  /** Why the file that was read last cannot run; undefined when it can. */
  private refusal: string | undefined;
  /** Whether there is a request that was not handled yet. */
  private wished = false;
  private pause = new AbortController();
  private readonly since = new SinceStart();
  /** Samples that were handed on. */
  private taken = 0;

  /** @param sampling prepares to sample; another one only in tests */
  constructor(
    private readonly consumer: Pick<Consumer, 'collectors' | 'take' | 'watcher' | 'others'>,
    private readonly outputs: Pick<OutputSet, 'list' | 'write' | 'reopen' | 'replace'>,
    private readonly history: Pick<History, 'replace' | 'write'>,
    private readonly service: Pick<Service, 'idle' | 'sampled' | 'reloaded'>,
    private readonly log: Logger,
    private readonly sampling: typeof startSampling = startSampling,
  ) {}

  /** The settings that it runs with. */
  get running(): Settings | undefined {
    return this.settings;
  }

  /** Prepares to run with these settings. @throws Error with a message for the user when that cannot be */
  async begin(settings: Settings): Promise<void> {
    await this.replace(settings, () => false);
  }

  /** Samples until the runs are done or `stop` is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      if (this.wished) await this.reload(stop);
      else if (await this.sample(stop)) return;
    }
  }

  /** Runs with other settings from the next sample on, and reopens files. Where they cannot be run nothing changes. */
  change(settings: Settings): void {
    this.next = settings;
    this.refusal = undefined;
    this.wish();
  }

  /** Goes on with the settings that were asked for before, for new ones are wrong; reopens files. */
  refuse(why: string): void {
    this.refusal = why;
    this.wish();
  }

  close(): void {
    this.loop?.close();
  }

  private wish(): void {
    this.wished = true;
    this.pause.abort();
  }

  /** Handles the last request, and those that come meanwhile. */
  private async reload(stop: AbortSignal): Promise<void> {
    let failure: string | undefined;
    while (this.wished && !stop.aborted) {
      this.wished = false;
      const { next } = this;
      this.next = undefined;
      if (next !== undefined) failure = await this.apply(next, stop);
    }
    if (stop.aborted) return;
    const why = this.refusal ?? failure;
    this.outputs.reopen();
    if (why !== undefined) this.log.error(`reload failed, the old configuration stays in effect: ${why}`);
    this.service.reloaded(why);
  }

  /** @returns why that cannot be; undefined when it could, or when something newer is to be applied instead */
  private async apply(settings: Settings, stop: AbortSignal): Promise<string | undefined> {
    if (isDeepStrictEqual(settings, this.settings)) {
      this.log.debug('the configuration has not changed');
      return undefined;
    }
    try {
      const runs = await this.replace(settings, () => stop.aborted || this.next !== undefined);
      if (runs) this.log.info('the new configuration is in effect');
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /**
   * Makes settings the present ones.
   * @param outdated whether that is no longer wanted; asked before anything changes
   * @returns false if so
   */
  private async replace(settings: Settings, outdated: () => boolean): Promise<boolean> {
    const loop = await this.loopFor(settings);
    const before = this.loop;
    let unused = loop;
    try {
      if (outdated()) return false;
      await this.outputs.replace(allOutputs(settings));
      this.history.replace(settings.history);
      unused = before;
    } finally {
      if (loop !== before) unused?.close();
    }
    this.loop = loop;
    this.settings = settings;
    setLogLevel(settings.logLevel);
    return true;
  }

  /** The present loop where it samples the same, else a new one; undefined where nobody wants samples. */
  private async loopFor(settings: Settings): Promise<SampleLoop | undefined> {
    const { consumer, loop, settings: before } = this;
    if (!isWanted(settings) && consumer.watcher === undefined) return undefined;
    if (loop !== undefined && before !== undefined && samplesAlike(before, settings)) return loop;
    return this.sampling(settings, consumer, this.log, this.since);
  }

  /** @returns whether it came to its end by itself: all runs are done */
  private async sample(stop: AbortSignal): Promise<boolean> {
    this.pause = new AbortController();
    const until = AbortSignal.any([stop, this.pause.signal]);
    const { runs = Infinity, frequency = NaN } = this.settings ?? {};
    const { loop } = this;
    if (loop === undefined) {
      await this.idle(until);
      return false;
    }
    const left = runs - this.taken;
    if (left <= 0) return true;
    const wanted = this.settings !== undefined && isWanted(this.settings);
    const emit = (sample: Sample): void => {
      this.taken++;
      const shown = this.consumer.take(sample, wanted);
      this.outputs.write(forOutputs(shown, this.settings));
      this.history.write(shown);
      this.service.sampled(sample.guests.length, frequency);
    };
    const pace = this.consumer.watcher?.pace;
    await loop.run({ runs: left, outputs: this.outputs.list, emit, pace }, until);
    return !until.aborted;
  }

  private async idle(stop: AbortSignal): Promise<void> {
    const why = 'no output is configured: describe an [output.NAME] in the configuration file, then reload';
    this.log.warn(why);
    this.service.idle(why);
    while (await sleep(DAY, stop));
  }
}

/** Whether somebody gets the samples. */
function isWanted(settings: Settings): boolean {
  return settings.history !== undefined || allOutputs(settings).length > 0;
}

/** A sample as it is without a history, which may want more to be measured than outputs do. */
function forOutputs(sample: Sample, settings: Settings | undefined): Sample {
  if (settings?.history === undefined || settings.history.collectors.length === settings.collectors.length)
    return sample;
  const wanted: readonly string[] = settings.collectors;
  return { ...sample, collectors: sample.collectors.filter((name) => wanted.includes(name)) };
}
