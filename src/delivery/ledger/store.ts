import type { Logger } from 'pino';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { SpoolSettings, StoreSettings } from '../settings.ts';
import { Outage } from '../shared/outage.ts';
import { OthersMayWriteError } from '../shared/own-files.ts';
import { within } from '../shared/within.ts';
import type { Entry, Handed } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { SpoolIdentity } from './spool/header.ts';
import { takeOldest, Turns } from './order.ts';
import { SpoolBusyError, SpoolInUseError } from './spool/lock.ts';
import { Spool } from './spool/spool.ts';
import { Tap } from './tap.ts';
import { sizeOf, WaitingRecords } from './waiting.ts';

/** What a store knows of the status of its output. */
export type StoreStatus = Omit<OutputStatus, 'state' | 'lastError'>;

/** Bytes that are written to the spool at a time, at most; and their share of a small spool. */
const batchBytes = 1 << 20;
const batchShare = 1 / 16;
/** ms from one try of what failed to the next one. */
const retryDelay = 1000;
/** ms that writing may take at the end, and that the first look at a spool may take. */
const closeDeadline = 3000;
const openDeadline = 2000;

/**
 * What waits for the destinations of one name and format: a queue in memory and, where it is configured, a spool on disk.
 * Destinations come and go with the configuration, the store stays. The newest one takes records through its {@link Tap};
 * older ones give back what they cannot deliver. The {@link Ledger} counts.
 *
 * With a spool, a record that the peer does not accept is on disk `sync` seconds later, so memory does not grow during an
 * outage and a kill loses no more than that. When the peer is back, spooled and new records share the connection, so that a
 * backlog of hours does not hold up new records; each of the two is in its own order.
 *
 * With strict order records are delivered as they were pushed: new ones wait for those on disk or being written, and for those
 * that the previous destination may give back. Nothing is spooled while unconfirmed records exist only in memory.
 */
export class Store {
  /** Whether the peer takes records at the moment; the destination says so by its tap. */
  reachable = false;
  /** Whether drops need not be reported: the reader went away, which is not an error. */
  silent = false;
  private readonly waiting: WaitingRecords;
  private spool: Spool | undefined;
  private readonly outage: Outage;
  /** Being written to the spool. */
  private spilling: readonly Entry[] = [];
  private spill: Promise<void> | undefined;
  private spilled = -Infinity;
  private failed = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private tap: Tap | undefined;
  /** Older taps whose destinations may still give records back. */
  private readonly former = new Set<Tap>();
  private closed = false;
  private readonly turns = new Turns();
  /** Whether the last look at the directory of the spool failed: its content is not known. */
  private unusable = false;
  /** Spools of former settings that are being closed. */
  private readonly ending = new Set<Promise<void>>();
  /** Stores that were closed and have their records in our spool, which has not been looked at yet. */
  private readonly before: Store[] = [];

  /** @param identity what the records are; the store takes no others */
  constructor(
    private settings: StoreSettings,
    readonly identity: SpoolIdentity,
    readonly ledger: Ledger,
    private readonly log: Logger,
  ) {
    this.waiting = new WaitingRecords(settings.queue, ledger);
    this.outage = new Outage(log, this);
    this.begin();
  }

  get status(): StoreStatus {
    const { memory, disk, unconfirmed, arrived, resent, reconnects, drops } = this.ledger;
    const spilling = this.spilling.filter(({ ordinal }) => !this.ledger.waitsOnDisk(ordinal));
    return {
      queued: memory,
      queuedBytes: this.waiting.bytes + sizeOf(spilling),
      spooled: disk,
      spooledBytes: this.spool?.bytes ?? 0,
      oldest: this.oldest,
      unconfirmed,
      sent: arrived,
      resent,
      dropped: drops.total,
      droppedBy: drops.by,
      reconnects,
    };
  }

  /** Why the spool accepts nothing at the moment; undefined when it does. */
  get trouble(): string | undefined {
    return this.outage.lasts ? this.outage.lastError : undefined;
  }

  /** Whether nothing waits that can be handed over. */
  get empty(): boolean {
    const inMemory = this.waiting.length + this.spilling.length;
    return inMemory === 0 && (this.spool?.reader.empty ?? true);
  }

  /**
   * Waits for the first look at the spool, for a while.
   *
   * @throws SpoolInUseError when another process uses it; OthersMayWriteError when its directory is not ours alone
   */
  async ready(): Promise<void> {
    if (this.spool?.keeps !== true) return;
    const opened = this.spool.open().catch((error: unknown) => {
      if (error instanceof SpoolInUseError || error instanceof OthersMayWriteError) throw error;
    });
    await within(openDeadline, opened);
  }

  /** Other limits, or another spool, from now on. What is in the old spool stays there. */
  configure(settings: StoreSettings): void {
    const before = this.settings;
    this.settings = settings;
    this.waiting.queue.settings = settings.queue;
    const { spool } = this;
    if (spool !== undefined) spool.reader.strict = settings.strict === true;
    const wanted = spoolOf(settings);
    if (spool !== undefined && spool.directory === wanted?.directory) {
      spool.configure(wanted, settings.queue.whenFull, settings.spool !== undefined);
      if (before.spool?.sync !== settings.spool?.sync) this.startTimer();
      return;
    }
    if (spool !== undefined) this.end(spool);
    this.begin();
  }

  /** Whether so many records, or bytes, wait in memory, or anything on disk. */
  hasBatch(records: number, bytes: number): boolean {
    const { length, queue } = this.waiting;
    return length >= records || queue.bytes >= bytes || this.spool?.reader.empty === false;
  }

  /** Takes new records; once it is closed they are dropped. */
  push(records: readonly Buffer[]): void {
    if (this.closed) {
      this.ledger.refuse('stopped', records.length);
      return;
    }
    const now = performance.now();
    for (const record of records) this.waiting.queue.push(record, now);
    if (this.keeps && this.waiting.queue.isHalfFull) void this.toSpool();
  }

  /** A destination begins to take records through this tap; the previous one only gives back. */
  attach(tap: Tap): void {
    if (this.tap !== undefined) {
      this.tap.current = false;
      this.former.add(this.tap);
    }
    this.tap = tap;
    tap.current = true;
    this.reachable = tap.reachable;
    tap.onReadable();
  }

  /** The destination of a tap has come to its end. */
  ended(tap: Tap): void {
    if (this.former.delete(tap)) this.tap?.onReadable();
  }

  /**
   * The next record to hand over; undefined when there is none at the moment.
   *
   * @param fresh whether only what was never handed over
   * @param end records with this ordinal and higher ones are not given out
   */
  next(fresh: boolean, end: number): Entry | undefined {
    const { waiting, spool, ledger } = this;
    const wanted = { fresh, end };
    let entry: Entry | undefined;
    if (this.settings.strict !== true) entry = this.turns.next(waiting, spool, wanted);
    else if (!this.mustWait) entry = takeOldest(waiting, spool, wanted, ledger);
    if (entry !== undefined) ledger.hand(entry.ordinal);
    return entry;
  }

  /** Takes records back that were handed over. @param tried whether the peer may have got them */
  giveBack(records: readonly Handed[], tried: boolean): void {
    const entries: Entry[] = [];
    for (const { first, count, entry } of records) {
      for (let ordinal = first; ordinal < first + count; ordinal++) this.ledger.back(ordinal, tried);
      if (entry === undefined) this.spool?.reader.rewind();
      else if (!this.ledger.settled(first)) entries.push(entry);
    }
    if (this.closed) this.giveUp(entries);
    else this.waiting.putBack(entries);
  }

  /** Directory of the spool; undefined where there is none. */
  get directory(): string | undefined {
    return this.spool?.directory;
  }

  /** Takes over the spool of a closed store: its records stay counted until they are found there. */
  follow(before: Store): void {
    this.before.push(before);
    if (this.spool === undefined || this.spool.opened) this.takeOver();
    else void this.open(this.spool);
  }

  /** After the end: stops counting what is on disk. @returns how many records stay there */
  leave(): number {
    this.takeOver();
    return this.spool?.leave() ?? 0;
  }

  /** Spools what is in memory; what it cannot is dropped. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    // A disk that hangs must not keep the program from ending.
    await within(closeDeadline, this.closeSpool());
    // It may or may not be on disk.
    for (const { ordinal } of this.spilling) this.ledger.drop(ordinal, 'unconfirmed');
    this.spilling = [];
    this.giveUp(this.waiting.takeBatch(Infinity));
  }

  private get keeps(): boolean {
    return this.spool?.keeps === true;
  }

  private get oldest(): number | undefined {
    const times = [this.spool?.oldest, this.spilling[0]?.since];
    const since = Math.min(this.waiting.oldest, ...times.map((time) => time ?? Infinity));
    return since === Infinity ? undefined : Date.now() - (performance.now() - since);
  }

  /** What was in the spool of a store before this one is in ours now. */
  private takeOver(): void {
    for (const before of this.before.splice(0)) before.leave();
  }

  /** Begins to use the spool of the settings. */
  private begin(): void {
    const { spool, queue } = this.settings;
    const settings = spoolOf(this.settings);
    this.spool = undefined;
    this.unusable = false;
    if (settings !== undefined) {
      const { ledger, log, identity } = this;
      const onReadable = (): void => {
        this.tap?.onReadable();
      };
      const onOpened = (): void => {
        this.takeOver();
      };
      this.spool = new Spool(settings, queue.whenFull, spool !== undefined, {
        identity,
        ledger,
        log,
        onReadable,
        onOpened,
      });
      this.spool.reader.strict = this.settings.strict === true;
      void this.open(this.spool);
    }
    this.startTimer();
  }

  private startTimer(): void {
    clearInterval(this.timer);
    if (this.spool === undefined) return;
    const period = Math.min(retryDelay, (this.settings.spool?.sync ?? 1) * 1000);
    this.timer = setInterval(() => {
      this.tick();
    }, period).unref();
  }

  private async open(spool: Spool): Promise<void> {
    try {
      await spool.open();
      if (this.spool === spool) this.outage.end('spool: writing again');
    } catch (error) {
      this.failed = performance.now();
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof SpoolBusyError || this.spool !== spool) return;
      this.unusable = true;
      // Nothing was left, or it does not concern us.
      if (!spool.keeps && (code === 'ENOENT' || error instanceof SpoolInUseError)) this.spool = undefined;
      else this.outage.begin(`spool: ${message}; records wait in memory`);
      this.tap?.onReadable();
    }
  }

  /** Closes the spool of former settings. */
  private end(spool: Spool): void {
    const ended = this.settle(spool).finally(() => this.ending.delete(ended));
    this.ending.add(ended);
  }

  private async settle(spool: Spool): Promise<void> {
    await this.spill;
    await spool.close();
    const left = spool.leave();
    if (left > 0) this.log.warn(`${left} records stay in ${spool.directory}, which is no longer in use`);
  }

  private async closeSpool(): Promise<void> {
    await Promise.all(this.ending);
    if (this.spool === undefined) return;
    await this.spill;
    this.failed = -Infinity;
    if (this.keeps) await this.toSpool();
    await this.spool.close();
  }

  /** Whether records must not be handed over at the moment, as older ones may come before them. */
  private get mustWait(): boolean {
    const { spool } = this;
    const looks = spool?.opened === false && !this.unusable;
    return looks || this.spilling.length > 0 || this.former.size > 0;
  }

  private tick(): void {
    const { spool } = this;
    if (spool === undefined) return;
    const now = performance.now();
    if (!spool.opened && now - this.failed >= retryDelay) void this.open(spool);
    spool.tick();
    // It may still be full, but nothing has to wait because of that.
    if (this.outage.lasts && spool.opened && this.waiting.length + this.spilling.length === 0)
      this.outage.end('spool: no record waits for it any more');
    if (!this.keeps || now - this.spilled < (this.settings.spool?.sync ?? 0) * 1000 - 1) return;
    if (this.mustSpill) void this.toSpool();
  }

  /** Moves what waits in memory to the spool, as long as that is the one of the settings. */
  private toSpool(): Promise<void> {
    return (this.spill ??= this.moveAll().finally(() => (this.spill = undefined)));
  }

  private async moveAll(): Promise<void> {
    const { spool } = this;
    if (spool === undefined || performance.now() - this.failed < retryDelay) return;
    this.spilled = performance.now();
    while (spool === this.spool && !this.mustHold) {
      const batch = this.waiting.takeBatch(
        Math.min(batchBytes, (this.settings.spool?.maxBytes ?? Infinity) * batchShare),
      );
      if (batch.length === 0) return;
      this.spilling = batch;
      const kept = await this.append(spool, batch);
      // Given up meanwhile, as the store was closed and the disk hung.
      const lost = this.spilling.length === 0;
      this.spilling = [];
      if (!kept && !lost) {
        this.waiting.putBack(batch);
        this.tap?.onReadable();
        return;
      }
      this.outage.end('spool: writing again');
      this.tap?.onReadable();
      // What came meanwhile need not follow.
      if (!this.closed && !this.mustSpill) return;
    }
  }

  /** Whether the peer does not accept what waits in memory, or not fast enough. */
  private get mustSpill(): boolean {
    return !this.reachable || this.waiting.presses;
  }

  /** Whether waiting records must not be spooled yet, because older ones may come back and would end up after them. */
  private get mustHold(): boolean {
    return this.settings.strict === true && !this.closed && this.ledger.held > 0;
  }

  private async append(spool: Spool, batch: readonly Entry[]): Promise<boolean> {
    try {
      return await spool.append(batch);
    } catch (error) {
      this.failed = performance.now();
      if (!(error instanceof SpoolBusyError))
        this.outage.begin(`spool: ${(error as Error).message}; records wait in memory`);
      return false;
    }
  }

  private giveUp(entries: readonly Entry[]): void {
    for (const { ordinal } of entries)
      this.ledger.drop(ordinal, this.ledger.tried(ordinal) ? 'unconfirmed' : 'stopped');
  }
}

/** The spool to use. An output without one delivers what an earlier configuration left. */
function spoolOf({ spool, leftSpool }: StoreSettings): SpoolSettings | undefined {
  if (spool !== undefined || leftSpool === undefined) return spool;
  return { directory: leftSpool, maxBytes: Infinity, sync: 1, catchup: 0.5 };
}
