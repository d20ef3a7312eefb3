import { opendirSync } from 'node:fs';
import { troubleOf } from '../base/errors.ts';
import { readOnce } from '../base/kernel-file.ts';
import { isShortage } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';

/** Threads of a process that are looked at: more than a QEMU has vCPUs. A user may have as many as the host allows. */
export const MOST_THREADS = 2048;

/**
 * The ids of the threads of a process, the oldest first, at most {@link MOST_THREADS}; none when it is gone.
 *
 * @returns undefined when no descriptor was left to look
 * @throws the error of opendir or readdir when it fails for any other reason
 */
export function listThreads(paths: Paths, pid: number): number[] | undefined {
  try {
    const directory = opendirSync(paths.pid(pid, 'task'), { bufferSize: 256 });
    try {
      const threads: number[] = [];
      for (let entry = directory.readSync(); entry !== null && threads.length < MOST_THREADS;) {
        threads.push(Number(entry.name));
        entry = directory.readSync();
      }
      return threads;
    } finally {
      directory.closeSync();
    }
  } catch (error) {
    if (isShortage(error)) return undefined;
    if (troubleOf(error) === 'gone') return [];
    throw error;
  }
}

/** The pids of the children of a process's first thread; none where the kernel does not tell (CONFIG_PROC_CHILDREN). */
export function childrenOf(paths: Paths, pid: number): number[] {
  const text = readOnce(paths.task(pid, pid, 'children')) ?? '';
  return text === '' ? [] : text.split(' ').map(Number);
}
