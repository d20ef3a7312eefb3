import type { FileHandle } from 'node:fs/promises';
import type { Sample } from '../sampling/sample.ts';
import { entriesOf } from './entries.ts';
import type { SampleEntry, Skipped } from './entries.ts';
import { RecordingError } from './errors.ts';
import { chunksOf, openSeekable, openSource } from './input/file.ts';
import type { Format } from './format.ts';
import type { Playable } from './player.ts';
import { Builders } from './builders.ts';
import type { SampleBuilder } from './sample-builder.ts';

/** Which samples are wanted, by their times in ms since 1970. */
export type Wanted = (time: number) => boolean;
const all: Wanted = () => true;

/**
 * The samples of a file or a pipe, or of standard input (`-`), from the beginning to the end. A sample is valid until the
 * next one is asked for. Its rows have slots for the peaks that are recorded beside means.
 *
 * @param skipped counts the records that are passed over because they cannot be read
 * @param wanted others are not yielded
 * @throws RecordingError for a file that cannot be read, or holds something else
 */
export async function* readSamples(
  path: string,
  skipped: Skipped,
  wanted: Wanted = all,
): AsyncGenerator<Sample> {
  const source = await openSource(path);
  try {
    const builders = new Builders(true);
    for await (const { format, records, time, run } of entriesOf(path, source.chunks, skipped)) {
      if (!wanted(time)) continue;
      const sample = sampleOf(builders.of(run), format, records);
      if (sample === undefined) skipped.records += records.length;
      else yield sample;
    }
  } finally {
    await source.close();
  }
}

/** Where the records of a sample are. */
type Place = Pick<SampleEntry, 'time' | 'run' | 'offset' | 'length' | 'format'>;

/**
 * The samples of a file in any order. Of those that were found so far it keeps only where they are; the file is
 * searched no further than was asked for. What is compressed, or a pipe, is copied to a file of its own first.
 */
export class Recording implements Playable {
  /** What was passed over so far. */
  readonly skipped: Skipped = { records: 0 };
  private readonly entries: AsyncGenerator<SampleEntry>;
  private readonly places: Place[] = [];
  private atEnd = false;

  private constructor(
    path: string,
    private readonly file: FileHandle,
    private readonly wanted: Wanted,
    private readonly builders: Builders,
  ) {
    this.entries = entriesOf(path, chunksOf(file), this.skipped);
  }

  /**
   * @param wanted others are as if they were not there
   * @param peaks whether rows have slots for the largest values too, and these are read
   * @throws RecordingError for a file that cannot be read, or holds something else
   */
  static async open(path: string, wanted: Wanted = all, peaks = false): Promise<Recording> {
    const recording = new Recording(path, await openSeekable(path), wanted, new Builders(peaks));
    try {
      if ((await recording.at(0)) !== undefined) return recording;
    } catch (error) {
      await recording.close();
      throw error;
    }
    await recording.close();
    const ofThatTime = wanted === all ? '' : ' of that time';
    throw new RecordingError(`${path}: it contains no complete sample${ofThatTime}`);
  }

  /** Samples found so far. */
  get length(): number {
    return this.places.length;
  }

  /** Whether the whole file has been searched. */
  get complete(): boolean {
    return this.atEnd;
  }

  /** When sample `index`, one found so far, was taken, ms since 1970; NaN for others. */
  timeAt(index: number): number {
    return this.places[index]?.time ?? NaN;
  }

  /** The start of the program that took sample `index`, one found so far; '' for others. */
  runAt(index: number): string {
    return this.places[index]?.run ?? '';
  }

  /** Whether there is a sample number `index`; the file is searched on until it is found. */
  async has(index: number): Promise<boolean> {
    while (index >= this.places.length && !this.atEnd) {
      const next = await this.entries.next();
      if (next.done === true) {
        this.atEnd = true;
      } else {
        const { time, run, offset, length, format } = next.value;
        if (this.wanted(time)) this.places.push({ time, run, offset, length, format });
      }
    }
    return index < this.places.length;
  }

  /**
   * Sample number `index`, from 0; undefined behind the last one. It is valid until the next one of its run is asked for. One that
   * turns out to be damaged is forgotten, so that the numbers behind it go down.
   */
  async at(index: number): Promise<Sample | undefined> {
    while (await this.has(index)) {
      const sample = await this.read(this.places[index] as Place);
      if (sample !== undefined) return sample;
      this.places.splice(index, 1);
      this.skipped.records++;
    }
    return undefined;
  }

  /** The number of the first sample taken at a time (ms since 1970) or after it; of the last one if there is none. */
  async indexAt(time: number): Promise<number> {
    for (let index = 0; await this.has(index); index++) if (this.timeAt(index) >= time) return index;
    return this.length - 1;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async read({ run, offset, length, format }: Place): Promise<Sample | undefined> {
    const { bytesRead, buffer } = await this.file.read(Buffer.allocUnsafe(length), 0, length, offset);
    const bytes = buffer.subarray(0, bytesRead);
    const records: Buffer[] = [];
    const ends = format.ends();
    let at = 0;
    for (let end = ends.next(bytes, at); end !== undefined; end = ends.next(bytes, at)) {
      records.push(bytes.subarray(at, end));
      at = end;
    }
    return sampleOf(this.builders.of(run), format, records);
  }
}

/** The sample that records tell of; undefined where they are damaged. */
function sampleOf(builder: SampleBuilder, format: Format, records: readonly Buffer[]): Sample | undefined {
  return builder.build(records.map(format.decode).filter((fields) => fields !== undefined));
}
