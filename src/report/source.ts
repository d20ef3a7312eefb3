import { HistoryRecording } from '../history/history-recording.ts';
import type { WantedIds } from '../history/line-reader.ts';
import { openReplay, wantedSamples } from '../history/replay.ts';
import type { Span } from '../history/span.ts';
import type { Skipped } from '../recording/entries.ts';
import { PerHost } from '../recording/hosts.ts';
import type { Recording } from '../recording/recording.ts';
import type { Sample } from '../sampling/sample.ts';
import { VerdictRows } from '../verdicts/agent-rows.ts';

/** The samples of a span, with their verdicts. */
export interface Source {
  /** Times of the earliest and the latest sample, ms since 1970. */
  readonly from: number;
  readonly to: number;
  /** Seconds that a sample is about, as the first one says; NaN where it does not. */
  readonly interval: number;
  /** Each is valid until the next one is asked for. Its rows have the metrics that are wanted, and none of devices. */
  readonly samples: AsyncGenerator<Sample>;
  /** Counts what is passed over because it cannot be read. */
  readonly skipped: Skipped;
  readonly close: () => Promise<void>;
}

/**
 * Opens a history or a recording. A history has the verdicts that were found as it was kept, from every sample; those of a recording
 * are found again, as in the view.
 *
 * @param path of a file, a pipe or the directory of a history, or `-`
 * @throws RecordingError
 */
export async function openSource(path: string, span: Span, wanted: WantedIds): Promise<Source> {
  const replay = await openReplay(path, span, true);
  const interval = (await replay.at(0))?.interval ?? NaN;
  const bounds = replay instanceof HistoryRecording ? replay.bounds : await boundsOf(replay);
  return {
    ...bounds,
    interval,
    samples: replay instanceof HistoryRecording ? wantedSamples(replay, wanted) : samplesOf(replay),
    skipped: replay.skipped,
    close: () => replay.close(),
  };
}

async function* samplesOf(recording: Recording): AsyncGenerator<Sample> {
  const verdicts = new PerHost(() => new VerdictRows());
  for (let index = 0; ; index++) {
    const sample = await recording.at(index);
    if (sample === undefined) return;
    yield verdicts.of(sample).judged(sample);
  }
}

async function boundsOf(recording: Recording): Promise<{ readonly from: number; readonly to: number }> {
  await recording.has(Infinity);
  let [from, to] = [Infinity, -Infinity];
  for (let index = 0; index < recording.length; index++) {
    from = Math.min(from, recording.timeAt(index));
    to = Math.max(to, recording.timeAt(index));
  }
  return { from, to };
}
