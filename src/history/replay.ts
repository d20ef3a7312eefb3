import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Skipped } from '../recording/entries.ts';
import { standardInput } from '../recording/input/file.ts';
import { readSamples, Recording } from '../recording/recording.ts';
import type { Sample } from '../sampling/sample.ts';
import { RecordingError } from '../recording/errors.ts';
import { historyDirectory } from './files.ts';
import { HistoryRecording } from './history-recording.ts';
import { LineReader } from './line-reader.ts';
import type { WantedIds } from './line-reader.ts';
import { isWithin } from './span.ts';
import type { Span } from './span.ts';

/**
 * Of the samples of a recording or of a history within a span what is wanted, in their order. The rest may be missing: of a
 * history it is not read. For arguments see {@link replayed}.
 */
export async function* replayedPartly(
  path: string,
  span: Span,
  skipped: Skipped,
  wanted: WantedIds,
): AsyncGenerator<Sample> {
  const directory = await historyAt(path);
  if (directory === undefined) {
    yield* recordedWithin(path, span, skipped);
    return;
  }
  const history = await HistoryRecording.open(directory, span, true);
  for await (const sample of wantedSamples(history, wanted)) {
    skipped.records = history.skipped.records;
    yield sample;
  }
  skipped.records = history.skipped.records;
}

/** What is wanted of all samples of a history. As elsewhere one is valid until the next one is asked for. */
export async function* wantedSamples(history: HistoryRecording, wanted: WantedIds): AsyncGenerator<Sample> {
  const reader = new LineReader(wanted);
  for await (const lines of history.lineGroups())
    for (const line of lines) {
      const sample = reader.read(line);
      if (sample === undefined) history.skipped.records++;
      else yield sample;
    }
}

/**
 * The samples of a recording or of a history within a span, in their order. A sample is valid until the next one is asked
 * for. Its rows have slots for the peaks that are recorded beside means.
 *
 * @param path of a file, a pipe or the directory of a history, or `-`
 * @param skipped counts the records that are passed over because they cannot be read
 * @throws RecordingError
 */
export async function* replayed(path: string, span: Span, skipped: Skipped): AsyncGenerator<Sample> {
  const directory = await historyAt(path);
  if (directory === undefined) {
    yield* recordedWithin(path, span, skipped);
    return;
  }
  const recording = await HistoryRecording.open(directory, span, true);
  for (let index = 0; ; index++) {
    const sample = await recording.at(index);
    skipped.records = recording.skipped.records;
    if (sample === undefined) return;
    yield sample;
  }
}

/** @throws RecordingError also where nothing is of that time: it says which time the recording is of */
async function* recordedWithin(path: string, span: Span, skipped: Skipped): AsyncGenerator<Sample> {
  let [first, last, any] = [Infinity, -Infinity, false];
  const wanted = (time: number): boolean => {
    first = Math.min(first, time);
    last = Math.max(last, time);
    return isWithin(time, span);
  };
  for await (const sample of readSamples(path, skipped, wanted)) {
    any = true;
    yield sample;
  }
  if (any || first > last) return;
  const [begin, end] = [first, last].map((time) => new Date(time).toISOString());
  throw new RecordingError(`${path}: it contains nothing from that time: it goes from ${begin} to ${end}`);
}

/**
 * The same samples, to be looked at in any order.
 *
 * @param peaks whether rows of a recording have the largest values too, where it tells them
 * @throws RecordingError
 */
export async function openReplay(
  path: string,
  span: Span,
  peaks = false,
): Promise<Recording | HistoryRecording> {
  const directory = await historyAt(path);
  return directory === undefined
    ? Recording.open(path, (time) => isWithin(time, span), peaks)
    : HistoryRecording.open(directory, span);
}

/** Whether a path names a history, whose breaks are told; those of a recording are in its records. */
export async function isHistory(path: string): Promise<boolean> {
  return (await historyAt(path).catch(() => undefined)) !== undefined;
}

/**
 * The directory of the history that a path names, itself or by its state directory; undefined for all that is no directory.
 * @throws RecordingError where a history should be and is none
 */
async function historyAt(path: string): Promise<string | undefined> {
  if (path === standardInput) return undefined;
  const isDirectory = async (one: string): Promise<boolean> =>
    (await stat(one).catch(() => undefined))?.isDirectory() === true;
  if (!(await isDirectory(path))) {
    if (path === historyDirectory(dirname(path)) && !existsSync(path))
      throw new RecordingError(
        `${path}: there is no history yet: start the service or proxtop --history, and try again after two minutes`,
      );
    return undefined;
  }
  const below = join(path, 'history');
  return (await isDirectory(below)) ? below : path;
}
