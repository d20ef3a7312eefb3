import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Sample } from '../sampling/sample.ts';
import type { HistorySettings } from './settings.ts';
import { HistoryWriter } from './writer.ts';
import type { HistoryReport } from './writer.ts';

/** ms that one whose settings changed has to write what it holds. */
const replacedDeadline = 2000;

/** The history that is kept at present, if any. */
export class History {
  private settings: HistorySettings | undefined;
  private writer: HistoryWriter | undefined;
  /** Settles when those before have let go of their directory. */
  private left: Promise<void> = Promise.resolve();

  constructor(private readonly log: Logger) {}

  /** Its status; undefined where there is none. */
  get status(): HistoryReport | undefined {
    return this.writer?.status;
  }

  /** Applies these settings; with unchanged settings it just continues. */
  replace(settings: HistorySettings | undefined): void {
    if (isDeepStrictEqual(settings, this.settings)) return;
    const { writer } = this;
    this.settings = settings;
    this.left = Promise.all([this.left, writer?.close(replacedDeadline)]).then(() => undefined);
    this.writer = settings && new HistoryWriter(settings, this.log, this.left);
  }

  /** Takes a sample, and has read it when this returns. Never waits for a disk. */
  write(sample: Sample): void {
    this.writer?.write(sample);
  }

  /** Writes what there is, for at most `deadline` ms. */
  async close(deadline: number): Promise<void> {
    await this.writer?.close(deadline);
  }
}
