import type { ExitCode } from '../../cli/exit-codes.ts';
import { exitCodes } from '../../cli/exit-codes.ts';
import type { WorstRequest } from '../../cli/worst/worst-arguments.ts';
import type { Thresholds } from '../../config/thresholds.ts';
import { Selector } from '../../delivery/selection.ts';
import type { Span } from '../../history/span.ts';
import { replayedPartly } from '../../history/replay.ts';
import type { Answer } from './answer.ts';
import { answerCsv, answerJson } from './answer-data.ts';
import { answerText, coverageText } from './answer-text.ts';
import { Coverage } from './coverage.ts';
import { Ranking } from './ranking.ts';
import type { Skipped } from '../../recording/entries.ts';
import { RecordingError } from '../../recording/errors.ts';
import { untilStopped } from '../replay.ts';
import { endInSpiteOfHangingFiles, obeySignals } from '../signals.ts';

/** Where it is looked for the worst guests. */
export interface WorstSource {
  /** A file, a pipe, the directory of a history, or `-`. */
  readonly path: string;
  readonly span: Span;
  readonly thresholds: Thresholds;
}

/**
 * Prints the worst guests of a span. A signal ends the reading, and what was read until then is printed: a pipe may have no
 * end.
 *
 * @returns the exit code
 */
export async function printWorst(
  { path, span, thresholds }: WorstSource,
  request: WorstRequest,
  out: NodeJS.WritableStream,
  complaints: NodeJS.WritableStream,
): Promise<ExitCode> {
  const { metrics, include, exclude, order, limit, format } = request;
  const stop = new AbortController();
  obeySignals(stop, () => {
    stop.abort();
  });
  const selector = new Selector({ include, exclude });
  const ranking = new Ranking(metrics, thresholds);
  const coverage = new Coverage();
  const skipped: Skipped = { records: 0 };
  const samples = replayedPartly(path, span, skipped, ranking.wanted);
  try {
    for await (const sample of untilStopped(samples, stop.signal)) {
      coverage.add(sample);
      ranking.add(selector.part(sample));
    }
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    complaints.write(`proxtop: ${error.message}\n`);
    return exitCodes.failure;
  }
  if (stop.signal.aborted) endInSpiteOfHangingFiles();
  if (coverage.samples === 0) {
    complaints.write(`proxtop: ${path}: no sample was read\n`);
    return exitCodes.failure;
  }
  if (ranking.guests === 0) {
    const all = include === undefined && exclude === undefined;
    complaints.write(
      `proxtop: ${path}: ${all ? 'no guest ran in that time' : 'no guest of that time is meant by --include and --exclude'}\n`,
    );
    return exitCodes.failure;
  }
  const answer: Answer = { span, coverage, skipped: skipped.records, tables: ranking.tables(order, limit) };
  if (format === 'csv') complaints.write(coverageText(answer));
  out.write(
    format === 'text' ? answerText(answer) : format === 'json' ? answerJson(answer) : answerCsv(answer),
  );
  return exitCodes.done;
}
