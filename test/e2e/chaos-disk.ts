import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whenProcessEnds } from '../lab/lifetime.ts';

/**
 * What a disk does at the moment. aborted: as after an error, read-only also for files that are open, until it is mounted
 * again, which needs that nobody has a file open.
 */
export type DiskState = 'good' | 'full' | 'read-only' | 'aborted' | 'hangs';

/**
 * A file system on a disk of its own, which is a file. While it hangs nothing may be asked of it here either: what waits
 * for it cannot be killed.
 */
export class ChaosDisk {
  state: DiskState = 'good';
  private readonly takeBack: () => void;

  /**
   * @param path where it is to be
   * @param size in MiB
   */
  constructor(
    private readonly path: string,
    size: number,
  ) {
    const image = `${path}.image`;
    writeFileSync(image, '');
    run('truncate', '-s', `${size}M`, image);
    run('mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', image);
    run('mount', '-o', 'loop', image, path);
    this.takeBack = whenProcessEnds(() => {
      this.remove();
    });
  }

  become(state: DiskState): void {
    if (this.state === 'hangs') run('fsfreeze', '-u', this.path);
    if (this.state === 'full') rmSync(join(this.path, 'ballast'), { force: true });
    if (this.state === 'read-only') run('umount', '-l', this.path);
    if (this.state === 'aborted') {
      run('umount', this.path);
      run('mount', '-o', 'loop', `${this.path}.image`, this.path);
    }
    this.state = state;
    if (state === 'hangs') run('fsfreeze', '-f', this.path);
    if (state === 'full') this.fill();
    if (state === 'aborted') run('mount', '-o', 'remount,abort', this.path);
    // Files that are open for writing stay so, as below a file system that an administrator mounts read-only on top. It is
    // read-only from the first moment on: were a file opened for writing before, it could not become so.
    if (state === 'read-only') {
      const aside = `${this.path}.read-only`;
      mkdirSync(aside, { recursive: true });
      run('mount', '--bind', this.path, aside);
      run('mount', '-o', 'remount,bind,ro', aside);
      run('mount', '--bind', aside, this.path);
      run('umount', aside);
    }
  }

  /** To be called when nobody uses it any more. */
  remove(): void {
    this.takeBack();
    this.become('good');
    run('umount', '-l', this.path);
  }

  private fill(): void {
    for (const size of [1 << 20, 1 << 12, 1]) {
      try {
        for (;;) writeFileSync(join(this.path, 'ballast'), Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}
