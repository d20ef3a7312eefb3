import type { Cursor } from './cursor.ts';
import { KernelFormatError } from './errors.ts';

const NEWLINE = 0x0a;
const SHOWN = 80;

/** The bytes of an ASCII word, to be compared with {@link Cursor.take}. */
export function ascii(word: string): Uint8Array {
  return Buffer.from(word, 'latin1');
}

/**
 * Makes sure that the content ends with a newline, as every text file of the kernel does: one that does not was cut
 * off, and its last number may lack digits. To be called at its first byte.
 */
export function requireWholeLines(cursor: Cursor, path: string, expected: string): void {
  const { bytes, end, pos } = cursor;
  if (end > pos && bytes[end - 1] === NEWLINE) return;
  throw new KernelFormatError(
    path,
    `${expected}, ending with a newline`,
    cursor.text(Math.max(pos, end - SHOWN), end),
  );
}

/** The error for a line that starts at byte `start` and does not match the format. */
export function badLine(cursor: Cursor, path: string, expected: string, start: number): KernelFormatError {
  return new KernelFormatError(
    path,
    expected,
    cursor.text(start, Math.min(cursor.end, start + SHOWN)).trimEnd(),
  );
}

/** Moves behind `word` where a line starts with it, from the line at the cursor on; false when none does. */
export function findLine(cursor: Cursor, word: Uint8Array): boolean {
  while (!cursor.atEnd) {
    if (cursor.take(word)) return true;
    cursor.skipLine();
  }
  return false;
}
