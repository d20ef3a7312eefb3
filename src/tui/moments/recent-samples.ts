import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { isMerged } from '../../cluster/merge.ts';
import type { Sample } from '../../sampling/sample.ts';
import { redBegins } from '../../verdicts/verdict.ts';
import { momentOf } from './moment.ts';
import type { Moment } from './moment.ts';
import { SampleLines } from './sample-lines.ts';
import { retold, told } from './told-verdicts.ts';
import type { ToldVerdict } from './told-verdicts.ts';

/** How much is kept: ms, and bytes in all; and of several nodes the bytes that are printed a second, 17 ms for each MiB. */
const LIMITS = { time: 600_000, bytes: 128 << 20, rate: 384 << 10 };
/** ms by which a tick may come early. */
const EARLY = 500;

const compress = promisify<Buffer, object, Buffer>(brotliCompress);
const decompress = promisify<Buffer, Buffer>(brotliDecompress);
/** Of brotli, 0 to 11: 1 takes 1 ms for a sample of 200 VMs, and 430 bytes a VM; level 4 saves a tenth in four times as long. */
const fastest = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 }, chunkSize: 64 << 10 };

/** A moment that is kept. */
interface Kept extends Pick<Moment, 'time' | 'isWarm' | 'recent'> {
  /** Keys of the guests, which no record tells; undefined of several nodes. */
  readonly keys: readonly string[] | undefined;
  readonly unseen: string | undefined;
  /** Whether something red began with it. */
  readonly isRed: boolean;
  /** A line of JSON for the verdicts, and those of the sample. */
  readonly lines: readonly KeptLine[];
}

/** A line, which is compressed as soon as that is done. */
interface KeptLine {
  bytes: Buffer;
  isCompressed: boolean;
}

/**
 * The moments of the last ten minutes, in memory: each as its lines of JSON and the verdicts, compressed on a thread of its
 * own. What all of them take is bounded; the oldest go first. Of many nodes not every moment is kept, but each at which something
 * red begins.
 */
export class RecentSamples {
  private readonly kept: Kept[] = [];
  private size = 0;
  private keys: readonly string[] = [];
  private readonly samples: SampleLines;
  /** When the next one of several nodes is kept, ms since 1970. */
  private due = -Infinity;
  private readonly limits: typeof LIMITS;

  /** @param attend called now and then while a moment is written; missing where nobody looks */
  constructor(limits: Partial<typeof LIMITS> = {}, attend?: () => void) {
    this.limits = { ...LIMITS, ...limits };
    this.samples = new SampleLines(attend);
  }

  /** When the oldest one was taken, ms since 1970; Infinity where there is none. */
  get first(): number {
    return this.kept[0]?.time ?? Infinity;
  }

  /** Bytes that all take. */
  get bytes(): number {
    return this.size;
  }

  /** Keeps a moment, the latest; has read it when this returns. */
  keep({ sample, verdicts, isWarm, recent }: Moment): void {
    const isRed = redBegins(verdicts);
    if (isMerged(sample) && !isRed && sample.time < this.due) return;
    const verdictLine = Buffer.from(`${JSON.stringify(told(verdicts, sample))}\n`);
    // Not put together: that would be some MiB of memory that the kernel has to give.
    const printed = [verdictLine, ...this.samples.print(sample)];
    const size = printed.reduce((sum, { length }) => sum + length, 0);
    const kept: Kept = {
      // As it is in the record.
      time: Math.floor(sample.time),
      isWarm,
      recent,
      keys: isMerged(sample) ? undefined : this.keysOf(sample),
      unseen: sample.unseen,
      isRed,
      lines: printed.map((bytes) => ({ bytes, isCompressed: false })),
    };
    this.kept.push(kept);
    this.size += size;
    this.due = kept.time + (size / this.limits.rate) * 1000 - EARLY;
    this.forget();
    for (const each of kept.lines) void this.compress(each, kept);
  }

  /** The last one taken before a time; undefined where there is none. It is valid until another one has been found. */
  before(time: number): Promise<Moment | undefined> {
    return this.restored(this.kept.findLast((each) => each.time < time));
  }

  /** The first one taken at a time or later. */
  from(time: number): Promise<Moment | undefined> {
    return this.restored(this.kept.find((each) => each.time >= time));
  }

  /** When something red began the last time before a time; undefined where nothing did. */
  redBefore(time: number): number | undefined {
    return this.kept.findLast((each) => each.isRed && each.time < time)?.time;
  }

  /** The keys of the guests; the same array as long as they are the same. */
  private keysOf({ guests }: Sample): readonly string[] {
    const { keys } = this;
    const isSame =
      keys.length === guests.length && guests.every(({ guest }, index) => guest.key === keys[index]);
    return isSame ? keys : (this.keys = guests.map(({ guest }) => guest.key));
  }

  private forget(): void {
    const { kept, limits } = this;
    const oldest = (kept.at(-1)?.time ?? 0) - limits.time;
    while (kept.length > 1 && ((kept[0]?.time ?? 0) < oldest || this.size > limits.bytes))
      for (const { bytes } of kept.shift()?.lines ?? []) this.size -= bytes.length;
  }

  private async compress(line: KeptLine, of: Kept): Promise<void> {
    // Where there is no memory for it now it stays as it is.
    const compressed = await compress(line.bytes, fastest).catch(() => undefined);
    if (compressed === undefined) return;
    if (this.kept.includes(of)) this.size += compressed.length - line.bytes.length;
    line.bytes = compressed;
    line.isCompressed = true;
  }

  /** The event loop turns between lines, so that keys are obeyed; the moment that was found before stays as it is meanwhile. */
  private async restored(kept: Kept | undefined): Promise<Moment | undefined> {
    if (kept === undefined) return undefined;
    const texts: string[] = [];
    for (const { bytes, isCompressed } of kept.lines)
      texts.push((isCompressed ? await decompress(bytes) : bytes).toString());
    const [verdictLine = '', ...lines] = texts;
    const read = await this.samples.read(lines, kept.keys);
    if (read === undefined) return undefined;
    const sample = { ...read, unseen: kept.unseen };
    const verdicts = retold(JSON.parse(verdictLine) as readonly ToldVerdict[], sample);
    return momentOf(sample, { verdicts, isWarm: kept.isWarm, recent: kept.recent });
  }
}
