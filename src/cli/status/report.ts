import { join } from 'node:path';
import type { HistoryReport } from '../../history/writer.ts';
import type { OutputStatus } from '../../sampling/output-status.ts';

/** What a running program tells about itself, in a file that `proxtop status` reads. */
export interface StatusReport {
  readonly program: 'proxtop' | 'proxprofiler';
  readonly version: string;
  readonly pid: number;
  /** See processIdentity: tells a file that a killed process left behind. */
  readonly identity: string;
  /** ms since 1970. */
  readonly started: number;
  /** When this was written, ms since 1970. */
  readonly updated: number;
  /** The configuration file, where there is one. */
  readonly config?: string | undefined;
  readonly outputs: readonly OutputReport[];
  /** Records on disk that no output takes; missing in reports of 0.1.0. */
  readonly left?: readonly LeftSpool[];
  /** Missing where none is kept. */
  readonly history?: HistoryReport;
}

/** Records that an output left on disk which is gone or writes another format now. */
export interface LeftSpool {
  readonly directory: string;
  /** NAME of [output.NAME] that made them. */
  readonly output: string;
  readonly format: string;
  readonly records: number;
  readonly bytes: number;
}

export interface OutputReport extends OutputStatus {
  readonly name: string;
  /** When records were given up last, ms since 1970; missing where none were. */
  readonly lastDrop?: number;
}

/** ms between two reports. */
export const reportPeriod = 5000;

/** The directory of the reports: what systemd sets for RuntimeDirectory=, else `proxtop` in the runtime directory. */
export function reportDirectory(env: NodeJS.ProcessEnv, rundir: string): string {
  const [provided = ''] = env['RUNTIME_DIRECTORY']?.split(':') ?? [];
  return provided === '' ? join(rundir, 'proxtop') : provided;
}

/** The report of a process. */
export function reportPath(directory: string, pid: number): string {
  return join(directory, `${pid}.status`);
}
