import { ascii, badLine, requireWholeLines } from '../../base/content.ts';
import type { Cursor } from '../../base/cursor.ts';

const [CAPITAL_N, EQUALS] = [0x4e, 0x3d];
/** More nodes than any kernel has (CONFIG_NODES_SHIFT is 10 at most). */
const MOST_NODES = 1024;

/** Bytes on each NUMA node, by its number; where a node is missing there are none. */
export type NodeBytes = number[];

/** Private memory and that which is shared (memfd, virtiofs); pages of files are nobody's own. */
const OWN = ['anon ', 'shmem '].map(ascii);
const TOTAL = [ascii('total=')];

/**
 * Adds up memory.numa_stat of a cgroup v2 (Documentation/admin-guide/cgroup-v2.rst), lines such as `anon N0=106496 N1=0`, as far
 * as they are memory of its own. Huge pages of hugetlbfs are not in it.
 * @throws KernelFormatError
 */
export function parseMemoryNumaStat(cursor: Cursor, into: NodeBytes, path: string): void {
  parseNodes(cursor, OWN, into, path, 'lines like "anon N0=106496 N1=0"');
}

/**
 * Adds up hugetlb.<size>.numa_stat of a cgroup v2, such as `total=4194304 N0=4194304 N1=0`.
 * @throws KernelFormatError
 */
export function parseHugetlbNumaStat(cursor: Cursor, into: NodeBytes, path: string): void {
  parseNodes(cursor, TOTAL, into, path, 'a line like "total=4194304 N0=4194304 N1=0"');
}

function parseNodes(
  cursor: Cursor,
  keys: readonly Uint8Array[],
  into: NodeBytes,
  path: string,
  expected: string,
): void {
  requireWholeLines(cursor, path, expected);
  let found = false;
  while (!cursor.atEnd) {
    const start = cursor.pos;
    if (keys.some((key) => cursor.take(key))) {
      found = true;
      // The sum of all nodes, where there is one.
      cursor.uint();
      while (nextIs(cursor, CAPITAL_N)) {
        const node = cursor.uint();
        if (!(node < MOST_NODES) || !nextIs(cursor, EQUALS)) throw badLine(cursor, path, expected, start);
        const bytes = cursor.uint();
        if (Number.isNaN(bytes)) throw badLine(cursor, path, expected, start);
        into[node] = (into[node] ?? 0) + bytes;
      }
    }
    cursor.skipLine();
  }
  if (!found) throw badLine(cursor, path, expected, 0);
}

/** Moves behind a character where it is the next one after blanks. */
function nextIs(cursor: Cursor, character: number): boolean {
  cursor.skipBlanks();
  if (cursor.atEnd || cursor.bytes[cursor.pos] !== character) return false;
  cursor.pos++;
  return true;
}
