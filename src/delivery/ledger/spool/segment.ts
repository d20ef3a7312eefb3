import { join } from 'node:path';

/** One file of a spool. */
export class Segment {
  /** Records it holds, the first of them number `first`. */
  records = 0;
  /** Of these, how many were never sent and not given out to be sent. */
  waiting = 0;
  bytes = 0;
  /** When its first record was taken, ms since 1970; NaN while not known. */
  time = NaN;
  /** Records given out and not known to have arrived. */
  outstanding = 0;
  /** Whether it was read: all its records have been or are being given out. */
  read = false;

  /** @param recovered whether it was written by an earlier run, whose records count as never sent */
  constructor(
    readonly path: string,
    readonly first: number,
    readonly recovered: boolean,
  ) {}

  /** The number behind that of its last record. */
  get end(): number {
    return this.first + this.records;
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
