import { join } from 'node:path';
import type { Ledger } from '../ledger.ts';

/** Records of a segment whose ordinals in the ledger follow each other. */
interface Run {
  readonly ordinal: number;
  count: number;
}

/**
 * One file of a spool: records with numbers from `first` on. It knows which records of the ledger these are, and asks
 * the ledger what became of them.
 */
export class Segment {
  records = 0;
  bytes = 0;
  /** When its first record was taken, ms of the monotonic clock; NaN while not known. */
  since = NaN;
  /** When it may be read again after an error, ms of the monotonic clock. */
  retryAt = -Infinity;
  /** Attempts to read it that failed. */
  failures = 0;
  private readonly runs: Run[] = [];
  /** Records from the beginning that are settled: their run, and how many in it. */
  private run = 0;
  private inRun = 0;
  private done = 0;

  /** @param stranger whether its records are not for our destination: they are kept */
  constructor(
    readonly path: string,
    readonly first: number,
    readonly stranger = false,
  ) {}

  /** The number behind that of its last record. */
  get end(): number {
    return this.first + this.records;
  }

  /** Notes which record of the ledger is the next one of the file. */
  add(ordinal: number, count = 1): void {
    const last = this.runs.at(-1);
    if (last !== undefined && last.ordinal + last.count === ordinal) last.count += count;
    else this.runs.push({ ordinal, count });
    this.records += count;
  }

  /** The ordinals of all records, in the order of their numbers. */
  *ordinals(): Generator<number> {
    for (const { ordinal, count } of this.runs)
      for (let index = 0; index < count; index++) yield ordinal + index;
  }

  /** The number of the first record that is not settled; `end` when all are. */
  unsettled(ledger: Ledger): number {
    for (let run = this.runs[this.run]; run !== undefined; run = this.runs[this.run]) {
      if (this.inRun === run.count) {
        // The last run may still grow.
        if (this.run === this.runs.length - 1) break;
        this.run++;
        this.inRun = 0;
      } else if (ledger.settled(run.ordinal + this.inRun)) {
        this.inRun++;
        this.done++;
      } else break;
    }
    return this.first + this.done;
  }

  /** Whether one of its records waits. */
  waits(ledger: Ledger): boolean {
    if (this.unsettled(ledger) === this.end) return false;
    for (const ordinal of this.ordinals()) if (ledger.waitsOnDisk(ordinal)) return true;
    return false;
  }
}

const digits = 16;

/** The path of the segment whose first record is number `first`. */
export function segmentPath(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(digits, '0')}.spool`);
}

/** The number of the first record of the segment in a file of this name; undefined for other files. */
export function firstOf(file: string): number | undefined {
  const number = /^(\d{16})\.spool$/.exec(file)?.[1];
  return number === undefined ? undefined : Number(number);
}
