import { ascii, badLine, requireWholeLines } from '../base/content.ts';
import type { Cursor } from '../base/cursor.ts';
import type { MemInfo } from '../proc/proc-meminfo.ts';

const EXPECTED = 'lines like "Node 0 MemTotal:       16777216 kB"';
const NODE = ascii('Node ');

/**
 * Parses the meminfo of a NUMA node (drivers/base/node.c, node_read_meminfo), such as
 *
 *     Node 0 MemTotal:       16777216 kB
 *     Node 0 HugePages_Total:     0
 *
 * @throws KernelFormatError
 */
export function parseNodeMemInfo(cursor: Cursor, into: MemInfo, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  into.values.fill(NaN);
  into.lines.begin();
  while (!cursor.atEnd) {
    const start = cursor.pos;
    if (!cursor.take(NODE) || Number.isNaN(cursor.uint())) throw badLine(cursor, path, EXPECTED, start);
    cursor.skipBlanks();
    into.take(cursor);
  }
  into.lines.end();
}
