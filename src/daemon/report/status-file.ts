import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { LeftSpool, OutputReport, StatusReport } from '../../cli/status/report.ts';
import type { HistoryReport } from '../../history/writer.ts';
import { reportPath, reportPeriod } from '../../cli/status/report.ts';
import { processIdentity } from '../../kernel/process/process-identity.ts';
import { requireOwnDirectory } from '../../delivery/shared/own-files.ts';
import type { ObservedOutput } from '../../sampling/output-status.ts';

/**
 * Writes how this process fares to a file that `proxtop status` reads, every five seconds; each time as a whole. The
 * file is in memory (/run), so it is written at once, without waking Node's threads for each step.
 */
export class StatusFile {
  private readonly path: string;
  private readonly identity = processIdentity(process.pid) ?? String(process.pid);
  private readonly started = Date.now();
  private readonly timer: NodeJS.Timeout;
  /** What each output had dropped, and when that grew last. */
  private readonly drops = new Map<string, { readonly dropped: number; readonly time?: number }>();
  private told = false;

  /** @param directory is made when need be; where that fails there is no report, and the log says so once */
  constructor(
    private readonly directory: string,
    private readonly about: Pick<StatusReport, 'program' | 'version' | 'config'>,
    private readonly observed: {
      readonly outputs: readonly ObservedOutput[];
      readonly leftovers: { readonly list: readonly LeftSpool[] };
      readonly history?: { readonly status: HistoryReport | undefined };
    },
    private readonly log: Logger,
  ) {
    this.path = reportPath(directory, process.pid);
    this.write();
    this.timer = setInterval(() => {
      this.write();
    }, reportPeriod).unref();
  }

  /** Removes the file. */
  close(): void {
    clearInterval(this.timer);
    try {
      rmSync(this.path, { force: true });
    } catch {
      // It was never written; the log has said so.
    }
  }

  private write(): void {
    try {
      this.replace(JSON.stringify(this.report()));
    } catch (error) {
      if (!this.told) this.log.debug(`no report for "proxtop status": ${(error as Error).message}`);
      this.told = true;
    }
  }

  private replace(text: string): void {
    const draft = `${this.path}.draft`;
    if (mkdirSync(this.directory, { recursive: true }) !== undefined) chmodSync(this.directory, 0o755);
    requireOwnDirectory(this.directory);
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { flag: 'wx' });
    // Whatever the umask is: everybody may ask how it fares. There is no secret in it.
    chmodSync(draft, 0o644);
    renameSync(draft, this.path);
  }

  private report(): StatusReport {
    const { outputs, leftovers } = this.observed;
    const history = this.observed.history?.status;
    return {
      ...this.about,
      pid: process.pid,
      identity: this.identity,
      started: this.started,
      updated: Date.now(),
      outputs: outputs.map((output) => this.reportOutput(output)),
      left: leftovers.list,
      ...(history !== undefined && { history }),
    };
  }

  private reportOutput({ name, status }: ObservedOutput): OutputReport {
    const before = this.drops.get(name) ?? { dropped: 0 };
    const { dropped } = status;
    const now = dropped > before.dropped ? { dropped, time: Date.now() } : before;
    this.drops.set(name, now);
    return { name, ...status, ...(now.time !== undefined && { lastDrop: now.time }) };
  }
}
