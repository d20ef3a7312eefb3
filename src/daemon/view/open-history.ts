import type { Settings } from '../../config/settings.ts';
import { historyDirectory } from '../../history/files.ts';
import { HistoryRecording } from '../../history/history-recording.ts';
import { everything } from '../../history/span.ts';
import { RecordingError } from '../../recording/errors.ts';
import { JudgedRecording } from '../../tui/moments/judged-recording.ts';

/** The history that a proxtop on this host keeps, to be read; undefined where there is none, or it may not be read. */
export async function openHistory({
  stateDir,
}: Pick<Settings, 'stateDir'>): Promise<JudgedRecording | undefined> {
  try {
    return new JudgedRecording(await HistoryRecording.open(historyDirectory(stateDir), everything));
  } catch (error) {
    if (error instanceof RecordingError) return undefined;
    throw error;
  }
}
