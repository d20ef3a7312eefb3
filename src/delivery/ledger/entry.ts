/** A record on its way. */
export interface Entry {
  /** Its number in the ledger. */
  readonly ordinal: number;
  readonly bytes: Buffer;
  /** When the output took it, ms of the monotonic clock; below 0 where that was before the program started. */
  readonly since: number;
  /** Whether a copy of it is on disk. */
  readonly stored: boolean;
}

/** Records that were handed to a peer, with ordinals that follow each other. */
export interface Handed {
  readonly first: number;
  readonly count: number;
  /** The record itself where memory has the only copy; then it is one. */
  readonly entry?: Entry;
}

/** Notes that a record was handed over. What the disk has need not be held. */
export function handed(entry: Entry): Handed {
  const { ordinal, stored } = entry;
  return stored ? { first: ordinal, count: 1 } : { first: ordinal, count: 1, entry };
}
