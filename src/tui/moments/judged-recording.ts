import { spacedTurns } from '../../base/pacing/spaced.ts';
import type { Playable } from '../../recording/player.ts';
import { Merger } from '../../cluster/merge.ts';
import { redBegins } from '../../verdicts/verdict.ts';
import { NodeVerdicts } from '../analysis/node-verdicts.ts';
import type { Moment } from './moment.ts';
import { MomentMaker } from './moment-maker.ts';
import type { Given } from './moment-maker.ts';
import { retold, told } from './told-verdicts.ts';
import type { ToldVerdict } from './told-verdicts.ts';

/** ms, and samples at most, that are judged before one that was jumped to: verdicts are of what came before. */
const LEAD = 60_000;
const LEAD_SAMPLES = 120;
/** ms after which what is found is what would have been found from the beginning on. */
const SURE = 30_000;
/** Samples of which it is remembered what was found, for steps back. */
const REMEMBERED = 1000;
/** Samples that are searched at a time. */
const SEARCHED = 600;

/** What was found of a sample. */
interface Found {
  readonly isWarm: boolean;
  readonly verdicts: readonly ToldVerdict[];
}

/** The moments of a recording, in any order: each has the verdicts that a view would have shown at that time. */
export class JudgedRecording implements Playable<Moment> {
  private readonly maker = new MomentMaker();
  /** By run and number of the sample. */
  private readonly found = new Map<string, Found>();
  /** Number of the sample that was judged last. */
  private last = NaN;

  constructor(private readonly recording: Playable<Given>) {}

  get length(): number {
    return this.recording.length;
  }

  timeAt(index: number): number {
    return this.recording.timeAt(index);
  }

  has(index: number): Promise<boolean> {
    return this.recording.has(index);
  }

  indexAt(time: number): Promise<number> {
    return this.recording.indexAt(time);
  }

  /** It is valid until another one is asked for. */
  async at(index: number): Promise<Moment | undefined> {
    let sample = await this.recording.at(index);
    if (sample === undefined) return undefined;
    // A jump further back forgets what comes later.
    const known = this.maker.recent.has(sample.time) ? this.found.get(nameOf(sample)) : undefined;
    if (known !== undefined)
      return this.maker.again(sample, known.isWarm, (copy) => retold(known.verdicts, copy));
    if (index !== this.last + 1) {
      await this.lead(index, sample.time);
      sample = await this.recording.at(index);
    }
    return sample && this.judged(sample, index, true);
  }

  /**
   * The number of the last sample before another one with which something red began; undefined where nothing did, or
   * the search is outdated.
   */
  async redBefore(index: number, isOutdated: () => boolean): Promise<number | undefined> {
    for (let end = index; end > 0; end = Math.max(0, end - SEARCHED)) {
      const begin = Math.max(0, end - SEARCHED);
      const found = await this.redWithin(begin, end, isOutdated);
      if (found !== undefined || isOutdated()) return found;
    }
    return undefined;
  }

  private async redWithin(
    begin: number,
    end: number,
    isOutdated: () => boolean,
  ): Promise<number | undefined> {
    const [verdicts, merger] = [new NodeVerdicts(), new Merger()];
    const turn = spacedTurns();
    let found: number | undefined;
    for (let index = Math.max(0, begin - LEAD_SAMPLES); index < end; index++) {
      await turn();
      if (isOutdated()) return undefined;
      const sample = await this.recording.at(index);
      if (sample === undefined) break;
      verdicts.add('own' in sample ? merger.merge(sample) : sample);
      if (index >= begin && redBegins(verdicts.now)) found = index;
    }
    return found;
  }

  /** Judges what comes before a sample. @param time when that was taken */
  private async lead(index: number, time: number): Promise<void> {
    // The moment that is shown stays as it is meanwhile.
    this.maker.release();
    const first = await this.recording.indexAt(time - LEAD);
    const begin = Math.max(0, index - LEAD_SAMPLES, Math.min(index, first));
    const turn = spacedTurns();
    let from = NaN;
    for (let number = begin; number < index; number++) {
      await turn();
      const sample = await this.recording.at(number);
      if (sample === undefined) return;
      if (Number.isNaN(from)) from = sample.time;
      this.judged(sample, number, begin === 0 || sample.time - from >= SURE);
    }
  }

  /** @param isSure whether enough came before it */
  private judged(sample: Given, index: number, isSure: boolean): Moment {
    const moment = this.maker.take(sample);
    this.last = index;
    if (isSure) {
      const { isWarm, verdicts } = moment;
      this.found.set(nameOf(sample), { isWarm, verdicts: told(verdicts, moment.sample) });
      for (const oldest of this.found.keys()) {
        if (this.found.size <= REMEMBERED) break;
        this.found.delete(oldest);
      }
    }
    return moment;
  }
}

function nameOf(given: Given): string {
  const { run, seq } = 'own' in given ? given.own : given;
  return `${run} ${seq}`;
}
