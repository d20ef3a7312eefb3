import type { ExitCode } from '../../cli/exit-codes.ts';
import { exitCodes } from '../../cli/exit-codes.ts';
import type { Settings } from '../../config/settings.ts';
import { RecordingError } from '../../recording/errors.ts';
import { ClusterRecording } from '../../cluster/cluster-recording.ts';
import { Recording } from '../../recording/recording.ts';
import { Player } from '../../recording/player.ts';
import { Breaks } from '../../recording/breaks.ts';
import { openReplay } from '../../history/replay.ts';
import type { Span } from '../../history/span.ts';
import { JudgedRecording } from '../../tui/moments/judged-recording.ts';
import { ReplaySource } from '../../tui/sources/replay-source.ts';
import { createLog } from '../logging.ts';
import { obeySignals } from '../signals.ts';
import { openView } from './view.ts';

/**
 * Plays a recording in the terminal view.
 *
 * @param span which part of it, and where to begin
 *
 * @returns the exit code
 */
export async function viewReplay(
  path: string,
  span: Span,
  settings: Settings,
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const log = createLog(settings.logLevel, env);
  let recording: Awaited<ReturnType<typeof openReplay>>;
  try {
    recording = await openReplay(path, span);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    log.error(error.message);
    return exitCodes.failure;
  }
  const stop = new AbortController();
  let time = NaN;
  const breaks = new Breaks();
  let shown = -1;
  const cluster = recording instanceof Recording ? await ClusterRecording.of(recording) : undefined;
  const judged = new JudgedRecording(cluster ?? recording);
  const player = new Player(judged, (moment, { index }) => {
    ({ time } = moment);
    view.show(moment);
    if (index !== shown && index !== shown + 1) breaks.jumped();
    if (index === shown) return;
    shown = index;
    const between = breaks.next(moment.sample);
    if (between !== undefined) view.tell(`before this sample: ${between}`);
  });
  const source = new ReplaySource(judged, player, () => time, stop);
  const view = openView(source, settings.thresholds, env, stop.signal);
  obeySignals(stop, () => undefined);
  try {
    await player.play(stop.signal, span.at);
  } finally {
    stop.abort();
    await recording.close();
  }
  const { records } = recording.skipped;
  if (records > 0) log.warn(`${path}: skipped ${records} torn or damaged record(s)`);
  return exitCodes.done;
}
