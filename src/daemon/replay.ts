import { setTimeout as sleep } from 'node:timers/promises';
import type { ExitCode } from '../cli/exit-codes.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { allOutputs } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import type { Output } from '../outputs/output.ts';
import { RecordingError } from '../recording/errors.ts';
import type { Skipped } from '../recording/entries.ts';
import { readSamples } from '../recording/recording.ts';
import { createLog } from './logging.ts';
import { closeOutputs, obeySignals, openOutputs } from './outputs.ts';
import { reportMissingColumns } from './trouble-report.ts';

/** ms between two looks at an output that lags behind. */
const LOOK = 1;

/**
 * Prints the samples of a recording through the outputs, as fast as they take them: nothing is dropped, however slow a
 * destination is.
 *
 * @returns the exit code
 */
export async function replayFile(
  path: string,
  settings: Settings,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const log = createLog(settings.logLevel, env);
  reportMissingColumns(log);
  const stop = new AbortController();
  const skipped: Skipped = { records: 0 };
  let outputs: readonly Output[] = [];
  let exitCode: ExitCode = exitCodes.done;
  try {
    let runs = 0;
    for await (const sample of readSamples(path, skipped)) {
      // Opened only now: a file that cannot be replayed makes no empty file elsewhere.
      if (runs === 0) {
        outputs = await openOutputs(allOutputs(settings), log, stop);
        obeySignals(stop, outputs);
      }
      for (const output of outputs) output.write(sample);
      await Promise.all(outputs.map((output) => sent(output, stop.signal)));
      if (++runs >= settings.runs || stop.signal.aborted) break;
    }
  } catch (error) {
    exitCode = exitCodes.failure;
    if (error instanceof RecordingError || outputs.length === 0) log.error((error as Error).message);
    else log.error(error);
  }
  await closeOutputs(outputs);
  if (skipped.records > 0)
    log.warn(`${path}: ${skipped.records} record(s) passed over that are torn or damaged`);
  return exitCode;
}

/** Waits until an output has sent what it was given, so that no queue ever has to give up a record. */
async function sent(output: Output, stop: AbortSignal): Promise<void> {
  while (output.status.queuedBytes > 0 && !stop.aborted) await sleep(LOOK);
}
