import type { DropReason } from '../../sampling/output-status.ts';
import { Drops } from './drops.ts';

/** State of a record that is not settled. 0 means that it is settled or never existed. */
const SETTLED = 0;
/** Waits in memory. */
const MEMORY = 1;
/** Waits on disk. */
const DISK = 2;
/** Handed to the peer; the only copy is in memory. */
const HANDED = 3;
/** Handed to the peer; a copy is on disk. */
const HANDED_STORED = 4;
const STATE = 7;
/** It was handed to a peer before and may have arrived. */
const TRIED = 8;

const pageSize = 4096;

interface Page {
  readonly states: Uint8Array;
  /** Records in it that are not settled. */
  live: number;
}

/** Set by the tests: every transition is then checked. */
const asserting = process.env['PROXTOP_ASSERT'] === '1';
/** Transitions from one recount of the whole table to the next one, while they are checked. */
const recountEvery = 1024;

/**
 * What became of every record of an output. A record gets an ordinal when it is pushed and is in exactly one state from
 * then on: waiting (in memory or on disk), unconfirmed (handed to the peer), arrived, or dropped for a reason. Only this
 * table counts.
 *
 * Arrived and dropped are final: later reports about such a record are ignored, and the method returns false. A record
 * takes one byte while it is not settled, in pages that are freed when all their records are settled.
 */
export class Ledger {
  readonly drops = new Drops();
  /** Records that came from the printer or from the spool of an earlier run, less those left on disk at an end. */
  pushed = 0;
  /** Waiting in memory. */
  memory = 0;
  /** Waiting on disk. */
  disk = 0;
  unconfirmed = 0;
  /** Of the unconfirmed ones, those of which only memory has a copy. */
  held = 0;
  arrived = 0;
  /** Handed over again, because they may not have arrived. */
  resent = 0;
  /** Connections after the first one. */
  reconnects = 0;
  private next = 1;
  private readonly pages = new Map<number, Page>();
  private transitions = 0;

  /** The ordinal of the record that is pushed next. */
  get end(): number {
    return this.next;
  }

  /** A new record waits in memory. @returns its ordinal */
  push(): number {
    return this.enter(MEMORY);
  }

  /** Records that an earlier run left wait on disk. @returns the ordinal of the first one; they follow each other */
  adopt(records: number): number {
    const first = this.next;
    for (let count = 0; count < records; count++) this.enter(DISK);
    return first;
  }

  /** New records are dropped at once. */
  refuse(reason: DropReason, records = 1): void {
    this.next += records;
    this.pushed += records;
    this.drops.add(reason, records);
    this.check();
  }

  /** A record that waited in memory is on disk. */
  stored(ordinal: number): boolean {
    return this.move(ordinal, MEMORY, DISK);
  }

  /** A record that waited is handed to the peer. */
  hand(ordinal: number): boolean {
    const byte = this.byte(ordinal);
    const moved =
      (byte & STATE) === DISK ? this.move(ordinal, DISK, HANDED_STORED) : this.move(ordinal, MEMORY, HANDED);
    if (moved && (byte & TRIED) !== 0) this.resent++;
    return moved;
  }

  /** A record that was handed over waits again. @param tried whether the peer may have got it */
  back(ordinal: number, tried: boolean): boolean {
    const stored = this.is(ordinal, HANDED_STORED);
    const moved = stored ? this.move(ordinal, HANDED_STORED, DISK) : this.move(ordinal, HANDED, MEMORY);
    const states = this.pages.get(pageOf(ordinal))?.states;
    const index = ordinal & (pageSize - 1);
    if (moved && tried && states !== undefined) states[index] = (states[index] ?? SETTLED) | TRIED;
    return moved;
  }

  /** A record that was handed over arrived. */
  arrive(ordinal: number): boolean {
    if (asserting && (this.is(ordinal, MEMORY) || this.is(ordinal, DISK)))
      throw new Error(`ledger: record ${ordinal} was not handed over and arrived`);
    if (!this.settle(ordinal)) return false;
    this.arrived++;
    this.check();
    return true;
  }

  /** A record is given up. */
  drop(ordinal: number, reason: DropReason): boolean {
    if (!this.settle(ordinal)) return false;
    this.drops.add(reason);
    this.check();
    return true;
  }

  /** A record stays on disk for the next start: this ledger does not count it any more. */
  leave(ordinal: number): boolean {
    if (!this.settle(ordinal)) return false;
    this.pushed--;
    this.check();
    return true;
  }

  settled(ordinal: number): boolean {
    return this.byte(ordinal) === SETTLED;
  }

  waitsOnDisk(ordinal: number): boolean {
    return this.is(ordinal, DISK);
  }

  /** Whether the record was handed to a peer before and may have arrived. */
  tried(ordinal: number): boolean {
    return (this.byte(ordinal) & TRIED) !== 0;
  }

  private enter(state: number): number {
    const ordinal = this.next++;
    const page = this.pages.get(pageOf(ordinal)) ?? this.addPage(pageOf(ordinal));
    page.states[ordinal & (pageSize - 1)] = state;
    page.live++;
    this.pushed++;
    this.count(state, 1);
    this.check();
    return ordinal;
  }

  private move(ordinal: number, from: number, to: number): boolean {
    const page = this.pages.get(pageOf(ordinal));
    const index = ordinal & (pageSize - 1);
    const byte = page?.states[index] ?? SETTLED;
    if (page === undefined || byte === SETTLED) return false;
    if ((byte & STATE) !== from) {
      if (asserting) throw new Error(`ledger: record ${ordinal} is in state ${byte & STATE}, not ${from}`);
      return false;
    }
    page.states[index] = (byte & ~STATE) | to;
    this.count(from, -1);
    this.count(to, 1);
    this.check();
    return true;
  }

  private settle(ordinal: number): boolean {
    const number = pageOf(ordinal);
    const page = this.pages.get(number);
    const index = ordinal & (pageSize - 1);
    const byte = page?.states[index] ?? SETTLED;
    if (page === undefined || byte === SETTLED) return false;
    page.states[index] = SETTLED;
    page.live--;
    if (page.live === 0 && number !== pageOf(this.next)) this.pages.delete(number);
    this.count(byte & STATE, -1);
    return true;
  }

  private count(state: number, change: number): void {
    if (state === MEMORY) this.memory += change;
    else if (state === DISK) this.disk += change;
    else this.unconfirmed += change;
    if (state === HANDED) this.held += change;
  }

  private byte(ordinal: number): number {
    return this.pages.get(pageOf(ordinal))?.states[ordinal & (pageSize - 1)] ?? SETTLED;
  }

  private is(ordinal: number, state: number): boolean {
    return (this.byte(ordinal) & STATE) === state;
  }

  private addPage(number: number): Page {
    const page = { states: new Uint8Array(pageSize), live: 0 };
    this.pages.set(number, page);
    // The page before may have been kept only because it was the newest.
    if (this.pages.get(number - 1)?.live === 0) this.pages.delete(number - 1);
    return page;
  }

  /** @throws Error if the counts do not add up; only the tests call it */
  private check(): void {
    if (!asserting) return;
    const { pushed, memory, disk, unconfirmed, arrived, drops } = this;
    const sum = memory + disk + unconfirmed + arrived + drops.total;
    if (sum !== pushed || Math.min(memory, disk, unconfirmed) < 0)
      throw new Error(
        `ledger: ${pushed} pushed, but ${memory} in memory, ${disk} on disk, ${unconfirmed} unconfirmed, ` +
          `${arrived} arrived, ${drops.total} dropped`,
      );
    if (++this.transitions % recountEvery === 0) this.recount();
  }

  private recount(): void {
    const found = new Array<number>(STATE + 1).fill(0);
    for (const { states } of this.pages.values())
      for (const byte of states) found[byte & STATE] = (found[byte & STATE] ?? 0) + 1;
    const [, memory, disk, handed = 0, stored = 0] = found;
    if (
      memory !== this.memory ||
      disk !== this.disk ||
      handed !== this.held ||
      handed + stored !== this.unconfirmed
    )
      throw new Error(`ledger: the table holds ${found.slice(1).join(', ')} and the counts differ`);
  }
}

/** Not by a shift: it has 32 bits, and a record for each of 200 VMs a second makes more in four months. */
function pageOf(ordinal: number): number {
  return Math.floor(ordinal / pageSize);
}
