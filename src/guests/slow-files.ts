import type { StatsFs, Stats } from 'node:fs';
import { readFile, readdir, stat, statfs } from 'node:fs/promises';

/**
 * Reads files of a file system that may hang (the FUSE mount /etc/pve, network storage): one operation at a time, each
 * with a deadline. An operation that hangs keeps a thread of Node's pool until the file system answers, so while one
 * does, no other is begun: all are refused at once instead of filling the pool.
 */
export class SlowFiles {
  private hanging = false;
  private tail: Promise<unknown> = Promise.resolve();

  /** @param deadline ms that one operation may take */
  constructor(private readonly deadline: number) {}

  /** The whole file as text. Rejects when it cannot be read, or not in time. */
  read(path: string): Promise<string> {
    return this.run(() => readFile(path, 'utf8'), path);
  }

  /** The names in a directory. */
  list(path: string): Promise<string[]> {
    return this.run(() => readdir(path), path);
  }

  stat(path: string): Promise<Stats> {
    return this.run(() => stat(path), path);
  }

  /** How large and how full the file system is that a path lies on. */
  statfs(path: string): Promise<StatsFs> {
    return this.run(() => statfs(path), path);
  }

  /** Whether the file system answers in time about a path, even if there is no such file. */
  async answers(path: string): Promise<boolean> {
    try {
      await this.stat(path);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== undefined;
    }
  }

  private run<T>(operation: () => Promise<T>, path: string): Promise<T> {
    const turn = this.tail.then(() => this.start(operation, path));
    this.tail = turn.catch(() => undefined);
    return turn;
  }

  private start<T>(operation: () => Promise<T>, path: string): Promise<T> {
    if (this.hanging) return Promise.reject(new Error(`${path}: not read, the file system still hangs`));
    this.hanging = true;
    const pending = operation().finally(() => {
      this.hanging = false;
    });
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${path}: no answer within ${this.deadline} ms`));
      }, this.deadline);
      timer.unref();
      pending.then(resolve, reject).finally(() => {
        clearTimeout(timer);
      });
    });
  }
}
