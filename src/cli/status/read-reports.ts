import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readOwnFile } from '../../delivery/shared/own-files.ts';
import { brief } from '../../base/strings/printable.ts';
import { processIdentity } from '../../kernel/process/process-identity.ts';
import type { StatusReport } from './report.ts';

/** Bytes of the largest report that is read. */
const largestReport = 1 << 20;

/** The reports of processes that run, the oldest process first, or why there are none to be had. */
export function readReports(directory: string): {
  readonly reports: readonly StatusReport[];
  readonly trouble?: string;
} {
  let files: string[];
  try {
    files = readdirSync(directory);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { reports: [], ...(code !== 'ENOENT' && { trouble: brief(message) }) };
  }
  const reports = files.flatMap((file) =>
    file.endsWith('.status') ? readReport(join(directory, file)) : [],
  );
  return { reports: reports.sort((a, b) => a.started - b.started) };
}

function readReport(path: string): StatusReport[] {
  try {
    // Receivers and file systems have a hand in what it says.
    const report = JSON.parse(readOwnFile(path, largestReport).toString(), shown) as StatusReport;
    return processIdentity(report.pid) === report.identity ? [report] : [];
  } catch {
    // It ended just now.
    return [];
  }
}

function shown(_: string, value: unknown): unknown {
  return typeof value === 'string' ? brief(value) : value;
}
