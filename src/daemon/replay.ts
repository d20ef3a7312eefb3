import { setTimeout as sleep } from 'node:timers/promises';
import type { ExitCode } from '../cli/exit-codes.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { allOutputs } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { OutputSet } from '../delivery/output-set.ts';
import { RecordingError } from '../recording/errors.ts';
import type { Skipped } from '../recording/entries.ts';
import { Breaks } from '../recording/breaks.ts';
import { isHistory, replayed } from '../history/replay.ts';
import type { Span } from '../history/span.ts';
import { plainPrinter } from './consumer.ts';
import { createLog } from './logging.ts';
import { endOf } from './run.ts';
import { endInSpiteOfHangingFiles, obeySignals } from './signals.ts';
import { reportMissingColumns } from './report/trouble-report.ts';

/** ms between two checks of an output that lags behind. */
const LOOK = 1;
/** ms after the wanted time from which on the sample that is printed instead is reported: six intervals of a history. */
const FAR = 60_000;
/** ms to deliver waiting records after a signal ended the replay. */
const FLUSH_DEADLINE = 5000;

/**
 * Prints the samples of a recording through the outputs, as fast as they accept them: nothing is dropped, however slow a
 * destination is.
 *
 * @param span which part of them; with `at` alone the one sample of that time, or the next one
 * @returns the exit code
 */
export async function replayFile(
  path: string,
  span: Span,
  settings: Settings,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const log = createLog(settings.logLevel, env);
  reportMissingColumns(log);
  const stop = new AbortController();
  const outputs = new OutputSet(log, plainPrinter, () => {
    stop.abort();
  });
  obeySignals(stop, () => {
    outputs.reopen();
  });
  const skipped: Skipped = { records: 0 };
  let exitCode: ExitCode = exitCodes.done;
  let count = 0;
  // A time alone means the sample of then.
  const most = span.at !== undefined && settings.runs === Infinity ? 1 : settings.runs;
  const breaks = (await isHistory(path)) ? new Breaks() : undefined;
  try {
    const samples = replayed(path, { ...span, from: span.at ?? span.from }, skipped);
    for await (const sample of untilStopped(samples, stop.signal)) {
      const between = breaks?.next(sample);
      if (between !== undefined) log.info(`before ${stamp(sample.time)}: ${between}`);
      if (count === 0 && span.at !== undefined && sample.time - span.at > FAR)
        log.warn(`nothing was recorded at ${stamp(span.at)}: the next sample is from ${stamp(sample.time)}`);
      // Only now: a file that cannot be replayed makes no empty file elsewhere.
      if (count === 0) await outputs.replace(allOutputs(settings));
      outputs.write(sample);
      await sent(outputs, stop.signal);
      if (++count >= most || stop.signal.aborted) break;
    }
  } catch (error) {
    exitCode = exitCodes.failure;
    if (error instanceof RecordingError || count === 0) log.error((error as Error).message);
    else log.error(error);
  }
  await outputs.close(FLUSH_DEADLINE);
  if (outputs.failed) exitCode = exitCodes.failure;
  if (skipped.records > 0) log.warn(`${path}: skipped ${skipped.records} torn or damaged record(s)`);
  if (stop.signal.aborted) endInSpiteOfHangingFiles();
  return exitCode === exitCodes.done && !stop.signal.aborted ? endOf(outputs) : exitCode;
}

function stamp(time: number): string {
  return new Date(time).toISOString();
}

/** Items until a signal: a pipe may have nothing to read for ever. */
export async function* untilStopped<T>(items: AsyncGenerator<T>, stop: AbortSignal): AsyncGenerator<T> {
  const next = (): Promise<IteratorResult<T> | undefined> =>
    new Promise((resolve, reject) => {
      const stopped = (): void => {
        resolve(undefined);
      };
      stop.addEventListener('abort', stopped);
      void items
        .next()
        .then(resolve, reject)
        .finally(() => {
          stop.removeEventListener('abort', stopped);
        });
    });
  try {
    for (let step = await next(); step !== undefined && step.done !== true; step = await next())
      yield step.value;
  } finally {
    // Not awaited: it waits for the read in progress.
    void items.return(undefined);
  }
}

/** Waits until all outputs have sent what they were given, so that no queue ever has to give up a record. */
async function sent({ list }: OutputSet, stop: AbortSignal): Promise<void> {
  while (list.some(({ status }) => status.queuedBytes > 0) && !stop.aborted) await sleep(LOOK);
}
