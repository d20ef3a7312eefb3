import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { allOutputs } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import type { OutputSet } from '../outputs/output-set.ts';
import { sleep } from '../sampling/clock.ts';
import type { SampleLoop } from '../sampling/loop.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Consumer } from './consumer.ts';
import { setLogLevel } from './logging.ts';
import { samplesAlike, startSampling } from './sampling.ts';
import type { Service } from './service.ts';

const DAY = 86_400_000;

/** Samples into the outputs, as the settings say; between two samples others can take their place. */
export class Runner {
  private settings: Settings | undefined;
  /** Undefined while there is no output to sample for. */
  private loop: SampleLoop | undefined;
  /** Settings that are to take the place of the present ones. */
  private next: Settings | undefined;
  private pause = new AbortController();

  constructor(
    private readonly consumer: Pick<Consumer, 'collectors' | 'take' | 'watcher'>,
    private readonly outputs: OutputSet,
    private readonly service: Service,
    private readonly log: Logger,
  ) {}

  /** Prepares to run with these settings. @throws Error with a message for the user when that cannot be */
  async begin(settings: Settings): Promise<void> {
    const before = this.settings;
    const alike = before !== undefined && this.loop !== undefined && samplesAlike(before, settings);
    const wanted = allOutputs(settings);
    const needless = wanted.length === 0 && this.consumer.watcher === undefined;
    const loop = needless
      ? undefined
      : alike
        ? this.loop
        : await startSampling(settings, this.consumer, this.log);
    try {
      await this.outputs.replace(wanted);
    } catch (error) {
      if (loop !== this.loop) loop?.close();
      throw error;
    }
    if (loop !== this.loop) this.loop?.close();
    this.loop = loop;
    this.settings = settings;
    setLogLevel(settings.logLevel);
  }

  /** Samples until the runs are done or `stop` is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    for (;;) {
      this.pause = new AbortController();
      if (this.next === undefined) await this.sample(AbortSignal.any([stop, this.pause.signal]));
      const next = this.next;
      if (stop.aborted || next === undefined) return;
      this.next = undefined;
      await this.apply(next);
    }
  }

  /** Runs with other settings from the next sample on, and opens files anew. Where they cannot be run nothing changes. */
  change(settings: Settings): void {
    if (isDeepStrictEqual(settings, this.settings)) {
      this.outputs.reopen();
      this.log.debug('the configuration is as before');
      this.service.reloaded();
      return;
    }
    this.next = settings;
    this.pause.abort();
  }

  /** Goes on with the present settings, for new ones are wrong. */
  refuse(why: string): void {
    this.outputs.reopen();
    this.log.error(`the configuration stays as it is: ${why}`);
    this.service.reloaded(why);
  }

  close(): void {
    this.loop?.close();
  }

  private async apply(settings: Settings): Promise<void> {
    try {
      await this.begin(settings);
    } catch (error) {
      this.refuse((error as Error).message);
      return;
    }
    this.outputs.reopen();
    this.log.info('the new configuration runs');
    this.service.reloaded();
  }

  private async sample(stop: AbortSignal): Promise<void> {
    const { runs = Infinity, frequency = NaN } = this.settings ?? {};
    if (this.loop === undefined) {
      await this.idle(stop);
      return;
    }
    const emit = (sample: Sample): void => {
      this.consumer.take(sample);
      this.outputs.write(sample);
      this.service.sampled(sample.vms.length, frequency);
    };
    const pace = this.consumer.watcher?.pace;
    await this.loop.run({ runs, outputs: this.outputs.list, emit, pace }, stop);
  }

  private async idle(stop: AbortSignal): Promise<void> {
    const why = 'no output is configured: describe an [output.NAME] in the configuration file, then reload';
    this.log.warn(why);
    this.service.idle(why);
    while (await sleep(DAY, stop));
  }
}
