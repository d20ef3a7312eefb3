import { ascii, badLine, findLine, requireWholeLines } from '../base/content.ts';
import type { Cursor } from '../base/cursor.ts';

const EXPECTED = 'a line like "ksm_merging_pages 1024"';
const PAGES = ascii('ksm_merging_pages ');

/**
 * Parses /proc/<pid>/ksm_stat (Documentation/admin-guide/mm/ksm.rst, kernel 6.1): lines `ksm_merging_pages 1024`, of newer
 * kernels also `ksm_mergeable: yes`. Empty for a process that is about to end: it has no memory any more.
 * @returns pages of the process that it shares with others; NaN if not known
 * @throws KernelFormatError
 */
export function parseKsmStat(cursor: Cursor, path: string): number {
  if (cursor.atEnd) return NaN;
  requireWholeLines(cursor, path, EXPECTED);
  const pages = findLine(cursor, PAGES) ? cursor.uint() : NaN;
  if (Number.isNaN(pages)) throw badLine(cursor, path, EXPECTED, 0);
  return pages;
}
