import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { readOnce } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';

/**
 * What a process runs, as far as it can be known without blocking: the name of its executable (the link /proc/<pid>/exe, of
 * a process that we may trace) and its own name (comm, 15 bytes at most). Neither takes a lock that the process may hold
 * for long, as its command line does. Empty for a process that is gone.
 */
export function programNames(paths: Paths, pid: number): string[] {
  return [executable(paths, pid), readOnce(paths.pid(pid, 'comm'))].filter((name) => name !== undefined);
}

/** Undefined for threads of the kernel, and without the right to look. */
function executable(paths: Paths, pid: number): string | undefined {
  try {
    return basename(readlinkSync(paths.pid(pid, 'exe')));
  } catch {
    return undefined;
  }
}
