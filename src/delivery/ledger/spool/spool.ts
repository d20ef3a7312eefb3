import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { QueueSettings, SpoolSettings } from '../../settings.ts';
import type { Entry } from '../entry.ts';
import type { Ledger } from '../ledger.ts';
import { ownDirectory } from '../../shared/own-files.ts';
import { makeSpoolDirectory, syncDirectory, writeAt } from './files.ts';
import { frame } from './frame.ts';
import { encodeHeader, type SegmentHeader, type SpoolIdentity } from './header.ts';
import { DirectoryLock } from './lock.ts';
import { Position, type NumberRange } from './position.ts';
import { SpoolReader } from './reader.ts';
import { look, type Found } from './recovery.ts';
import { Segment, segmentPath } from './segment.ts';

/** A segment is sealed at this size, or at an eighth of the spool. What is read at a time is one segment. */
const largestSegment = 2 << 20;
/** The segment that is appended to. */
interface Active {
  readonly segment: Segment;
  readonly handle: FileHandle;
}

/** What a spool works with. */
export interface SpoolContext {
  readonly identity: SpoolIdentity;
  readonly ledger: Ledger;
  readonly log: Logger;
  /** Called when records became readable in the background. */
  readonly onReadable: () => void;
  /** Called when the ledger counts what an earlier run left. */
  readonly onOpened: () => void;
}

/**
 * Records on disk that wait for a destination: files of records (see header.ts and frame.ts) in a directory of their own.
 * The newest file is appended to, the oldest is read as a whole, and a file is deleted when the ledger has settled all its
 * records. Nothing is appended to a file that is being read, or to files found at the start.
 *
 * All file work runs in the background. Retries happen only in `tick`.
 */
export class Spool {
  /** Oldest first. */
  private readonly segments: Segment[] = [];
  private position: Position;
  private readonly ledger: Ledger;
  private readonly log: Logger;
  private active: Active | undefined;
  private appending = false;
  /** No longer counted; the files have yet to be deleted. */
  private condemned: string[] = [];
  private housekeeping: Promise<void> = Promise.resolve();
  /** The number of the next record to be appended. */
  private next = 1;
  private lock: DirectoryLock | undefined;
  private opening: Promise<void> | undefined;
  private known = false;
  private closed = false;
  /** Whether the ledger knows nothing of the records any more: whoever opens the directory next must find them. */
  private left = false;
  private fullTold = false;
  /** Gives out what is in it. */
  readonly reader: SpoolReader;

  /** @param appends whether records are appended; else only what an earlier run left is delivered */
  constructor(
    private settings: SpoolSettings,
    private whenFull: QueueSettings['whenFull'],
    private appends: boolean,
    private readonly context: SpoolContext,
  ) {
    this.ledger = context.ledger;
    this.log = context.log;
    this.position = new Position(settings.directory);
    this.reader = new SpoolReader(this.segments, {
      ...context,
      seal: (segment) => this.sealed(segment),
    });
  }

  get directory(): string {
    return this.settings.directory;
  }

  /** Share of the connection that it gets while newer records wait too. */
  get catchup(): number {
    return this.settings.catchup;
  }

  /** Size of all files. */
  get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** When the oldest record that waits was taken, ms of the monotonic clock; undefined when there is none or it is not known. */
  get oldest(): number | undefined {
    const since = this.segments.find((segment) => segment.unsettled(this.ledger) < segment.end)?.since ?? NaN;
    return Number.isNaN(since) ? undefined : since;
  }

  /** Whether it has looked at its directory. */
  get opened(): boolean {
    return this.known;
  }

  /** Whether records are appended. */
  get keeps(): boolean {
    return this.appends;
  }

  /** Other limits from now on; the directory stays. */
  configure(settings: SpoolSettings, whenFull: QueueSettings['whenFull'], appends: boolean): void {
    this.settings = settings;
    this.whenFull = whenFull;
    this.appends = appends;
  }

  /**
   * Takes the directory and looks at what an earlier run left, unless that is done.
   *
   * @throws SpoolInUseError when another process uses the directory; OthersMayWriteError; SpoolBusyError; Error of node:fs
   * or node:net
   */
  open(): Promise<void> {
    if (this.known) return Promise.resolve();
    return (this.opening ??= this.recover().finally(() => (this.opening = undefined)));
  }

  /** Saves how far the records are settled, deletes what is done, and reads what could not be read. */
  tick(): void {
    if (!this.known) return;
    this.reap();
    void this.keepHouse(false).catch(() => undefined);
    this.reader.load();
  }

  /**
   * Writes records behind all others and has them synced. To be called for one batch at a time.
   *
   * @returns false when there is no room and older records are not to be dropped
   * @throws Error of node:fs, SpoolInUseError, SpoolBusyError; the records are then not in the spool
   */
  async append(entries: readonly Entry[]): Promise<boolean> {
    this.appending = true;
    try {
      // What an earlier run left decides which numbers come next.
      await this.open();
      const header = encodeHeader(this.context.identity);
      const frames = this.frames(entries);
      const size = frames.reduce((sum, { length }) => sum + length, header.length);
      if (size > this.settings.maxBytes) {
        for (const { ordinal } of entries) this.ledger.drop(ordinal, 'too_large');
        return true;
      }
      if (!(await this.makeRoom(size))) return false;
      const { segment, handle } = (this.active ??= await this.create());
      if (segment.bytes === 0) frames.unshift(header);
      const end = await writeAt(handle, frames, segment.bytes);
      await handle.datasync();
      if ((await handle.stat()).nlink === 0) throw new Error(`${segment.path} was deleted`);
      segment.bytes = end;
      for (const { ordinal } of entries) {
        segment.add(ordinal);
        this.ledger.stored(ordinal);
      }
      if (Number.isNaN(segment.since)) segment.since = entries[0]?.since ?? NaN;
      this.next += entries.length;
      this.reader.appended(this.segments.indexOf(segment));
      if (segment.bytes >= this.segmentBytes) await this.seal();
      void this.keepHouse(false).catch(() => undefined);
      return true;
    } catch (error) {
      await this.abandon();
      throw error;
    } finally {
      this.appending = false;
    }
  }

  /** What is not delivered stays for the next start. */
  async close(): Promise<void> {
    this.closed = true;
    await this.opening?.catch(() => undefined);
    await this.seal();
    if (this.known) {
      this.reap();
      await this.keepHouse(true).catch(() => undefined);
      await this.position.close().catch(() => undefined);
    }
    await this.lock?.release();
  }

  /** Stops counting what is on disk. @returns how many records stay there */
  leave(): number {
    // After a hung disk, `close` may continue only now.
    this.left = true;
    let left = 0;
    for (const segment of this.segments)
      for (const ordinal of segment.ordinals()) if (this.ledger.leave(ordinal)) left++;
    return left;
  }

  private get segmentBytes(): number {
    return Math.min(largestSegment, this.settings.maxBytes / 8);
  }

  private frames(entries: readonly Entry[]): Buffer[] {
    // When they were taken, by the wall clock; it may have been set since.
    const epoch = Date.now() - performance.now();
    return entries.flatMap(({ ordinal, bytes, since }, index) =>
      frame({ number: this.next + index, time: epoch + since, bytes, sent: this.ledger.tried(ordinal) }),
    );
  }

  private async recover(): Promise<void> {
    const { directory } = this.settings;
    if (this.appends) await makeSpoolDirectory(directory);
    else await ownDirectory(directory);
    this.lock ??= await DirectoryLock.take(directory);
    const found = await look(directory, this.context.identity, await this.position.load());
    if (this.closed) return;
    this.adopt(found);
    this.known = true;
    this.context.onOpened();
    await this.keepHouse(false).catch(() => undefined);
    this.context.onReadable();
  }

  private adopt({ segments, missing, settled, next }: Found): void {
    const waited = this.ledger.disk;
    /** Records of other outputs, by output. */
    const strangers = new Map<string, number>();
    for (const { path, bytes, numbers, stranger, header } of segments) {
      const segment = new Segment(path, numbers.first, stranger);
      segment.bytes = bytes;
      const records = numbers.end - numbers.first;
      segment.add(this.ledger.adopt(records), records);
      this.segments.push(segment);
      const whose = ownerOf(header);
      if (stranger) strangers.set(whose, (strangers.get(whose) ?? 0) + records);
    }
    this.next = next;
    this.condemned.push(...settled);
    const records = this.ledger.disk - waited;
    if (records > 0) this.log.info(`spool: ${records} records of an earlier run wait in ${this.directory}`);
    const { format } = this.context.identity;
    for (const [whose, count] of strangers)
      this.log.warn(
        `spool: ${count} records ${whose} in ${this.directory} are kept and not delivered: this output writes ${format}; ` +
          '"proxtop spool" can drain or delete them',
      );
    if (missing > 0) this.damaged(missing, `${this.directory}: files are missing`);
  }

  /** False when there is no room for `size` bytes and older records are not to be dropped. */
  private async makeRoom(size: number): Promise<boolean> {
    this.reap();
    for (let [oldest] = this.segments; oldest !== undefined; [oldest] = this.segments) {
      if (this.bytes + size <= this.settings.maxBytes) break;
      if (this.whenFull === 'drop_newest') return false;
      for (const ordinal of oldest.ordinals()) this.ledger.drop(ordinal, 'spool_full');
      if (this.active?.segment === oldest) await this.seal();
      this.remove(oldest);
      if (!this.fullTold) this.log.warn('spool: full (spool_max), dropping the oldest records');
      this.fullTold = true;
    }
    // A file that is about to be deleted may have the name of the next one, and take its space.
    await (this.condemned.length > 0 ? this.keepHouse(false) : this.housekeeping);
    return true;
  }

  private async create(): Promise<Active> {
    const { directory } = this.settings;
    if ((await this.lock?.holds()) !== true) await this.takeAnew();
    const segment = new Segment(segmentPath(directory, this.next), this.next);
    // A new file: an existing one of this name is not ours and may be a link.
    await rm(segment.path, { force: true });
    const handle = await open(segment.path, 'wx', 0o600);
    this.segments.push(segment);
    await syncDirectory(directory).catch(() => undefined);
    return { segment, handle };
  }

  /** The directory was deleted or replaced. */
  private async takeAnew(): Promise<void> {
    const { directory } = this.settings;
    await this.lock?.release();
    this.lock = undefined;
    await makeSpoolDirectory(directory);
    this.lock = await DirectoryLock.take(directory);
    await this.position.close().catch(() => undefined);
    this.position = new Position(directory);
  }

  /** Ends a segment that is to be read; false while it is appended to. */
  private sealed(segment: Segment): boolean {
    if (this.closed) return false;
    if (segment !== this.active?.segment) return true;
    if (this.appending) return false;
    void this.seal();
    return true;
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

  /** Removes the segments whose records are all settled. */
  private reap(): void {
    if (this.left) return;
    for (const segment of [...this.segments]) {
      // A segment without records is about to get some.
      if (segment === this.active?.segment || segment.records === 0) continue;
      if (segment.unsettled(this.ledger) === segment.end) this.remove(segment);
    }
  }

  private remove(segment: Segment): void {
    const index = this.segments.indexOf(segment);
    if (index < 0) return;
    this.segments.splice(index, 1);
    this.reader.removed(segment, index);
    this.condemned.push(segment.path);
  }

  /** Saves the position and then deletes files: one that is missing and not settled by the position counts as lost. */
  private keepHouse(sync: boolean): Promise<void> {
    const work = this.housekeeping.then(() => this.saveAndDelete(sync));
    this.housekeeping = work.catch(() => undefined);
    return work;
  }

  private async saveAndDelete(sync: boolean): Promise<void> {
    if (this.left) return;
    const condemned = this.condemned;
    // Segments marked for deletion from now on are not covered by this position.
    this.condemned = [];
    try {
      await this.position.save({ ranges: this.ranges(), next: this.next }, sync || condemned.length > 0);
    } catch (error) {
      this.condemned.unshift(...condemned);
      throw error;
    }
    // Deleted already, or unreachable like the whole directory.
    for (const path of condemned) await rm(path, { force: true }).catch(() => undefined);
  }

  private ranges(): NumberRange[] {
    const ranges: NumberRange[] = [];
    for (const segment of this.segments) {
      const first = segment.unsettled(this.ledger);
      const last = ranges.at(-1);
      if (first === segment.end) continue;
      if (last?.end === first) ranges[ranges.length - 1] = { first: last.first, end: segment.end };
      else ranges.push({ first, end: segment.end });
    }
    return ranges;
  }

  private damaged(lost: number, why: string): void {
    this.ledger.refuse('damaged', lost);
    this.log.warn(`spool: ${why}: ${lost} records are lost`);
  }
}

/** Whose records a segment holds, for messages. */
function ownerOf(header: SegmentHeader | undefined): string {
  const { identity } = header ?? {};
  return identity === undefined
    ? 'of a newer version'
    : `of output ${identity.output} in format ${identity.format}`;
}
