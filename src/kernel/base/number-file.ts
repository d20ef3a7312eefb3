import { badLine, requireWholeLines } from './content.ts';
import type { Cursor } from './cursor.ts';

const NEWLINE = 0x0a;
const EXPECTED = 'one whole number';

/**
 * Parses a file that holds nothing but a whole number, as memory.current of a cgroup and ksm's pages_sharing do.
 * @throws KernelFormatError
 */
export function parseNumberAt(cursor: Cursor, path: string): number {
  requireWholeLines(cursor, path, EXPECTED);
  const value = cursor.int();
  if (Number.isNaN(value) || cursor.bytes[cursor.pos] !== NEWLINE) throw badLine(cursor, path, EXPECTED, 0);
  return value;
}

/**
 * The same for a file that is rarely read and may be missing.
 * @returns NaN where the text is undefined or something else, such as the `<unknown>` of cpufreq
 */
export function parseNumber(text: string | undefined): number {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : NaN;
}
