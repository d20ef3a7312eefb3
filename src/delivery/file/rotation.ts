import { constants, createWriteStream, existsSync, fstatSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Logger } from 'pino';
import type { AppendFile } from './file-writer.ts';
import { MinuteLimit } from '../../pacing/minute-limit.ts';

const endings = ['', '.gz'];
/** ms from an attempt that failed to the next one. */
const retryDelay = 10_000;

/** What is done with files put aside, by their path: where an output takes the place of another it waits for that. */
const underWay = new Map<string, Promise<void>>();

/**
 * Puts a file aside: PATH becomes PATH.1, which is compressed to PATH.1.gz once nothing is written to it any more,
 * and what was PATH.1.gz becomes PATH.2.gz, and so on. Names after logrotate's custom. While PATH.1 is written to or
 * compressed no other file is put aside: the present one grows beyond its size.
 *
 * PATH becomes PATH.0 first. Only when that is done are those put aside before renamed, and the oldest one deleted.
 */
export class Rotation {
  private readonly complaint = new MinuteLimit();
  private readonly stopping = new AbortController();
  /** Whether a file was put aside and is not compressed yet. */
  private busy = false;
  /** When to try again after a failure, ms of the monotonic clock. */
  private retryAt = -Infinity;

  /** @param keep how many files put aside are kept, 1 at least */
  constructor(
    private readonly path: string,
    private readonly keep: number,
    private readonly log: Logger,
  ) {
    // An earlier run may have ended before it was done with this one; another output of this run may be at it.
    const before = underWay.get(path);
    if (before !== undefined || this.hasLeft) this.begin(this.compressLeft(before));
  }

  /** Whether a file was put aside that has no number, or is not compressed. */
  private get hasLeft(): boolean {
    return existsSync(this.name(0, '')) || existsSync(this.name(1, ''));
  }

  private async compressLeft(before: Promise<void> | undefined): Promise<void> {
    await before;
    if (this.hasLeft && !this.stopping.signal.aborted) await this.compress();
  }

  /** Is busy until this is done. */
  private begin(work: Promise<void>): void {
    this.busy = true;
    underWay.set(this.path, work);
    void work.then(() => {
      this.busy = false;
      if (underWay.get(this.path) === work) underWay.delete(this.path);
    });
  }

  /** Renames the file and those put aside before; false when that has to wait, failed, or the path is another file's. */
  putAside(file: AppendFile): boolean {
    if (this.busy || performance.now() < this.retryAt) return false;
    try {
      const ours = fstatSync(file.fd);
      const theirs = statSync(this.path, { throwIfNoEntry: false });
      if (theirs?.ino !== ours.ino || theirs.dev !== ours.dev) return false;
      this.makeWay();
      renameSync(this.path, this.name(0, ''));
      this.makeWay();
    } catch (error) {
      this.retryAt = performance.now() + retryDelay;
      this.complain('cannot rotate it', error);
      this.takeBack();
      return false;
    }
    const closed = new Promise<void>((resolve) => (file.onClosed = resolve));
    this.begin(closed.then(() => this.compress()));
    return true;
  }

  /** Gives the file that was put aside last its number, where it has none yet. */
  private makeWay(): void {
    if (!existsSync(this.name(0, ''))) return;
    let free = 1;
    const taken = (number: number): boolean =>
      endings.some((ending) => existsSync(this.name(number, ending)));
    // Where an attempt failed half way there is a gap: then none has to go.
    while (free < this.keep && taken(free)) free++;
    for (const ending of endings) rmSync(this.name(free, ending), { force: true });
    for (let number = free - 1; number > 0; number--)
      for (const ending of endings) {
        const name = this.name(number, ending);
        if (existsSync(name)) renameSync(name, this.name(number + 1, ending));
      }
    renameSync(this.name(0, ''), this.name(1, ''));
  }

  /** The file grows on where it was. */
  private takeBack(): void {
    try {
      if (existsSync(this.name(0, '')) && !existsSync(this.path)) renameSync(this.name(0, ''), this.path);
    } catch {
      // The next attempt gives it its number.
    }
  }

  /** Ends the compression under way; the next start does it anew. */
  stop(): void {
    this.stopping.abort();
  }

  private async compress(): Promise<void> {
    const from = this.name(1, '');
    const to = this.name(1, '.gz');
    // Named like what is compressed, which logrotate passes over (debian/logrotate).
    const draft = `${from}.draft.gz`;
    try {
      this.makeWay();
      const { signal } = this.stopping;
      await rm(draft, { force: true });
      // Others may be able to write to the directory: no link is followed.
      const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
      const target = createWriteStream(draft, { flags: 'wx', mode: 0o640 });
      await pipeline(source.createReadStream(), createGzip(), target, { signal });
      await rename(draft, to);
      await rm(from);
    } catch (error) {
      // What is not compressed is kept as it is.
      if (!this.stopping.signal.aborted) this.complain(`cannot compress ${from}`, error);
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  private complain(what: string, error: unknown): void {
    if (this.complaint.due()) this.log.error(`${this.path}: ${what}: ${(error as Error).message}`);
  }

  private name(number: number, ending: string): string {
    return `${this.path}.${number}${ending}`;
  }
}
