import { close, fstat, stat, writev, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { within } from '../shared/within.ts';

const closeOf = promisify(close);
const fstatOf = promisify(fstat);
const statOf = promisify(stat);
const lineEnd = Buffer.from('\n');

/** How a file ends: not checked yet, in the middle of a line, or with a whole record. */
type End = 'unknown' | 'torn' | 'whole';

/** What is known of an inode that this process appends to: one object for all who have it open. */
interface Inode {
  users: number;
  size: number;
  end: End;
  /** The file object that is in the middle of a batch or record. */
  writer: AppendFile | undefined;
  /** Called when none is. */
  waiting: (() => void)[];
  /** Resolves when no output has it open any more. */
  readonly unused: Promise<void>;
  readonly setUnused: () => void;
}

/** By device and inode. */
const inodes = new Map<string, Inode>();

/** How a file is opened and what its end may need. */
export interface FileSource {
  /** For messages. */
  readonly path: string;
  /** @returns the descriptor @throws Error that names the path and the reason */
  open(): Promise<number>;
  /**
   * Looks at the end of a regular file that may have been left in the middle of a record.
   *
   * @returns how many bytes it has now, and whether a line has to be ended before anything else is written
   */
  mend?(fd: number, size: number): Promise<{ readonly size: number; readonly torn: boolean }>;
  /** Whether `path` is one. */
  readonly named: boolean;
}

/**
 * A file to append to, opened on first use. Two outputs may have the same file open: one that ends, perhaps with a hung
 * write, and the one that replaces it. Only one writes at a time, from the start of a record to its end. If a record was
 * left torn, the next writer checks the end of the file first.
 */
export class AppendFile {
  private fd = -1;
  private inode: Inode | undefined;
  private regular = false;
  private opening: Promise<void> | undefined;

  constructor(private readonly source: FileSource) {}

  get path(): string {
    return this.source.path;
  }

  /** Whether it is a file with a path, which may later lead to another file. */
  get named(): boolean {
    return this.source.named && this.regular;
  }

  get opened(): boolean {
    return this.inode !== undefined;
  }

  /** Bytes in it; 0 while it is not open. */
  get size(): number {
    return this.inode?.size ?? 0;
  }

  /** Notes that written data is in the file. */
  grow(bytes: number): void {
    this.known().size += bytes;
  }

  /** Opens it, unless it is open. @throws Error that names the path and the reason; the next call tries again */
  open(): Promise<void> {
    if (this.opened) return Promise.resolve();
    return (this.opening ??= this.openNow().finally(() => (this.opening = undefined)));
  }

  /**
   * Waits for the turn to write, for at most `deadline` ms; the writer keeps it until {@link pass}.
   *
   * @returns whether it is ours
   * @throws Error where the end of the file cannot be looked at
   */
  async take(deadline: number): Promise<boolean> {
    const inode = this.known();
    const until = performance.now() + deadline;
    while (inode.writer !== undefined && inode.writer !== this) {
      const left = until - performance.now();
      if (left <= 0) return false;
      await within(left, new Promise<void>((resolve) => inode.waiting.push(resolve)));
    }
    inode.writer = this;
    if (inode.end === 'unknown') await this.naming(this.lookAtEnd(inode));
    return true;
  }

  /** Lets others write. @param whole whether the last record is whole */
  pass(whole: boolean): void {
    const { inode } = this;
    if (inode?.writer !== this) return;
    inode.writer = undefined;
    if (!whole) inode.end = 'unknown';
    for (const go of inode.waiting.splice(0)) go();
  }

  /**
   * Appends, after ending a torn line. Only the writer that has the turn may call it. @returns bytes of the buffers that it
   * has now
   */
  async write(buffers: readonly Buffer[]): Promise<number> {
    const inode = this.known();
    const ending = inode.end === 'torn' ? lineEnd.length : 0;
    const bytes = await this.naming(written(this.fd, ending > 0 ? [lineEnd, ...buffers] : buffers));
    if (bytes > 0) inode.end = 'whole';
    return Math.max(0, bytes - ending);
  }

  /**
   * Whether the file still has a name. A link to an open file, such as /dev/fd/3, and some network file systems have no
   * link count.
   */
  async isThere(): Promise<boolean> {
    return !this.named || (await this.naming(fstatOf(this.fd))).nlink > 0 || (await this.hasPath());
  }

  /** Whether its path leads to it. */
  async hasPath(): Promise<boolean> {
    if (!this.named) return true;
    const [ours, theirs] = await Promise.all([fstatOf(this.fd), statOf(this.path).catch(() => undefined)]);
    return theirs?.ino === ours.ino && theirs.dev === ours.dev;
  }

  /** Closes it, when it has been opened; the standard descriptors belong to the process. @throws Error of node:fs */
  async close(): Promise<void> {
    await this.opening?.catch(() => undefined);
    const { inode } = this;
    if (inode === undefined) return;
    this.pass(false);
    this.inode = undefined;
    // Before it is closed: then another file may get its inode.
    if (--inode.users === 0) inode.setUnused();
    if (this.fd > 2) await closeOf(this.fd);
  }

  private async openNow(): Promise<void> {
    const fd = await this.source.open();
    const stats = await fstatOf(fd);
    this.fd = fd;
    this.regular = stats.isFile();
    this.inode = enter(stats);
  }

  private async lookAtEnd(inode: Inode): Promise<void> {
    try {
      inode.size = (await fstatOf(this.fd)).size;
      const mended = this.regular ? await this.source.mend?.(this.fd, inode.size) : undefined;
      inode.size = mended?.size ?? inode.size;
      inode.end = mended?.torn === true ? 'torn' : 'whole';
    } catch (error) {
      this.pass(false);
      throw error;
    }
  }

  /** Adds the path of the file to an error. */
  private async naming<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new Error(`${this.path}: ${(error as Error).message}`, { cause: error });
    }
  }

  private known(): Inode {
    if (this.inode === undefined) throw new Error(`${this.path}: it is not open`);
    return this.inode;
  }
}

/** Waits until this process does not have the file open for appending. */
export async function unused(stats: Stats): Promise<void> {
  await inodes.get(keyOf(stats))?.unused;
}

function enter(stats: Stats): Inode {
  const key = keyOf(stats);
  let inode = inodes.get(key);
  if (inode === undefined) {
    let resolve = (): void => undefined;
    const unused = new Promise<void>((resolved) => (resolve = resolved));
    const setUnused = (): void => {
      inodes.delete(key);
      resolve();
    };
    inode = { users: 0, size: stats.size, end: 'unknown', writer: undefined, waiting: [], unused, setUnused };
    inodes.set(key, inode);
  }
  inode.users++;
  return inode;
}

function keyOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

function written(fd: number, buffers: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, buffers, (error, bytes) => {
      if (error) reject(error);
      else resolve(bytes);
    });
  });
}
