import { open } from 'node:fs/promises';
import type { Skipped } from '../recording/entries.ts';
import { RecordingError } from '../recording/errors.ts';
import { openTrouble } from '../recording/input/file.ts';
import { formatThatBegins, understoodSchema } from '../recording/format.ts';
import type { Playable } from '../recording/player.ts';
import { SampleBuilder } from '../recording/sample-builder.ts';
import type { Sample } from '../sampling/sample.ts';
import { endOfHour, listFiles } from './files.ts';
import type { HistoryFile } from './files.ts';
import { unpackMember } from './member.ts';
import { isWithin } from './span.ts';
import type { Span } from './span.ts';
import { walk } from './walk.ts';
import type { MemberPlace, Walked } from './walk.ts';

/** Minutes that are kept uncompressed. */
const KEPT = 4;
/** Minutes that are inflated ahead, on threads of their own. */
const AHEAD = 4;

/** A sample as it was recorded. */
interface Line {
  readonly time: number;
  readonly record: Buffer;
}

/** A minute, and the number of its first sample. */
interface Minute {
  readonly place: MemberPlace;
  samples: number;
  base: number;
}

/**
 * The samples of a history in the order in which they were taken. Where the clock was set back, or a run followed another,
 * that order is not that of their times. It is searched by the heads of its minutes alone. A minute that turns out to be
 * damaged is dropped, so later numbers decrease. While a proxtop writes to it, new samples are found too.
 */
export class HistoryRecording implements Playable {
  readonly skipped: Skipped = { records: 0 };
  private readonly builder: SampleBuilder;
  private readonly minutes: Minute[] = [];
  private readonly cache = new Map<Minute, readonly Line[]>();
  /** The file that was searched last, and how far. */
  private tail: { readonly file: HistoryFile; readonly end: number } | undefined;

  private constructor(
    private readonly directory: string,
    private readonly span: Span,
    withPeaks: boolean,
  ) {
    this.builder = new SampleBuilder(withPeaks);
  }

  /**
   * @param withPeaks whether rows have slots for the peaks that are recorded beside means
   * @throws RecordingError for a directory that cannot be read, or holds nothing of that time
   */
  static async open(directory: string, span: Span, withPeaks = false): Promise<HistoryRecording> {
    const recording = new HistoryRecording(directory, span, withPeaks);
    await recording.search();
    if ((await recording.at(0)) === undefined) throw await recording.nothing();
    return recording;
  }

  get length(): number {
    const last = this.minutes.at(-1);
    return last === undefined ? 0 : last.base + last.samples;
  }

  /** As exactly as known: in a minute not read yet, the time of its first sample. */
  timeAt(index: number): number {
    const minute = this.minuteOf(index);
    if (minute === undefined) return NaN;
    return this.cache.get(minute)?.[index - minute.base]?.time ?? minute.place.first;
  }

  async has(index: number): Promise<boolean> {
    if (index >= this.length) await this.search();
    for (let minute = this.minuteOf(index); minute !== undefined; minute = this.minuteOf(index))
      if ((await this.lines(minute)).length > index - minute.base) return true;
    return false;
  }

  async at(index: number): Promise<Sample | undefined> {
    while (await this.has(index)) {
      const minute = this.minuteOf(index);
      const line = minute && this.cache.get(minute)?.[index - minute.base];
      const fields = line && formatThatBegins(line.record[0] ?? 0)?.decode(line.record);
      const sample = fields && this.builder.build([fields]);
      if (sample !== undefined || minute === undefined) return sample;
      this.setLines(minute, this.cache.get(minute)?.filter((other) => other !== line) ?? []);
      this.skipped.records++;
    }
    return undefined;
  }

  async indexAt(time: number): Promise<number> {
    if (time > (this.minutes.at(-1)?.place.last ?? -Infinity)) await this.search();
    for (const minute of [...this.minutes]) {
      if (minute.place.last < time) continue;
      const lines = await this.lines(minute);
      const found = lines.findIndex((line) => line.time >= time);
      if (found >= 0) return minute.base + found;
    }
    return this.length - 1;
  }

  /** Times of the earliest and the latest sample, as far as is known, ms since 1970. */
  get bounds(): { readonly from: number; readonly to: number } {
    let [from, to] = [Infinity, -Infinity];
    for (const minute of this.minutes) {
      const lines = this.cache.get(minute);
      for (const { time } of lines ?? [{ time: minute.place.first }, { time: minute.place.last }]) {
        from = Math.min(from, time);
        to = Math.max(to, time);
      }
    }
    return { from: Math.max(from, this.span.from), to: Math.min(to, this.span.to) };
  }

  /** The samples as lines, minute by minute, for readers of all of them: several minutes are inflated at a time. */
  async *lineGroups(): AsyncGenerator<readonly Buffer[]> {
    const minutes = [...this.minutes];
    const ahead = minutes.slice(0, AHEAD).map((minute) => this.lines(minute));
    for (let next = AHEAD; ahead.length > 0; next++) {
      const lines = (await ahead.shift()) ?? [];
      const minute = minutes[next];
      if (minute !== undefined) ahead.push(this.lines(minute));
      yield lines.map(({ record }) => record);
    }
  }

  close(): Promise<void> {
    this.cache.clear();
    return Promise.resolve();
  }

  /** Finds minutes that were not there when it was searched before. */
  private async search(): Promise<void> {
    const { tail, span } = this;
    let files: HistoryFile[];
    try {
      files = await listFiles(this.directory);
    } catch (error) {
      throw openTrouble(this.directory, error);
    }
    const rest = files.filter(
      (file) =>
        file.time <= span.to &&
        endOfHour(file) >= span.from &&
        (tail === undefined || file.number >= tail.file.number),
    );
    for (const file of rest) {
      const walked = walkIfThere(file.path, file.path === tail?.file.path ? tail.end : 0);
      if (walked === undefined) continue;
      const isLast = file === files.at(-1);
      this.skipped.records += walked.damages + (walked.torn && !isLast ? 1 : 0);
      for (const place of walked.members) await this.add(place);
      this.tail = { file, end: walked.torn && !isLast ? Infinity : walked.end };
    }
  }

  private async add(place: MemberPlace): Promise<void> {
    const { span } = this;
    if (place.last < span.from || place.first > span.to) return;
    const minute = { place, samples: place.samples, base: this.length };
    this.minutes.push(minute);
    // Of a minute at the border of the span only a part counts.
    if (!isWithin(place.first, span) || !isWithin(place.last, span)) await this.lines(minute);
  }

  private minuteOf(index: number): Minute | undefined {
    let low = 0;
    let high = this.minutes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { base, samples } = this.minutes[middle] as Minute;
      if (index >= base + samples) low = middle + 1;
      else high = middle;
    }
    const found = this.minutes[low];
    return found !== undefined && index >= found.base ? found : undefined;
  }

  /** The samples of a minute within the span; none, and it is forgotten, where it is damaged. */
  private async lines(minute: Minute): Promise<readonly Line[]> {
    const kept = this.cache.get(minute);
    if (kept !== undefined) return kept;
    const records = await unpackMember(await bytesOf(minute.place));
    if (records === undefined) this.skipped.records += minute.place.samples;
    const lines = (records ?? []).flatMap((record) => {
      const head = formatThatBegins(record[0] ?? 0)?.head(record);
      if (head?.schema === understoodSchema) return { time: head.time, record };
      this.skipped.records++;
      return [];
    });
    return this.setLines(
      minute,
      lines.filter(({ time }) => isWithin(time, this.span)),
    );
  }

  private setLines(minute: Minute, lines: readonly Line[]): readonly Line[] {
    if (lines.length !== minute.samples) {
      minute.samples = lines.length;
      let index = this.minutes.indexOf(minute);
      if (lines.length === 0) this.minutes.splice(index, 1);
      for (let base = minute.base; index < this.minutes.length; index++) {
        const each = this.minutes[index] as Minute;
        each.base = base;
        base += each.samples;
      }
    }
    for (const oldest of this.cache.keys()) {
      if (this.cache.size < KEPT) break;
      this.cache.delete(oldest);
    }
    this.cache.delete(minute);
    if (lines.length > 0) this.cache.set(minute, lines);
    return lines;
  }

  private async nothing(): Promise<RecordingError> {
    const { directory, skipped } = this;
    const files = await listFiles(directory);
    const [first] = files;
    const damaged = skipped.records > 0 ? `; ${skipped.records} record(s) are torn or damaged` : '';
    if (first === undefined)
      return new RecordingError(
        `${directory}: found no history, expected files such as 000001-20261128T0300Z.jsonl.gz, which proxtop writes as a service`,
      );
    const places = [first, files.at(-1) ?? first].flatMap(({ path }) => walkIfThere(path, 0)?.members ?? []);
    const times = files.map(({ time }) => time);
    const [begin, end] = [
      Math.min(...times, ...places.map((place) => place.first)),
      Math.max(...times, ...places.map((place) => place.last)),
    ].map((time) => new Date(time).toISOString());
    return new RecordingError(
      `${directory}: nothing was recorded at that time: the history goes from ${begin} to ${end}${damaged}`,
    );
  }
}

/** @throws RecordingError */
function walkIfThere(path: string, from: number): Walked | undefined {
  try {
    return walk(path, from);
  } catch (error) {
    // It expired just now.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw openTrouble(path, error);
  }
}

async function bytesOf({ path, offset, bytes }: MemberPlace): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    // It was removed just now, or its disk cannot read it: as if damaged.
    return Buffer.alloc(0);
  }
}
