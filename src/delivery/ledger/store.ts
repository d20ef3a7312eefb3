import type { Logger } from 'pino';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { SpoolSettings, StoreSettings } from '../settings.ts';
import { Outage } from '../shared/outage.ts';
import { within } from '../shared/within.ts';
import type { Entry, Handed } from './entry.ts';
import { Fifo } from './fifo.ts';
import type { Ledger } from './ledger.ts';
import { RecordQueue } from './queue.ts';
import type { SpoolIdentity } from './spool/header.ts';
import { SpoolBusyError, SpoolInUseError } from './spool/lock.ts';
import { Spool } from './spool/spool.ts';
import { Tap } from './tap.ts';

/** What a store knows of the status of its output. */
export type StoreStatus = Omit<OutputStatus, 'state' | 'lastError'>;

/** While the peer takes records, one that waits longer than this (ms) is spooled all the same. */
const patience = 5000;
/** Bytes that are written to the spool at a time, at most; and their share of a small spool. */
const batchBytes = 1 << 20;
const batchShare = 1 / 16;
/** ms from one try of what failed to the next one. */
const retryDelay = 1000;
/** ms that writing may take at the end, and that the first look at a spool may take. */
const closeDeadline = 3000;
const openDeadline = 2000;
/** Bytes that were handed over and wait again in memory, at most; or as many as the queue holds. */
export const returnedBytes = 16 << 20;

/**
 * What waits for the destinations of one name and format: a queue in memory and, where it is configured, a spool on
 * disk. Destinations come and go with the configuration, the store stays. The newest one draws from it by its
 * {@link Tap}; those before it give back what they cannot deliver. The {@link Ledger} counts.
 *
 * With a spool, a record that the peer does not take is on disk `sync` seconds later, so that memory stays as it is
 * during an outage and a kill costs no more than that. When the peer is back, what was spooled and what is new share
 * the connection, so that a backlog of hours does not hold up the present; each of the two comes in its own order.
 */
export class Store {
  /** Whether the peer takes records at the moment; the destination says so by its tap. */
  reachable = false;
  /** Whether nobody wants to hear what becomes of the records: who read them went away, which is no fault. */
  silent = false;
  private readonly queue: RecordQueue;
  private spool: Spool | undefined;
  private readonly outage: Outage;
  /** Handed over before and waiting again, in memory only; the oldest first. */
  private readonly returned = new Fifo<Entry>();
  private returnedSize = 0;
  /** Being written to the spool. */
  private spilling: readonly Entry[] = [];
  private spill: Promise<void> | undefined;
  private spilled = -Infinity;
  private failed = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private tap: Tap | undefined;
  private closed = false;
  /** Bytes that the spool is behind its share of the connection; below 0: ahead of it. */
  private behind = 0;
  /** Spools of former settings that are being closed. */
  private readonly ending = new Set<Promise<void>>();

  /** @param identity what the records are; the store takes no others */
  constructor(
    private settings: StoreSettings,
    readonly identity: SpoolIdentity,
    readonly ledger: Ledger,
    private readonly log: Logger,
  ) {
    this.queue = new RecordQueue(settings.queue, ledger);
    this.outage = new Outage(log, this);
    this.begin();
  }

  get status(): StoreStatus {
    const { memory, disk, unconfirmed, arrived, resent, reconnects, drops } = this.ledger;
    const spilling = this.spilling.filter(({ ordinal }) => !this.ledger.waitsOnDisk(ordinal));
    return {
      queued: memory,
      queuedBytes: this.queue.bytes + this.returnedSize + sizeOf(spilling),
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

  /** Why the spool takes nothing at the moment; undefined when it does. */
  get trouble(): string | undefined {
    return this.outage.lasts ? this.outage.lastError : undefined;
  }

  /** Whether nothing waits that can be handed over. */
  get empty(): boolean {
    const inMemory = this.queue.length + this.returned.length + this.spilling.length;
    return inMemory === 0 && (this.spool?.reader.empty ?? true);
  }

  /**
   * Waits for the first look at the spool, for a while.
   *
   * @throws SpoolInUseError when another process uses it
   */
  async ready(): Promise<void> {
    if (this.spool?.keeps !== true) return;
    const opened = this.spool.open().catch((error: unknown) => {
      if (error instanceof SpoolInUseError) throw error;
    });
    await within(openDeadline, opened);
  }

  /** Other limits, or another spool, from now on. What is in the old spool stays there. */
  configure(settings: StoreSettings): void {
    const before = this.settings;
    this.settings = settings;
    this.queue.settings = settings.queue;
    const directory = settings.spool?.directory ?? settings.leftSpool;
    const keeps = settings.spool !== undefined;
    if (this.spool !== undefined && this.spool.directory === directory && this.spool.keeps === keeps) {
      if (settings.spool !== undefined) this.spool.configure(settings.spool, settings.queue.whenFull);
      if (before.spool?.sync !== settings.spool?.sync) this.startTimer();
      return;
    }
    const { spool } = this;
    if (spool !== undefined) this.end(spool);
    this.begin();
  }

  /** Whether so many records, or bytes, wait in memory, or anything on disk. */
  hasBatch(records: number, bytes: number): boolean {
    const inMemory = this.queue.length + this.returned.length;
    return inMemory >= records || this.queue.bytes >= bytes || this.spool?.reader.empty === false;
  }

  /** Takes new records. @returns false when it is closed: then it did not take them */
  push(records: readonly Buffer[]): boolean {
    if (this.closed) return false;
    const now = performance.now();
    for (const record of records) this.queue.push(record, now);
    if (this.keeps && this.queue.bytes > this.queue.settings.maxBytes / 2) void this.toSpool();
    return true;
  }

  /** A destination begins to draw by this tap; the one before only gives back. */
  attach(tap: Tap): void {
    if (this.tap !== undefined) this.tap.current = false;
    this.tap = tap;
    tap.current = true;
    this.reachable = tap.reachable;
    tap.onReadable();
  }

  /**
   * The next record to hand over; undefined when there is none at the moment.
   *
   * @param fresh whether only what was never handed over
   * @param end records with this ordinal and higher ones are not given out
   */
  next(fresh: boolean, end: number): Entry | undefined {
    const entry = (fresh ? undefined : this.takeReturned(end)) ?? this.shared(fresh, end);
    if (entry !== undefined) this.ledger.hand(entry.ordinal);
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
    else this.putBack(entries);
  }

  /** Spools what is in memory; what it cannot is dropped. @returns the records that wait on disk for the next start */
  async close(): Promise<number> {
    this.closed = true;
    clearInterval(this.timer);
    // A disk that hangs must not keep the program from ending.
    await within(closeDeadline, this.closeSpool());
    // It may be on disk, and it may not.
    for (const { ordinal } of this.spilling) this.ledger.drop(ordinal, 'unconfirmed');
    this.spilling = [];
    this.giveUp(this.batch(Infinity));
    return this.spool?.leave() ?? 0;
  }

  private get keeps(): boolean {
    return this.spool?.keeps === true;
  }

  private get oldest(): number | undefined {
    const entries = [this.returned.at(0), this.spilling[0], this.queue.front];
    const times = [this.spool?.oldest, ...entries.map((entry) => entry?.since)];
    const since = Math.min(...times.map((time) => time ?? Infinity));
    return since === Infinity ? undefined : Date.now() - (performance.now() - since);
  }

  /** Begins to use the spool of the settings. */
  private begin(): void {
    const { spool, leftSpool, queue } = this.settings;
    const settings = spool ?? (leftSpool === undefined ? undefined : leftover(leftSpool));
    this.spool = undefined;
    if (settings !== undefined) {
      const { ledger, log, identity } = this;
      const onReadable = (): void => {
        this.tap?.onReadable();
      };
      this.spool = new Spool(settings, queue.whenFull, spool !== undefined, {
        identity,
        ledger,
        log,
        onReadable,
      });
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
      // Nobody has left anything, or it is none of our business.
      if (!spool.keeps && (code === 'ENOENT' || error instanceof SpoolInUseError)) this.spool = undefined;
      else this.outage.begin(`spool: ${message}; records wait in memory`);
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
    if (left > 0 && this.spool?.directory !== spool.directory)
      this.log.warn(`${left} records stay in ${spool.directory}, which is no longer in use`);
  }

  private async closeSpool(): Promise<void> {
    await Promise.all(this.ending);
    if (this.spool === undefined) return;
    await this.spill;
    this.failed = -Infinity;
    if (this.keeps) await this.toSpool();
    await this.spool.close();
  }

  /** Lets the spool and the queue take turns by their shares while both have something. */
  private shared(fresh: boolean, end: number): Entry | undefined {
    const { front } = this.queue;
    const queued = front !== undefined && front.ordinal < end;
    if (this.spool === undefined) return queued ? this.queue.shift() : undefined;
    const { reader, catchup } = this.spool;
    const old = reader.peek(fresh);
    if (old === undefined || !queued) this.behind = 0;
    if (old !== undefined && this.behind >= 0) {
      this.behind -= old.bytes.length * (1 - catchup);
      return reader.shift();
    }
    if (queued) this.behind += front.bytes.length * catchup;
    return queued ? this.queue.shift() : undefined;
  }

  private tick(): void {
    const { spool } = this;
    if (spool === undefined) return;
    const now = performance.now();
    if (now - this.failed >= retryDelay) void this.open(spool);
    spool.tick();
    if (!this.keeps || now - this.spilled < (this.settings.spool?.sync ?? 0) * 1000 - 1) return;
    const oldest = Math.min(this.queue.front?.since ?? Infinity, this.returned.at(0)?.since ?? Infinity);
    if (!this.reachable || now - oldest > patience) void this.toSpool();
  }

  /** Moves what waits in memory to the spool. */
  private toSpool(): Promise<void> {
    return (this.spill ??= this.moveAll().finally(() => (this.spill = undefined)));
  }

  private async moveAll(): Promise<void> {
    const { spool } = this;
    if (spool === undefined || performance.now() - this.failed < retryDelay) return;
    this.spilled = performance.now();
    for (;;) {
      const batch = this.batch(
        Math.min(batchBytes, (this.settings.spool?.maxBytes ?? Infinity) * batchShare),
      );
      if (batch.length === 0) return;
      this.spilling = batch;
      const kept = await this.append(spool, batch);
      // Given up meanwhile, as the store was closed and the disk hung.
      const lost = this.spilling.length === 0;
      this.spilling = [];
      if (!kept && !lost) {
        this.putBack(batch);
        return;
      }
      this.outage.end('spool: writing again');
      this.tap?.onReadable();
    }
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

  /** Takes what waits in memory, the oldest first. */
  private batch(most: number): Entry[] {
    const batch: Entry[] = [];
    for (let bytes = 0; bytes < most;) {
      const entry = this.takeReturned(Infinity) ?? this.queue.shift();
      if (entry === undefined) break;
      batch.push(entry);
      bytes += entry.bytes.length;
    }
    return batch;
  }

  private takeReturned(end: number): Entry | undefined {
    if ((this.returned.at(0)?.ordinal ?? Infinity) >= end) return undefined;
    const entry = this.returned.shift();
    if (entry !== undefined) this.returnedSize -= entry.bytes.length;
    return entry;
  }

  /** Puts records back that were taken out to be handed over or spooled. */
  private putBack(entries: readonly Entry[]): void {
    this.putReturned(entries.filter(({ ordinal }) => this.ledger.tried(ordinal)));
    this.queue.unshift(entries.filter(({ ordinal }) => !this.ledger.tried(ordinal)));
  }

  /** Adds to what waits to be handed over again, in order; what is too much is given up. */
  private putReturned(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const all = [...entries];
    for (let entry = this.returned.shift(); entry !== undefined; entry = this.returned.shift())
      all.push(entry);
    all.sort((a, b) => a.ordinal - b.ordinal);
    for (const entry of all) this.returned.push(entry);
    this.returnedSize += sizeOf(entries);
    while (this.returnedSize > Math.max(returnedBytes, this.queue.settings.maxBytes)) {
      const oldest = this.takeReturned(Infinity);
      if (oldest === undefined) return;
      this.ledger.drop(oldest.ordinal, 'unconfirmed');
    }
  }

  private giveUp(entries: readonly Entry[]): void {
    for (const { ordinal } of entries)
      this.ledger.drop(ordinal, this.ledger.tried(ordinal) ? 'unconfirmed' : 'stopped');
  }
}

/** An output without a spool delivers what an earlier configuration left in one. */
function leftover(directory: string): SpoolSettings {
  return { directory, maxBytes: Infinity, sync: 1, catchup: 0.5 };
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
