import { KernelFormatError } from './errors.ts';
import { readOnce } from './kernel-file.ts';
import type { Paths } from './paths.ts';

const VERSION_2 = '0::';
const REMOVED = ' (deleted)';

/**
 * Parses /proc/<pid>/cgroup (Documentation/admin-guide/cgroup-v2.rst), lines such as `0::/qemu.slice/100.scope`.
 * @returns the path of the process's cgroup v2; undefined where the host has only cgroup v1, and where the cgroup was
 *   removed, as it can be for a zombie
 * @throws KernelFormatError
 */
export function parseCgroup(text: string, path: string): string | undefined {
  const lines = text.split('\n').filter((line) => line !== '');
  const odd = lines.find((line) => !/^\d+:[^:]*:\//.test(line));
  if (odd !== undefined) throw new KernelFormatError(path, 'lines like "0::/qemu.slice/100.scope"', odd);
  const group = lines.find((line) => line.startsWith(VERSION_2))?.slice(VERSION_2.length);
  return group?.endsWith(REMOVED) ? undefined : group;
}

/**
 * The path of a process's cgroup v2, as {@link parseCgroup} gives it; undefined too when the process is gone.
 * @throws KernelFormatError
 */
export function cgroupOf(paths: Paths, pid: number): string | undefined {
  const path = paths.pid(pid, 'cgroup');
  const text = readOnce(path);
  return text === undefined ? undefined : parseCgroup(text, path);
}
