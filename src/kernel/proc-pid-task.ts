import { readdirSync } from 'node:fs';
import { troubleOf } from './errors.ts';
import type { Paths } from './paths.ts';

/**
 * The ids of the threads of a process; empty when it is gone.
 * @throws the error of readdir when it fails for any other reason
 */
export function listThreads(paths: Paths, pid: number): number[] {
  try {
    return readdirSync(paths.pid(pid, 'task')).map(Number);
  } catch (error) {
    if (troubleOf(error) === 'gone') return [];
    throw error;
  }
}
