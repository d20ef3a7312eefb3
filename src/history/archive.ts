import { constants } from 'node:fs';
import { chmod, mkdir, open, rm, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryLock } from '../delivery/ledger/spool/lock.ts';
import { ownDirectory } from '../delivery/shared/own-files.ts';
import { hourOf, listSizedFiles, newFile } from './files.ts';
import type { SizedFile } from './files.ts';
import type { HistorySettings } from './settings.ts';

const directoryMode = 0o750;
const fileMode = 0o640;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
/** Space to leave free on a file system: others need it more than a history does. */
const leftFree = { share: 0.05, bytes: 256 << 20 };

/** Errors of a broken file system. It can be repaired and mounted again only when no file on it is open. */
const needsMending: ReadonlySet<string> = new Set(['EROFS', 'EIO', 'ENODEV', 'ENXIO']);

/** A member to be written. */
export interface Minute {
  readonly bytes: Buffer;
  /** Times of its earliest and its latest sample, ms since 1970. */
  readonly first: number;
  readonly last: number;
}

/**
 * The files of a history, in a directory that it locks. Every run begins a file of its own, and so does every hour and a
 * clock that was set to another hour: nothing is ever written after what a crash left, and the file numbers give the order
 * of events. One call at a time; each may take as long as a disk hangs.
 */
export class Archive {
  private lock: DirectoryLock | undefined;
  private handle: FileHandle | undefined;
  private files: SizedFile[] = [];
  /** Whether the directory was let go of because its file system needs to be mended. */
  private isReleased = false;

  constructor(private readonly settings: HistorySettings) {}

  /** Bytes of all files. */
  get bytes(): number {
    return this.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Time of the earliest sample to the minute, ms since 1970; undefined while there is none. */
  get begin(): number | undefined {
    return this.files.length === 0 ? undefined : Math.min(...this.files.map(({ time }) => time));
  }

  /**
   * Writes a minute behind the others and syncs it. The oldest files make room for it.
   *
   * @throws Error, also SpoolInUseError of another process; then nothing of the minute is there
   */
  async write(minute: Minute): Promise<void> {
    await this.open();
    try {
      await this.append(minute);
    } catch (error) {
      if (needsMending.has((error as NodeJS.ErrnoException).code ?? '')) {
        this.isReleased = true;
        await this.close().catch(() => undefined);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.closeFile();
    const { lock } = this;
    this.lock = undefined;
    await lock?.release();
  }

  private async append({ bytes, first }: Minute): Promise<void> {
    await this.makeRoom(bytes.length, Date.now());
    await this.requireFree(bytes.length);
    const { handle, file } = await this.fileFor(first);
    try {
      const { bytesWritten } = await handle.write(bytes, 0, bytes.length, file.bytes);
      if (bytesWritten < bytes.length) throw new Error('no space left on device');
      await handle.datasync();
    } catch (error) {
      await handle.truncate(file.bytes).catch(() => undefined);
      if (file.bytes === 0) await this.remove(file).catch(() => undefined);
      throw error;
    }
    file.bytes += bytes.length;
  }

  private async open(): Promise<void> {
    const { directory } = this.settings;
    if (this.lock !== undefined) {
      if (await this.lock.holds()) return;
      await this.close();
    }
    // Not by the mode of mkdir alone: the umask may remove bits, and must not decide the others.
    if ((await mkdir(directory, { recursive: true })) !== undefined) await chmod(directory, directoryMode);
    await ownDirectory(directory);
    // The socket of the lock is made at once: on a disk that hangs by now this would hang everything.
    if (this.isReleased) await requireWritable(directory);
    this.isReleased = false;
    this.lock = await DirectoryLock.take(directory);
    this.files = await listSizedFiles(directory);
  }

  /** The present file where it is of the same hour, else a new one. */
  private async fileFor(time: number): Promise<{ readonly handle: FileHandle; readonly file: SizedFile }> {
    const present = this.files.at(-1);
    const isSameHour = present !== undefined && hourOf(present.time) === hourOf(time);
    if (this.handle !== undefined && isSameHour && (await this.handle.stat()).nlink > 0)
      return { handle: this.handle, file: present };
    await this.closeFile();
    const { directory } = this.settings;
    // Other programs may have removed some.
    this.files = await listSizedFiles(directory);
    const file = { ...newFile(directory, (this.files.at(-1)?.number ?? 0) + 1, time), bytes: 0 };
    const handle = await open(file.path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, fileMode);
    this.handle = handle;
    this.files.push(file);
    await syncDirectory(directory);
    return { handle, file };
  }

  private async closeFile(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  /**
   * Removes the oldest files: as many as the limit takes, and one at a time for its age, so that a clock that is wrong for
   * some minutes does not cost all of them.
   */
  private async makeRoom(needed: number, now: number): Promise<void> {
    const { maxBytes, keep } = this.settings;
    const [aged] = this.files;
    if (aged !== undefined && this.endOf(aged) < now - keep * 1000) await this.remove(aged);
    while (this.files.length > 0 && this.bytes + needed > maxBytes)
      await this.remove(this.files[0] as SizedFile);
  }

  /** When a file cannot have grown any more, ms since 1970: those after it may know better, if the clock was ahead. */
  private endOf(file: SizedFile): number {
    const later = this.files.filter(({ number }) => number >= file.number);
    return (Math.min(...later.map(({ time }) => hourOf(time))) + 1) * 3_600_000;
  }

  private async remove(file: SizedFile): Promise<void> {
    if (file === this.files.at(-1)) await this.closeFile();
    await rm(file.path, { force: true });
    this.files = this.files.filter((other) => other !== file);
  }

  private async requireFree(needed: number): Promise<void> {
    const { directory } = this.settings;
    const { bavail, blocks, bsize } = await statfs(directory);
    const floor = Math.min(leftFree.share * blocks * bsize, leftFree.bytes);
    if (bavail * bsize - needed >= floor) return;
    throw new Error(
      `${Math.floor((bavail * bsize) / 2 ** 20)} MiB are free in ${directory}, expected ${Math.ceil(floor / 2 ** 20)} MiB or more`,
    );
  }
}

/** Makes a file and removes it, in the background. */
async function requireWritable(directory: string): Promise<void> {
  const path = join(directory, '.writable');
  await (await open(path, O_CREAT | O_NOFOLLOW | O_WRONLY, fileMode)).close();
  await rm(path);
}

/** So that a new name survives a power failure. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
