import type { Logger } from 'pino';
import type { Connector } from '../connectors/connector.ts';
import { Clock, sleep } from './clock.ts';
import type { ObservedOutput } from './output-status.ts';
import type { Pace } from './pace.ts';
import type { Sample } from './sample.ts';
import type { Sampler } from './sampler.ts';

/** ms between the two polls that the first sample's disk rates are derived from. */
const PRIMING_PAUSE = 200;
/** What monitors have to answer these polls, in ms. */
const PRIMING_DEADLINE = 3000;
/** The first sample does not wait for the tick of a long interval, but at most this long. ms. */
const PRIMING_INTERVAL = 1000;

/** How often to sample, and what to do with a sample. */
export interface LoopSettings {
  /** How often. */
  readonly pace: Pace;
  /** Samples to take; Infinity for no end. */
  readonly runs: number;
  readonly outputs: readonly ObservedOutput[];
  /** Takes each sample; has read it when it returns. */
  readonly emit: (sample: Sample) => void;
}

/** Samples on the beat of the clock until `runs` are done or `stop` is aborted. */
export async function sampleLoop(
  sampler: Sampler,
  connector: Connector,
  settings: LoopSettings,
  stop: AbortSignal,
  log: Logger,
): Promise<void> {
  const { pace } = settings;
  if (!(await prime(sampler, connector, stop))) return;
  const first = new Clock(Math.min(pace.frequency * 1000, PRIMING_INTERVAL), log);
  if (!(await first.tick(stop))) return;
  const clock = new Clock(pace.frequency * 1000, log);
  for (let run = 1; ; run++) {
    const started = performance.now();
    settings.emit(sampler.sample(clock.missed, settings.outputs));
    sampler.agent.cycleTook(performance.now() - started);
    if (run >= settings.runs) return;
    void connector.poll();
    if (!(await nextTick(clock, pace, stop))) return;
  }
}

/** Waits for the tick of the clock, or until somebody wants a sample at once. @returns false when `stop` is aborted */
async function nextTick(clock: Clock, pace: Pace, stop: AbortSignal): Promise<boolean> {
  while (!stop.aborted) {
    clock.change(pace.frequency * 1000);
    if ((await clock.tick(pace.next())) || pace.takeWish()) break;
  }
  return !stop.aborted;
}

/**
 * Reads everything once and asks every monitor twice, so that the first sample has rates. It does not wait for one that
 * hangs.
 */
async function prime(sampler: Sampler, connector: Connector, stop: AbortSignal): Promise<boolean> {
  const primed = new AbortController();
  const late = sleep(PRIMING_DEADLINE, AbortSignal.any([stop, primed.signal]));
  connector.inventory();
  await Promise.race([connector.poll(true), late]);
  sampler.prime();
  if (!(await sleep(PRIMING_PAUSE, stop))) return false;
  await Promise.race([connector.poll(true), late]);
  primed.abort();
  return !stop.aborted;
}
