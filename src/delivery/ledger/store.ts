import type { Logger } from 'pino';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { Heir } from '../destination.ts';
import { Drops } from './drops.ts';
import type { Entry } from './entry.ts';
import { Fifo } from './fifo.ts';
import { Outage } from '../shared/outage.ts';
import { RecordQueue } from './queue.ts';
import type { QueueSettings, SpoolSettings } from '../settings.ts';
import { Spool } from './spool/spool.ts';

/** What a store knows of the status of its output. */
export type StoreStatus = Pick<
  OutputStatus,
  'queued' | 'queuedBytes' | 'spooled' | 'spooledBytes' | 'oldest' | 'dropped' | 'droppedBy'
>;

/** While the peer takes records, one that waits longer than this (ms) is spooled all the same. */
const patience = 5000;
/** Bytes that are written to the spool at a time. */
const batchBytes = 1 << 20;
/** ms from a failed write to the next one. */
const retryDelay = 1000;
/** ms that writing may take at the end. */
const closeDeadline = 3000;

/**
 * What waits for a destination: a queue in memory and, where it is configured, a spool on disk.
 *
 * The destination takes the records one by one with `next`. When one is known to have arrived it says so with
 * `delivered`, in the order in which it took them; what it took and cannot deliver it gives back, and gets it again
 * before all others.
 *
 * With a spool, a record that the peer does not take is on disk `sync` seconds later, so that memory stays as it is
 * during an outage and a kill costs no more than that. When the peer is back, what was spooled and what is new share
 * the connection, so that a backlog of hours does not hold up the present; each of the two comes in its own order.
 */
export class Store {
  readonly drops = new Drops();
  /** Called when there is something to take that was not there before. */
  onReadable: () => void = () => undefined;
  /** Whether the peer takes records at the moment; the destination sets it. */
  reachable = false;
  private readonly queue: RecordQueue;
  private readonly spool: Spool | undefined;
  private readonly catchup: number;
  private readonly outage: Outage;
  /** Given back; the oldest first. */
  private returned = new Fifo<Entry>();
  /** Being written to the spool. */
  private spilling: readonly Entry[] = [];
  private spill: Promise<void> | undefined;
  private failed = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  /** Bytes that the spool is behind its share of the connection; below 0: ahead of it. */
  private behind = 0;

  /** @throws SpoolInUseError when another process uses the directory of the spool */
  constructor(queue: QueueSettings, spool: SpoolSettings | undefined, log: Logger) {
    this.queue = new RecordQueue(queue, this.drops);
    this.outage = new Outage(log, this);
    this.catchup = spool?.catchup ?? 0;
    if (spool === undefined) return;
    this.spool = new Spool(spool, queue.whenFull, this.drops, log, () => {
      this.onReadable();
    });
    this.timer = setInterval(() => {
      this.tick();
    }, spool.sync * 1000).unref();
  }

  get status(): StoreStatus {
    let queued = this.queue.length;
    let queuedBytes = this.queue.bytes;
    const count = ({ sent, bytes, place }: Entry): void => {
      if (sent) return;
      queued++;
      if (place === undefined) queuedBytes += bytes.length;
    };
    for (let index = 0; index < this.returned.length; index++) count(this.returned.at(index) as Entry);
    this.spilling.forEach(count);
    const times = [this.returned.at(0)?.time, this.spool?.oldest, this.spilling[0]?.time, this.queue.oldest];
    const oldest = Math.min(...times.map((time) => time ?? Infinity));
    return {
      queued,
      queuedBytes,
      spooled: this.spool?.waiting ?? 0,
      spooledBytes: this.spool?.bytes ?? 0,
      oldest: oldest === Infinity ? undefined : oldest,
      dropped: this.drops.total,
      droppedBy: this.drops.by,
    };
  }

  /** Why the spool takes nothing at the moment; undefined when it does. */
  get trouble(): string | undefined {
    return this.outage.lasts ? this.outage.lastError : undefined;
  }

  /** Whether nothing waits. */
  get empty(): boolean {
    const inMemory = this.queue.length + this.returned.length + this.spilling.length;
    return inMemory === 0 && (this.spool?.empty ?? true);
  }

  /** Whether so many records, or bytes, wait in memory, or anything on disk. */
  hasBatch(records: number, bytes: number): boolean {
    const inMemory = this.queue.length + this.returned.length;
    return inMemory >= records || this.queue.bytes >= bytes || this.spool?.empty === false;
  }

  /** Takes a new record. @param time ms since 1970 */
  push(record: Buffer, time: number): void {
    this.queue.push(record, time);
    if (this.spool !== undefined && this.queue.bytes > this.queue.settings.maxBytes / 2) void this.toSpool();
  }

  /** The next record to deliver; undefined when there is none at the moment. */
  next(): Entry | undefined {
    return this.returned.shift() ?? this.shared();
  }

  /** A record that was taken is known to have arrived. */
  delivered(entry: Entry): void {
    this.spool?.delivered(entry);
  }

  /** Takes records back that could not be delivered, in the order in which they were taken. */
  giveBack(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const later = this.returned;
    this.returned = new Fifo();
    for (const entry of entries) this.returned.push(entry);
    for (let entry = later.shift(); entry !== undefined; entry = later.shift()) this.returned.push(entry);
  }

  /** Spools what is in memory. What it cannot goes to the heir, also what may have arrived, or is dropped. */
  async close(heir?: Heir): Promise<void> {
    clearInterval(this.timer);
    const spooled = this.closeSpool();
    let timer: NodeJS.Timeout | undefined;
    // A disk that hangs must not keep the program from ending.
    await Promise.race([spooled, new Promise((resolve) => (timer = setTimeout(resolve, closeDeadline)))]);
    clearTimeout(timer);
    for (let entry = this.returned.shift(); entry !== undefined; entry = this.returned.shift()) {
      const { sent, place, bytes } = entry;
      if (place !== undefined) place.segment.waiting += sent ? 0 : 1;
      else if (heir !== undefined) heir(bytes);
      else if (!sent) this.drops.add('stopped');
    }
    this.queue.end(heir);
  }

  private async closeSpool(): Promise<void> {
    if (this.spool === undefined) return;
    await this.spill;
    this.failed = -Infinity;
    await this.toSpool();
    await this.spool.close();
  }

  /** Lets the spool and the queue take turns by their shares while both have something. */
  private shared(): Entry | undefined {
    if (this.spool === undefined) return this.queue.shift();
    const old = this.spool.peek();
    if (old === undefined || this.queue.length === 0) this.behind = 0;
    if (old !== undefined && this.behind >= 0) {
      this.behind -= old.bytes.length * (1 - this.catchup);
      return this.spool.shift();
    }
    const entry = this.queue.shift();
    if (entry !== undefined) this.behind += entry.bytes.length * this.catchup;
    return entry;
  }

  private tick(): void {
    void this.spool?.save();
    const age = Date.now() - Math.min(this.queue.oldest ?? Infinity, this.returned.at(0)?.time ?? Infinity);
    if (!this.reachable || age > patience) void this.toSpool();
  }

  /** Moves what waits in memory to the spool. */
  private toSpool(): Promise<void> {
    return (this.spill ??= this.moveAll().finally(() => (this.spill = undefined)));
  }

  private async moveAll(): Promise<void> {
    const spool = this.spool;
    if (spool === undefined || performance.now() - this.failed < retryDelay) return;
    for (;;) {
      const batch = this.batch();
      if (batch.length === 0) return;
      this.spilling = batch;
      const kept = await this.append(spool, batch);
      this.spilling = [];
      if (!kept) {
        this.giveBack(batch);
        return;
      }
      this.outage.end('spool: writing again');
      this.onReadable();
    }
  }

  private async append(spool: Spool, batch: readonly Entry[]): Promise<boolean> {
    try {
      return await spool.append(batch);
    } catch (error) {
      this.failed = performance.now();
      this.outage.begin(`spool: ${(error as Error).message}; records wait in memory`);
      return false;
    }
  }

  /** Takes what is in memory only, the oldest first. */
  private batch(): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    const spooled: Entry[] = [];
    while (bytes < batchBytes) {
      const entry = this.returned.shift() ?? this.queue.shift();
      if (entry === undefined) break;
      if (entry.place !== undefined) {
        spooled.push(entry);
        continue;
      }
      batch.push(entry);
      bytes += entry.bytes.length;
    }
    this.giveBack(spooled);
    return batch;
  }
}
