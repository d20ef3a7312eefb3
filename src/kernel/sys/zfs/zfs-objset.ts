import { ascii, badLine, findLine, requireWholeLines } from '../../base/content.ts';
import { Counters } from '../../base/counters.ts';
import type { Cursor } from '../../base/cursor.ts';

/** Bytes and operations, of the cache or of disks. */
export const zfsObjsetCounters = { readBytes: 0, writeBytes: 1, reads: 2, writes: 3 } as const;

const EXPECTED = 'a line like "dataset_name                    7    rpool/data/subvol-101-disk-0"';
const NAME = ascii('dataset_name ');
const KEYS = ['nread', 'nwritten', 'reads', 'writes'].map((name) => ascii(`${name} `));
const NEWLINE = 0x0a;

/** What ZFS counts of one file system or volume. */
export class ZfsObjset {
  dataset = '';
  /** See {@link zfsObjsetCounters}. */
  readonly counters = new Counters(KEYS.length);
}

/**
 * Parses /proc/spl/kstat/zfs/<pool>/objset-0x<id> (OpenZFS, kstat of named values: name, type, data), such as
 *
 *     dataset_name                    7    rpool/data/subvol-101-disk-0
 *     writes                          4    812
 *     nwritten                        4    6651904
 *
 * @throws KernelFormatError
 */
export function parseZfsObjset(cursor: Cursor, into: ZfsObjset, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  if (!findLine(cursor, NAME)) throw badLine(cursor, path, EXPECTED, 0);
  cursor.skipWord();
  cursor.skipBlanks();
  const start = cursor.pos;
  into.dataset = cursor.text(start, cursor.bytes.indexOf(NEWLINE, start));
  into.counters.clear();
  KEYS.forEach((key, index) => {
    cursor.pos = 0;
    if (!findLine(cursor, key)) return;
    cursor.skipWord();
    into.counters.read(index, cursor);
  });
}
