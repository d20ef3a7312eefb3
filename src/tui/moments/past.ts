import type { JudgedRecording } from './judged-recording.ts';
import type { Moment } from './moment.ts';
import { RecentSamples } from './recent-samples.ts';

/** The moments that have been: the last ten minutes from memory, older ones from the history of this host, if it is wanted and there. */
export class Past {
  private opened: JudgedRecording | undefined;

  /** @param openHistory gives undefined where there is none; missing where only memory counts */
  constructor(
    private readonly openHistory?: () => Promise<JudgedRecording | undefined>,
    private readonly recent = new RecentSamples(),
  ) {}

  /** Whether there may be more than what memory holds. */
  get hasHistory(): boolean {
    return this.openHistory !== undefined;
  }

  /** Keeps the present moment. */
  keep(moment: Moment): void {
    this.recent.keep(moment);
  }

  /** The last one taken before a time, ms since 1970; undefined where nothing older is known. */
  async before(time: number): Promise<Moment | undefined> {
    const { recent } = this;
    const found = await recent.before(time);
    if (found !== undefined) return found;
    const history = await this.history();
    const index = history && (await indexBefore(history, Math.min(time, recent.first)));
    return index === undefined ? undefined : history?.at(index);
  }

  /** The first one taken at a time or later; the oldest there is where that is older. */
  async from(time: number): Promise<Moment | undefined> {
    const { recent } = this;
    const history = time < recent.first ? await this.history() : undefined;
    const found = await history?.at(await history.indexAt(time));
    return found !== undefined && found.time >= time && found.time < recent.first ? found : recent.from(time);
  }

  /**
   * The last one before a time with which something red began; undefined where nothing did, or the search is outdated.
   */
  async redBefore(time: number, isOutdated: () => boolean): Promise<Moment | undefined> {
    const { recent } = this;
    const found = recent.redBefore(time);
    if (found !== undefined) return recent.from(found);
    const history = await this.history();
    if (history === undefined) return undefined;
    const end = await indexBefore(history, Math.min(time, recent.first));
    const index = end === undefined ? undefined : await history.redBefore(end + 1, isOutdated);
    return index === undefined ? undefined : history.at(index);
  }

  private async history(): Promise<JudgedRecording | undefined> {
    return (this.opened ??= await this.openHistory?.());
  }
}

/** The number of the last sample taken before a time; undefined where all are later. */
async function indexBefore(history: JudgedRecording, time: number): Promise<number | undefined> {
  const index = await history.indexAt(time);
  const moment = history.timeAt(index);
  const before = moment >= time ? index - 1 : index;
  return before < 0 ? undefined : before;
}
