import { ascii, badLine, findLine, requireWholeLines } from './content.ts';
import type { Cursor } from './cursor.ts';

const EXPECTED = 'lines like "Name:\tkvm"';
const NAME = ascii('Name:');
const VM_SWAP = ascii('VmSwap:');

/**
 * Parses /proc/<pid>/status (Documentation/filesystems/proc.rst, table 1-2), of which only `VmSwap:       0 kB` is
 * read.
 * @returns bytes of the process that are swapped out, shared memory left out; NaN where there is no such line, as in
 *   kernel threads and zombies
 * @throws KernelFormatError
 */
export function parsePidStatusSwap(cursor: Cursor, path: string): number {
  requireWholeLines(cursor, path, EXPECTED);
  if (!cursor.take(NAME)) throw badLine(cursor, path, EXPECTED, 0);
  cursor.skipLine();
  return findLine(cursor, VM_SWAP) ? cursor.int() * 1024 : NaN;
}

/**
 * The CPUs that a task may run on, as /proc/<pid>/task/<tid>/status lists them (`0-3,8`); undefined where the kernel has
 * no such line. @param text of the file
 */
export function cpusAllowed(text: string): string | undefined {
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(text)?.[1];
}
