import { ascii, badLine, requireWholeLines } from '../base/content.ts';
import type { Cursor } from '../base/cursor.ts';

const EXPECTED = 'lines like "Name:\tkvm"';
const NAME = ascii('Name:');
const RSS_SHMEM = ascii('RssShmem:');
const VM_SWAP = ascii('VmSwap:');
const HUGETLB = ascii('HugetlbPages:');
const CPUS = ascii('\nCpus_allowed_list:\t');
const NEWLINE = 0x0a;

/** What /proc/<pid>/status tells of the memory of a process, in bytes. */
export class PidMemory {
  /** Resident pages of shared mappings, files left out; NaN if not known. */
  shared = NaN;
  /** What is swapped out, shared mappings left out; NaN if not known, as in zombies. */
  swap = NaN;
  /** Huge pages of hugetlbfs, which do not count as resident; NaN where the kernel has none. */
  hugetlb = NaN;
}

/**
 * Parses /proc/<pid>/status (Documentation/filesystems/proc.rst, table 1-2), of which only lines like
 * `VmSwap:       0 kB` are read.
 * @throws KernelFormatError
 */
export function parsePidMemory(cursor: Cursor, into: PidMemory, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  if (!cursor.take(NAME)) throw badLine(cursor, path, EXPECTED, 0);
  into.shared = NaN;
  into.swap = NaN;
  into.hugetlb = NaN;
  while (!cursor.atEnd) {
    if (cursor.take(RSS_SHMEM)) into.shared = cursor.int() * 1024;
    else if (cursor.take(VM_SWAP)) into.swap = cursor.int() * 1024;
    else if (cursor.take(HUGETLB)) into.hugetlb = cursor.int() * 1024;
    cursor.skipLine();
  }
}

/**
 * The CPUs that a task may run on, as /proc/<pid>/task/<tid>/status lists them (`0-3,8`); undefined where the kernel has
 * no such line.
 */
export function cpusAllowed(status: Buffer): string | undefined {
  const line = status.indexOf(CPUS);
  if (line < 0) return undefined;
  const start = line + CPUS.length;
  const end = status.indexOf(NEWLINE, start);
  return end > start ? status.toString('latin1', start, end) : undefined;
}

/**
 * The user that a process belongs to, by the line `Uid:` of /proc/<pid>/status. Undefined where its real, effective, saved
 * and file system ids differ: such a process was started by another user than the one whose rights it has (setuid).
 *
 * @param text of the file
 */
export function ownerOf(text: string): number | undefined {
  const ids = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(text)?.slice(1);
  const [owner] = ids ?? [];
  return owner !== undefined && ids?.every((id) => id === owner) === true ? Number(owner) : undefined;
}

/**
 * The pid of a process in its innermost pid namespace, by the line `NSpid:` of /proc/<pid>/status; undefined where that is
 * our own. @param text of the file
 */
export function innermostPid(text: string): number | undefined {
  const pid = /^NSpid:(?:\t\d+)+\t(\d+)$/m.exec(text)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
