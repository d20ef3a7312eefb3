import type { Segment } from './spool/segment.ts';

/** A record on its way. */
export interface Entry {
  readonly bytes: Buffer;
  /** When the output took it, ms since 1970. */
  readonly time: number;
  /** Whether it was handed to the peer before, on a connection that broke. */
  sent: boolean;
  /** When it was handed over on the present connection, ms of the monotonic clock; NaN when it was not. */
  handed: number;
  /** Where it stands in the spool; undefined for one that is in memory only. */
  readonly place: Place | undefined;
}

export interface Place {
  readonly segment: Segment;
  /** The number of the record in its spool. */
  readonly ordinal: number;
}

/** A record that nobody was given yet. */
export function newEntry(bytes: Buffer, time: number): Entry {
  return { bytes, time, sent: false, handed: NaN, place: undefined };
}
