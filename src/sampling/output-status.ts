/** Why a record was given up. */
export const dropReasons = [
  /** There was no room in the memory queue. */
  'queue_full',
  /** The spool made room for newer records. */
  'spool_full',
  /** Larger than a whole queue, spool or datagram may be. */
  'too_large',
  /** The peer said that it does not take it. */
  'refused',
  /** It could not be sent, and this kind of output does not wait. */
  'unreachable',
  /** It could not be read back from the spool. */
  'damaged',
  /** The sample could not be printed. */
  'unprintable',
  /** It waited when the program ended, and there was no spool to keep it. */
  'stopped',
  /** It was handed over and may have arrived, but was not confirmed and could not be kept. */
  'unconfirmed',
] as const;
export type DropReason = (typeof dropReasons)[number];

/** connecting: not there yet since the start; down: not there, or failing; refused: there, but takes no records. */
export type OutputState = 'connecting' | 'up' | 'down' | 'refused';

/**
 * What an output did since the start, in records. Every record that it took, from a printer or from the spool of an
 * earlier run, is at any time exactly one of queued, spooled, unconfirmed, sent or dropped. Outputs of one name that
 * followed each other by reloads count as one.
 */
export interface OutputStatus {
  readonly state: OutputState;
  /** Waiting in memory. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Waiting on disk. */
  readonly spooled: number;
  /** What the spool takes up on disk, with what is unconfirmed and kept there until it is known to have arrived. */
  readonly spooledBytes: number;
  /** When the oldest record that waits was taken, ms since 1970; undefined when none waits. */
  readonly oldest: number | undefined;
  /** Handed to the destination and not confirmed yet: these may come back. */
  readonly unconfirmed: number;
  /** Known to have arrived, as far as this kind of destination can tell. */
  readonly sent: number;
  /** Handed to the destination again, because they may not have arrived. */
  readonly resent: number;
  /** Given up, for all reasons. */
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropReason, number>>;
  /** Connections made after the first one. */
  readonly reconnects: number;
  /** The last failure and since when it is over, for people; undefined while there was none. */
  readonly lastError: string | undefined;
}

/** An output as others see it. */
export interface ObservedOutput {
  /** NAME of [output.NAME]. */
  readonly name: string;
  readonly status: OutputStatus;
}
