import { ascii, badLine, findLine, requireWholeLines } from '../../base/content.ts';
import type { Cursor } from '../../base/cursor.ts';

const EXPECTED = 'lines like "populated 1"';
const POPULATED = ascii('populated ');
const FROZEN = ascii('frozen ');

/** What cgroup.events of a cgroup tells. */
export class CgroupEvents {
  /** Whether a process lives in it or in a cgroup below it. */
  populated = false;
  /** Whether all of them are frozen; false where the kernel does not tell (before 5.2). */
  frozen = false;
}

/**
 * Parses cgroup.events of a cgroup v2 (Documentation/admin-guide/cgroup-v2.rst), lines such as `populated 1`.
 * @throws KernelFormatError
 */
export function parseCgroupEvents(cursor: Cursor, into: CgroupEvents, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  const populated = valueOf(cursor, POPULATED);
  if (Number.isNaN(populated)) throw badLine(cursor, path, EXPECTED, 0);
  into.populated = populated === 1;
  into.frozen = valueOf(cursor, FROZEN) === 1;
}

function valueOf(cursor: Cursor, key: Uint8Array): number {
  cursor.pos = 0;
  return findLine(cursor, key) ? cursor.int() : NaN;
}
