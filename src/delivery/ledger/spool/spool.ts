import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Drops } from '../drops.ts';
import type { Entry } from '../entry.ts';
import { Fifo } from '../fifo.ts';
import type { QueueSettings, SpoolSettings } from '../../settings.ts';
import { frame, headerBytes, readFrames, segmentHeader, segmentVersion, version } from './frame.ts';
import { DirectoryLock, SpoolInUseError } from './lock.ts';
import { Position } from './position.ts';
import { firstOf, Segment, segmentPath } from './segment.ts';

/** A segment is sealed at this size, or at an eighth of the spool. What is read at a time is one segment. */
const largestSegment = 2 << 20;

/** The segment that is appended to. */
interface Active {
  readonly segment: Segment;
  readonly handle: FileHandle;
}

/**
 * Records on disk that wait for a destination: files of records (see frame.ts) in a directory of their own. The newest
 * is appended to, the oldest is read as a whole and deleted when all its records are delivered. A file that is read is
 * never appended to, and after a start nothing is appended to the files found.
 *
 * All file work runs in the background, but for the first look at the directory.
 */
export class Spool {
  /** Oldest first. */
  private readonly segments: Segment[] = [];
  private readonly position: Position;
  private readonly segmentBytes: number;
  private active: Active | undefined;
  private appending = false;
  private reading = false;
  private readonly removals = new Set<Promise<unknown>>();
  /** Read and not given out. */
  private readonly loaded = new Fifo<Entry>();
  /** The number of the next record to be appended. */
  private next = 1;
  private lock: DirectoryLock | undefined;
  private known = false;

  /**
   * Takes the directory and looks at what an earlier run left. A directory that cannot be used is looked at again by
   * every `append`.
   *
   * @param drops counts what could not be read back, and what had to make room
   * @param onReadable called when records became readable in the background
   * @throws SpoolInUseError when another process uses the directory
   */
  constructor(
    private readonly settings: SpoolSettings,
    private readonly whenFull: QueueSettings['whenFull'],
    private readonly drops: Drops,
    private readonly log: Logger,
    private readonly onReadable: () => void,
  ) {
    this.position = new Position(settings.directory);
    this.segmentBytes = Math.min(largestSegment, settings.maxBytes / 8);
    try {
      this.take();
    } catch (error) {
      if (error instanceof SpoolInUseError) throw error;
      log.warn(`spool: ${(error as Error).message}`);
    }
    this.load();
  }

  /** Records that were never sent and are still to be given out. */
  get waiting(): number {
    return this.segments.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Size of all files. */
  get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether no record is still to be given out. */
  get empty(): boolean {
    return this.loaded.length === 0 && !this.reading && this.segments.every(({ read }) => read);
  }

  /** When the next record to be given out was taken, ms since 1970; undefined when there is none or it is not known. */
  get oldest(): number | undefined {
    const time = this.loaded.at(0)?.time ?? this.segments.find(({ read }) => !read)?.time ?? NaN;
    return Number.isNaN(time) ? undefined : time;
  }

  /** The next record to be given out; undefined when there is none, or it has yet to be read, which this begins. */
  peek(): Entry | undefined {
    const entry = this.loaded.at(0);
    if (entry === undefined) this.load();
    return entry;
  }

  /** Gives out the next record; `delivered` is to be called for it, in the same order. */
  shift(): Entry | undefined {
    const entry = this.loaded.shift();
    if (entry?.place !== undefined && !entry.sent) entry.place.segment.waiting--;
    return entry;
  }

  /** A record that was given out is known to have arrived. */
  delivered({ place }: Entry): void {
    if (place === undefined) return;
    const { segment, ordinal } = place;
    this.position.advance(ordinal + 1);
    if (--segment.outstanding === 0) this.remove(segment);
  }

  /**
   * Writes records behind all others and has them synced. To be called for one batch at a time.
   *
   * @returns false when there is no room and older records are not to be dropped
   * @throws Error of node:fs, SpoolInUseError; the records are then not in the spool
   */
  async append(entries: readonly Entry[]): Promise<boolean> {
    this.appending = true;
    try {
      // What an earlier run left decides which numbers come next.
      if (!this.known) this.take();
      const frames = entries.flatMap((entry, index) => frame({ ...entry, ordinal: this.next + index }));
      const size = frames.reduce((sum, { length }) => sum + length, headerBytes);
      const fresh = entries.filter(({ sent }) => !sent).length;
      if (size > this.settings.maxBytes) {
        this.drops.add('too_large', fresh);
        return true;
      }
      if (!this.makeRoom(size)) return false;
      const { segment, handle } = (this.active ??= await this.create());
      if (segment.bytes === 0) frames.unshift(segmentHeader());
      const end = await write(handle, frames, segment.bytes);
      await handle.datasync();
      if ((await handle.stat()).nlink === 0) throw new Error(`${segment.path} was deleted`);
      segment.bytes = end;
      segment.records += entries.length;
      segment.waiting += fresh;
      if (Number.isNaN(segment.time)) segment.time = entries[0]?.time ?? NaN;
      this.next += entries.length;
      if (segment.bytes >= this.segmentBytes) await this.seal();
      return true;
    } catch (error) {
      await this.abandon();
      throw error;
    } finally {
      this.appending = false;
    }
  }

  /** Notes how far the records are delivered, for the next start. */
  async save(): Promise<void> {
    if (this.known) await this.position.save();
  }

  /** What is not delivered stays for the next start. */
  async close(): Promise<void> {
    await this.save();
    await this.seal();
    await Promise.all(this.removals);
    try {
      this.lock?.release();
    } catch {
      // The directory is out of reach; the process that ends lets go of it all the same.
    }
  }

  /** Makes and locks the directory where need be, and finds what is in it the first time. */
  private take(): void {
    if (this.lock?.holds === true) return;
    const { directory } = this.settings;
    // Not with `recursive`, which calls a read-only file system ENOENT.
    makeDirectory(dirname(directory));
    makeDirectory(directory);
    this.lock = DirectoryLock.take(directory);
    if (this.known) return;
    this.recover(directory);
    this.known = true;
  }

  private recover(directory: string): void {
    this.position.load();
    const { ordinal } = this.position;
    const firsts = readdirSync(directory).flatMap((file) => firstOf(file) ?? []);
    firsts.sort((a, b) => a - b);
    for (const [index, first] of firsts.entries()) {
      const path = segmentPath(directory, first);
      const segment = new Segment(path, first, true);
      segment.bytes = statSync(path).size;
      segment.records = (firsts[index + 1] ?? endOf(path, first)) - first;
      segment.waiting = Math.max(0, segment.end - Math.max(first, ordinal));
      this.segments.push(segment);
    }
    this.next = Math.max(ordinal, this.segments.at(-1)?.end ?? 1);
    for (const done of this.segments.filter(({ waiting }) => waiting === 0)) this.remove(done);
    if (this.waiting > 0)
      this.log.info(`spool: ${this.waiting} records of an earlier run are delivered first`);
  }

  /** False when there is no room for `size` bytes and older records are not to be dropped. */
  private makeRoom(size: number): boolean {
    const lost = this.drops.by.spool_full;
    for (let [oldest] = this.segments; oldest !== undefined; [oldest] = this.segments) {
      if (this.bytes + size <= this.settings.maxBytes) break;
      if (this.whenFull === 'drop_newest') return false;
      while (this.loaded.at(0)?.place?.segment === oldest) this.loaded.shift();
      this.drops.add('spool_full', oldest.waiting);
      this.remove(oldest);
    }
    if (lost === 0 && this.drops.by.spool_full > 0)
      this.log.warn(`spool: spool_max is reached, the oldest records are dropped`);
    return true;
  }

  private async create(): Promise<Active> {
    this.take();
    // One of them may have the name of the new one.
    await Promise.all(this.removals);
    const segment = new Segment(segmentPath(this.settings.directory, this.next), this.next, false);
    const handle = await open(segment.path, 'w', 0o600);
    this.segments.push(segment);
    await syncDirectory(dirname(segment.path)).catch(() => undefined);
    return { segment, handle };
  }

  /** Closes the segment that is appended to. */
  private async seal(): Promise<void> {
    const active = this.active;
    this.active = undefined;
    await active?.handle.close().catch(() => undefined);
  }

  /** After a failed write: cuts off what was written of it and leaves the segment. */
  private async abandon(): Promise<void> {
    const active = this.active;
    if (active === undefined) return;
    await active.handle.truncate(active.segment.bytes).catch(() => undefined);
    await this.seal();
    if (active.segment.records === 0) this.remove(active.segment);
  }

  private remove(segment: Segment): void {
    const index = this.segments.indexOf(segment);
    if (index < 0) return;
    this.segments.splice(index, 1);
    if (this.active?.segment === segment) void this.seal();
    // Gone already, or out of reach like the whole directory: then its records come again at the next start.
    const removal: Promise<unknown> = rm(segment.path, { force: true })
      .catch(() => undefined)
      .finally(() => this.removals.delete(removal));
    this.removals.add(removal);
  }

  /** Reads the oldest segment that was not read, in the background. */
  private load(): void {
    if (this.reading) return;
    const segment = this.segments.find(({ read }) => !read);
    if (segment === undefined || segment.records === 0) return;
    if (segment === this.active?.segment) {
      if (this.appending) return;
      void this.seal();
    }
    segment.read = true;
    this.reading = true;
    readFile(segment.path)
      .then(
        (bytes) => {
          this.taken(segment, bytes);
        },
        (error: unknown) => {
          this.lost(segment, error as NodeJS.ErrnoException);
        },
      )
      .finally(() => {
        this.reading = false;
        this.onReadable();
      });
  }

  private taken(segment: Segment, content: Buffer): void {
    if (!this.segments.includes(segment)) return;
    const found = segmentVersion(content) ?? version;
    if (found !== version) {
      this.damaged(segment, segment.waiting, `is of version ${found}, this program knows ${version}`);
      this.remove(segment);
      return;
    }
    const from = Math.max(segment.first, this.position.ordinal);
    const { records } = readFrames(content.subarray(0, segment.bytes), from, segment.end);
    let fresh = 0;
    for (const record of records) {
      const sent = record.sent && !segment.recovered;
      if (!sent) fresh++;
      const { bytes, time, ordinal } = record;
      this.loaded.push({ bytes, time, sent, handed: NaN, place: { segment, ordinal } });
    }
    segment.outstanding = records.length;
    const lost = segment.waiting - fresh;
    segment.waiting = fresh;
    if (lost > 0) this.damaged(segment, lost, 'is damaged');
    if (records.length === 0) this.remove(segment);
  }

  private lost(segment: Segment, error: NodeJS.ErrnoException): void {
    if (error.code === 'ENOENT' || error.code === 'EIO') {
      this.damaged(segment, segment.waiting, error.message);
      this.remove(segment);
    } else {
      // Too many open files, say: it is read another time.
      segment.read = false;
      this.log.warn(`spool: ${error.message}`);
    }
  }

  private damaged(segment: Segment, lost: number, why: string): void {
    this.drops.add('damaged', lost);
    this.log.warn(`spool: ${segment.path} ${why}: ${lost} records are lost`);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The number behind that of the last record of a segment; a torn record at its end counts as one. */
function endOf(path: string, first: number): number {
  const bytes = readFileSync(path);
  const { records, torn } = readFrames(bytes, first, Infinity);
  return (records.at(-1)?.ordinal ?? first - 1) + (torn ? 2 : 1);
}

/** Writes all the buffers at an offset. @returns the offset behind them */
async function write(handle: FileHandle, buffers: readonly Buffer[], at: number): Promise<number> {
  const bytes = Buffer.concat(buffers);
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
  return at + bytes.length;
}

/** Has the names in a directory survive a power failure. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
