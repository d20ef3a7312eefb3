import type { ExitCode } from '../../cli/exit-codes.ts';
import { exitCodes } from '../../cli/exit-codes.ts';
import type { Settings } from '../../config/settings.ts';
import { RecordingError } from '../../recording/errors.ts';
import { Player } from '../../recording/player.ts';
import { Recording } from '../../recording/recording.ts';
import { ReplaySource } from '../../tui/sources/replay-source.ts';
import { createLog } from '../logging.ts';
import { obeySignals } from '../signals.ts';
import { openView } from './view.ts';

/**
 * Plays a recording in the terminal view.
 *
 * @returns the exit code
 */
export async function viewReplay(
  path: string,
  settings: Settings,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const log = createLog(settings.logLevel, env);
  let recording: Recording;
  try {
    recording = await Recording.open(path);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    log.error(error.message);
    return exitCodes.failure;
  }
  const stop = new AbortController();
  let time = NaN;
  const player = new Player(recording, (sample) => {
    ({ time } = sample);
    view.update(sample);
  });
  const view = openView(new ReplaySource(player, () => time, stop), settings.thresholds, env, stop.signal);
  obeySignals(stop, () => undefined);
  try {
    await player.play(stop.signal);
  } finally {
    stop.abort();
    await recording.close();
  }
  const { records } = recording.skipped;
  if (records > 0) log.warn(`${path}: ${records} record(s) passed over that are torn or damaged`);
  return exitCodes.done;
}
