import { ascii } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';
import { parseKeyedLines } from '../base/keyed-lines.ts';

/** Bytes of read and write calls, number of these calls, and bytes that went to or came from the block layer. */
export const pidIoCounters = {
  rchar: 0,
  wchar: 1,
  syscr: 2,
  syscw: 3,
  readBytes: 4,
  writeBytes: 5,
  cancelledWriteBytes: 6,
} as const;

const KEYS = ['rchar', 'wchar', 'syscr', 'syscw', 'read_bytes', 'write_bytes', 'cancelled_write_bytes'].map(
  (name) => ascii(`${name}:`),
);

/** What /proc/<pid>/io tells. */
export class PidIo {
  /** See {@link pidIoCounters}. */
  readonly counters = new Counters(KEYS.length);
}

/**
 * Parses /proc/<pid>/io (Documentation/filesystems/proc.rst), lines such as `read_bytes: 32768`.
 * @throws KernelFormatError
 */
export function parsePidIo(cursor: Cursor, into: PidIo, path: string): void {
  parseKeyedLines(cursor, KEYS, into.counters, path, 'lines like "rchar: 323934931"');
}
