import {
  close,
  closeSync,
  constants,
  existsSync,
  fstat,
  fstatSync,
  open as openRaw,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { lstat, open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

const openFile = promisify(openRaw) as (path: string, flags: number, mode: number) => Promise<number>;
const fstatFile = promisify(fstat);
const closeFile = promisify(close);

// Other users may prepare a path that root writes to: a link to a file of root, or a file that they can change later. So
// our own files are opened with these functions. New ones are created exclusively (`wx`, after removing what an earlier run
// left), which follows no link, and then renamed.

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const GROUP_OR_OTHERS_WRITE = 0o022;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** Allowed owners of our files: the user we run as, and root. */
function isOurs(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** Whether another user may change the content of a directory. */
function othersMayWrite({ uid, gid, mode }: Stats): boolean {
  const writable = gid === process.getegid?.() ? OTHERS_WRITE : GROUP_OR_OTHERS_WRITE;
  return !isOurs(uid) || (mode & writable) !== 0;
}

/** Another user may change the content of a directory that must be ours alone. */
export class OthersMayWriteError extends Error {
  override readonly name = 'OthersMayWriteError';
}

/**
 * Makes sure that no other user can put anything into a directory, or replace it or one above it (sticky ones, such as
 * /tmp, prevent that).
 *
 * @throws OthersMayWriteError that names the directory at fault and what is expected of it; Error of node:fs
 */
export function requireOwnDirectory(path: string): void {
  const real = realpathSync(path);
  for (const directory of upwards(real)) refuse(directory, statSync(directory), directory !== real);
}

/** As {@link requireOwnDirectory}, for one that may have to be made: then those that are there must keep others out. */
export function requireOwnPlace(path: string): void {
  const wanted = resolve(path);
  const there = upwards(wanted).find((directory) => existsSync(directory)) ?? '/';
  if (there === wanted) requireOwnDirectory(there);
  else for (const directory of upwards(realpathSync(there))) refuse(directory, statSync(directory), true);
}

/** As {@link requireOwnDirectory}, in the background. */
export async function ownDirectory(path: string): Promise<void> {
  const real = await realpath(path);
  for (const directory of upwards(real)) refuse(directory, await stat(directory), directory !== real);
}

/** A directory and all above it. */
function upwards(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...upwards(above)];
}

/** @param above whether it only has to prevent its content from being replaced, which a sticky one does */
function refuse(directory: string, stats: Stats, above: boolean): void {
  if (above && isOurs(stats.uid) && (stats.mode & STICKY) !== 0) return;
  if (!othersMayWrite(stats)) return;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  throw new OthersMayWriteError(
    `other users can write to ${directory} (owner ${stats.uid}, mode ${mode}): expected a directory of root or of this user that only its owner can write to`,
  );
}

/**
 * Reads a file that we, or root, have written.
 *
 * @param most bytes it may have
 * @throws Error for a link, something that is no file, a file of somebody else's or a larger one; that of node:fs
 */
export function readOwnFile(path: string, most: number): Buffer {
  // Opening a pipe would block.
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    requireOwnFile(path, stats);
    if (stats.size > most) throw new Error(`${path}: found ${stats.size} bytes, expected at most ${most}`);
    const content = Buffer.alloc(stats.size);
    return content.subarray(0, readSync(fd, content, 0, stats.size, 0));
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a file that we, or root, have written, in the background. A new one is for its owner alone.
 *
 * @param flags of open(2), beside those that keep it from following a link and from waiting for a pipe
 * @throws Error for a link, something that is no file or a file of somebody else's; that of node:fs
 */
export async function openOwnFile(path: string, flags: number): Promise<FileHandle> {
  const handle = await open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    requireOwnFile(path, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function requireOwnFile(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new Error(`${path}: it is not a regular file`);
  if (!isOurs(stats.uid)) throw new Error(`${path}: it belongs to user ${stats.uid}`);
}

/**
 * Opens a file at a path that the user gave, to read and append, and makes it where it is missing. In a directory that
 * others may write to it must not be a link, nor a file of somebody else's. In the background.
 *
 * @param mode of a new file, as far as the umask leaves it
 * @returns the descriptor
 * @throws Error
 */
export async function openToAppend(path: string, mode: number): Promise<number> {
  const flags = O_RDWR | O_APPEND | O_CREAT;
  const there = await lstat(path).catch(() => undefined);
  if (there?.isSymbolicLink() === true) {
    await ownDirectory(dirname(path));
    return openFile(path, flags, mode);
  }
  const fd = await openFile(path, flags | O_NOFOLLOW, mode);
  try {
    const stats = await fstatFile(fd);
    if (stats.isFile() && !isOurs(stats.uid)) await ownDirectory(dirname(path));
    return fd;
  } catch (error) {
    await closeFile(fd);
    throw error;
  }
}
