import { constants, createWriteStream } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Logger } from 'pino';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import { unused, type AppendFile } from './append-file.ts';

const endings = ['', '.gz'];
/** ms from an attempt that failed to the next one. */
const retryDelay = 10_000;

/** Work on rotated files, by path: an output that replaces another waits for it. */
const underWay = new Map<string, Promise<void>>();

/**
 * Rotates a file: PATH becomes PATH.1, which is compressed to PATH.1.gz once nothing is written to it any more; PATH.1.gz
 * becomes PATH.2.gz, and so on, like the names of logrotate. While PATH.1 is compressed or still written to, also by an
 * output that ends, no other file is rotated: the current one grows beyond its size.
 *
 * PATH becomes PATH.0 first. Only then are the older files renamed and the oldest one deleted.
 */
export class Rotation {
  private readonly complaint = new MinuteLimit();
  private readonly stopping = new AbortController();
  /** Whether a file is to be rotated as soon as its last record is written. */
  private wanted = false;
  /** When to try again after a failure, ms of the monotonic clock. */
  private retryAt = -Infinity;

  /** @param keep how many rotated files are kept, at least 1 */
  constructor(
    private readonly path: string,
    private readonly keep: number,
    private readonly log: Logger,
  ) {
    // An earlier run may have ended before it finished this one; another output of this run may be working on it.
    this.begin(this.compressLeft(underWay.get(path)));
  }

  /** Whether a file can be rotated now. */
  get free(): boolean {
    return !this.wanted && !underWay.has(this.path) && performance.now() >= this.retryAt;
  }

  /** @returns a function that rotates the file; to be called when all its records are written */
  want(file: AppendFile): () => Promise<void> {
    this.wanted = true;
    return () => this.putAside(file).finally(() => (this.wanted = false));
  }

  private async compressLeft(before: Promise<void> | undefined): Promise<void> {
    await before;
    const left = (await exists(this.name(0, ''))) || (await exists(this.name(1, '')));
    if (left && !this.stopping.signal.aborted) await this.compress();
  }

  /** Nothing else is rotated until this is done. */
  private begin(work: Promise<void>): void {
    underWay.set(this.path, work);
    void work.then(() => {
      if (underWay.get(this.path) === work) underWay.delete(this.path);
    });
  }

  /** Renames the file and the older ones, unless it has to wait or the path belongs to another file. */
  private async putAside(file: AppendFile): Promise<void> {
    if (underWay.has(this.path) || !file.named) return;
    let end = (): void => undefined;
    this.begin(new Promise<void>((resolve) => (end = resolve)));
    try {
      if (await file.hasPath()) {
        await this.makeWay();
        await rename(this.path, this.name(0, ''));
        await this.makeWay();
        this.begin(this.compress());
      }
    } catch (error) {
      this.retryAt = performance.now() + retryDelay;
      this.complain('cannot rotate it', error);
      await this.takeBack();
    } finally {
      end();
    }
  }

  /** Gives the last rotated file its number, if it has none yet. */
  private async makeWay(): Promise<void> {
    if (!(await exists(this.name(0, '')))) return;
    let free = 1;
    // If an attempt failed half way there is a gap: then none has to be deleted.
    while (free < this.keep && (await this.taken(free))) free++;
    for (const ending of endings) await rm(this.name(free, ending), { force: true });
    for (let number = free - 1; number > 0; number--)
      for (const ending of endings) {
        const name = this.name(number, ending);
        if (await exists(name)) await rename(name, this.name(number + 1, ending));
      }
    await rename(this.name(0, ''), this.name(1, ''));
  }

  private async taken(number: number): Promise<boolean> {
    for (const ending of endings) if (await exists(this.name(number, ending))) return true;
    return false;
  }

  /** The file stays in use. */
  private async takeBack(): Promise<void> {
    try {
      const [aside, path] = [this.name(0, ''), this.path];
      if ((await exists(aside)) && !(await exists(path))) await rename(aside, path);
    } catch {
      // The next attempt gives it its number.
    }
  }

  /** Ends the running compression; the next start repeats it. */
  stop(): void {
    this.stopping.abort();
  }

  private async compress(): Promise<void> {
    const from = this.name(1, '');
    const to = this.name(1, '.gz');
    // Named like compressed files, which logrotate skips (debian/logrotate).
    const draft = `${from}.draft.gz`;
    try {
      await this.makeWay();
      const { signal } = this.stopping;
      await rm(draft, { force: true });
      // Others may be able to write to the directory: no link is followed.
      const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
      await unused(await source.stat());
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

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
