import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openOwnFile, ownDirectory } from '../../shared/own-files.ts';

/**
 * Makes the directory of a spool where it is missing, with the one above it.
 *
 * @throws OthersMayWriteError; Error of node:fs
 */
export async function makeSpoolDirectory(path: string): Promise<void> {
  // Not with `recursive`, which calls a read-only file system ENOENT.
  await makeDirectory(dirname(path));
  await makeDirectory(path);
  await ownDirectory(path);
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Reads a file of a spool. @throws Error for one that is not ours; that of node:fs */
export async function readSpoolFile(path: string): Promise<Buffer> {
  const handle = await openOwnFile(path, constants.O_RDONLY);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Writes all the buffers at an offset. @returns the offset behind them */
export async function writeAt(handle: FileHandle, buffers: readonly Buffer[], at: number): Promise<number> {
  const bytes = Buffer.concat(buffers);
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
  return at + bytes.length;
}

/** Syncs a directory, so that its names survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
