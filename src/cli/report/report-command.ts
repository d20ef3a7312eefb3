import type { Writable } from 'node:stream';
import { RecordingError } from '../../recording/errors.ts';
import { collect } from '../../report/collect.ts';
import { documentOf } from '../../report/html/document.ts';
import { readPageFiles } from '../../report/html/page-files.ts';
import { usualName, writeReport } from '../../report/html/write-report.ts';
import { zoneOf } from '../../report/zone.ts';
import { duration, momentText } from '../../report/shared/words.ts';
import { printableLines } from '../../base/strings/printable.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodes } from '../exit-codes.ts';
import { size } from '../words.ts';
import type { ReportRequest } from './report-arguments.ts';

/**
 * Writes the report that is asked for.
 *
 * @param out gets it where `-` is named
 * @param messages gets what was written, or why it could not be
 */
export async function reportCommand(
  { source, span, output, thresholds }: Exclude<ReportRequest, { readonly help: string }>,
  out: Writable,
  messages: Writable,
): Promise<ExitCode> {
  try {
    const page = readPageFiles();
    const collected = await collect(source, span, thresholds);
    const { from, to } = collected.coverage;
    const zone = zoneOf(collected.buckets.begin, to);
    const text = await documentOf(collected, zone, page);
    if (output === '-') {
      out.write(text);
      return exitCodes.done;
    }
    const path = output ?? usualName(collected, zone);
    await writeReport(path, text);
    const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
    messages.write(
      printableLines(
        `${path}: ${momentText(zone, from)} to ${momentText(zone, to)} (${duration((to - from) / 1000)}, ${zone.name}), ` +
          `${counted(collected.guests.length, 'guest')}, ${counted(collected.troubles.length, 'verdict')}, ${size(Buffer.byteLength(text))}\n`,
      ),
    );
    return exitCodes.done;
  } catch (error) {
    // File errors are reported; an error without a code is a bug.
    const isKnown = error instanceof RecordingError || (error as NodeJS.ErrnoException).code !== undefined;
    if (!isKnown) throw error;
    messages.write(printableLines(`proxtop report: ${(error as Error).message}\n`));
    return exitCodes.failure;
  }
}
