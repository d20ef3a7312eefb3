import { KernelFormatError } from '../base/errors.ts';
import { KernelFile } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';

const AT_NULL = 0n;
const AT_PAGESZ = 6n;
const ENTRY = 16;

/**
 * Parses the auxiliary vector of a 64-bit little-endian process, /proc/<pid>/auxv (getauxval(3)): pairs of type and
 * value, 8 bytes each.
 * @returns the size of a page in bytes
 * @throws KernelFormatError
 */
export function parsePageSize(auxv: Buffer, path: string): number {
  for (let at = 0; at + ENTRY <= auxv.length; at += ENTRY) {
    const type = auxv.readBigUInt64LE(at);
    if (type === AT_PAGESZ) return Number(auxv.readBigUInt64LE(at + ENTRY / 2));
    if (type === AT_NULL) break;
  }
  throw new KernelFormatError(path, 'an entry AT_PAGESZ', auxv.toString('hex'));
}

/** The size of a page of this host in bytes; NaN when procfs does not tell. */
export function pageSize(paths: Paths): number {
  const file = new KernelFile(paths.proc('self/auxv'));
  const length = file.read();
  file.close();
  return length < 0 ? NaN : parsePageSize(file.bytes.subarray(0, length), file.path);
}
