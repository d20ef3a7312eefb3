import type { Entry } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { Spool } from './spool/spool.ts';
import type { WaitingRecords } from './waiting.ts';

/** Which records are asked for. */
interface Wanted {
  /** Whether only what was never handed over. */
  readonly fresh: boolean;
  /** Records with this ordinal and higher ones are not wanted. */
  readonly end: number;
}

/**
 * Alternates between spool and queue by their shares of the connection while both have records. Records that were handed
 * over before and came back to memory go first.
 */
export class Turns {
  /** Bytes that the spool is behind its share of the connection; below 0: ahead of it. */
  private behind = 0;

  next(waiting: WaitingRecords, spool: Spool | undefined, { fresh, end }: Wanted): Entry | undefined {
    const returned = fresh ? undefined : waiting.takeReturned(end);
    if (returned !== undefined) return returned;
    const { queue } = waiting;
    const { front } = queue;
    const queued = front !== undefined && front.ordinal < end;
    if (spool === undefined) return queued ? queue.shift() : undefined;
    const { reader, catchup } = spool;
    const old = reader.peek(fresh);
    if (old === undefined || !queued) this.behind = 0;
    if (old !== undefined && this.behind >= 0) {
      this.behind -= old.bytes.length * (1 - catchup);
      return reader.shift();
    }
    if (queued) this.behind += front.bytes.length * catchup;
    return queued ? queue.shift() : undefined;
  }
}

/**
 * Takes the oldest waiting record. Records in the spool are older than all in memory and in order themselves: {@link Store}
 * appends nothing that is newer than what it may have to append later. So memory waits for the spool, also while a file has
 * yet to be read.
 */
export function takeOldest(
  waiting: WaitingRecords,
  spool: Spool | undefined,
  { fresh, end }: Wanted,
  ledger: Ledger,
): Entry | undefined {
  const stored = spool?.reader.peek(false);
  if (stored === undefined && spool?.reader.drained === false) return undefined;
  const entry = stored ?? waiting.front;
  if (entry === undefined || entry.ordinal >= end || (fresh && ledger.tried(entry.ordinal))) return undefined;
  return stored === undefined ? waiting.shift() : spool?.reader.shift();
}
