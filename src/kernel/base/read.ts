import { channel } from 'node:diagnostics_channel';
import { Cursor } from './cursor.ts';
import type { Trouble } from './errors.ts';
import { KernelFormatError } from './errors.ts';
import type { KernelFile } from './kernel-file.ts';

/** A kernel file that should be readable and is not: we lack the rights, or its content does not match its format. */
export interface FileTrouble {
  readonly path: string;
  readonly trouble: Trouble;
  readonly message: string;
}

/** Where {@link FileTrouble} is published, once for each file; whoever logs subscribes. */
export const fileTroubles = channel('proxtop.kernel.file');

const cursor = new Cursor();

/**
 * Reads a file and parses it into a record that is kept.
 * @returns false when that failed; the record is then invalid
 */
export function readRecord<R>(
  file: KernelFile,
  parse: (cursor: Cursor, into: R, path: string) => void,
  into: R,
): boolean {
  const length = open(file);
  if (length < 0) return false;
  try {
    parse(cursor.reset(file.bytes, length), into, file.path);
    return true;
  } catch (error) {
    refuse(file, error);
    return false;
  }
}

/** Reads a file that tells one number; NaN when that failed. */
export function readValue(file: KernelFile, parse: (cursor: Cursor, path: string) => number): number {
  const length = open(file);
  if (length < 0) return NaN;
  try {
    return parse(cursor.reset(file.bytes, length), file.path);
  } catch (error) {
    refuse(file, error);
    return NaN;
  }
}

function open(file: KernelFile): number {
  const known = file.trouble !== undefined;
  const length = file.read();
  if (length < 0 && !known && (file.trouble === 'denied' || file.trouble === 'broken')) {
    publish(file, file.trouble === 'denied' ? 'permission denied' : 'cannot be read');
  }
  return length;
}

function refuse(file: KernelFile, error: unknown): void {
  if (!(error instanceof KernelFormatError)) throw error;
  publish(file, error.message);
}

function publish({ path, trouble = 'broken' }: KernelFile, message: string): void {
  fileTroubles.publish({ path, trouble, message } satisfies FileTrouble);
}
