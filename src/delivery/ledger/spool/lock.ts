import { linkSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processIdentity } from '../../../kernel/process-identity.ts';

/** Another process uses the directory. */
export class SpoolInUseError extends Error {
  override readonly name = 'SpoolInUseError';
}

/**
 * Keeps two processes from using one directory. Node has no flock: the holder is named by the file `lock.N` with the
 * highest N, which holds its identity. Where that one is gone, `lock.N+1` is taken by creating it with its content,
 * which succeeds for one process only. The file stays behind, emptied by an orderly end: were it removed, a process
 * that has just looked could take a number that another one has taken in between.
 */
export class DirectoryLock {
  private constructor(
    private readonly path: string,
    private readonly identity: string,
  ) {}

  /**
   * Takes the directory, which must exist.
   * @throws SpoolInUseError when a process that runs has it; an error of node:fs
   */
  static take(directory: string): DirectoryLock {
    const identity = processIdentity(process.pid) ?? String(process.pid);
    const draft = join(directory, `draft.${process.pid}`);
    writeFileSync(draft, identity, { mode: 0o600 });
    try {
      for (;;) {
        const held = locks(directory);
        const highest = held.at(-1);
        if (highest !== undefined) refuseWhereHeld(directory, join(directory, lockName(highest)));
        const path = join(directory, lockName((highest ?? 0) + 1));
        if (!link(draft, path)) continue;
        for (const number of held) rmSync(join(directory, lockName(number)), { force: true });
        return new DirectoryLock(path, identity);
      }
    } finally {
      rmSync(draft, { force: true });
    }
  }

  /** Whether the directory still is ours: it was not deleted or replaced. */
  get holds(): boolean {
    return contentOf(this.path) === this.identity;
  }

  release(): void {
    if (this.holds) truncateSync(this.path);
  }
}

function lockName(number: number): string {
  return `lock.${number}`;
}

function locks(directory: string): number[] {
  const numbers = readdirSync(directory).flatMap((file) => /^lock\.(\d+)$/.exec(file)?.[1] ?? []);
  return numbers.map(Number).sort((a, b) => a - b);
}

function refuseWhereHeld(directory: string, path: string): void {
  const identity = contentOf(path);
  const pid = Number.parseInt(identity, 10);
  if (identity === '' || processIdentity(pid) !== identity) return;
  throw new SpoolInUseError(
    `the spool ${directory} is used by another proxtop, process ${pid}: give this one a state_dir of its own`,
  );
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** False when the path exists already. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
