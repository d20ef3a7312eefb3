import { existsSync } from 'node:fs';
import { KernelFormatError } from '../base/errors.ts';
import { readOnce } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';
import { cgroup2In, hostProcess } from '../base/paths.ts';

const VERSION_2 = '0::';
const REMOVED = ' (deleted)';
/** Start of a path that leads out of the cgroup namespace of the reading process. */
const ABOVE = '/..';

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
 * The path of a process's cgroup v2 from the root of the hierarchy that is mounted; undefined too when the process is gone,
 * and where its cgroup cannot be found there.
 *
 * In a cgroup namespace of our own, as containers have it, the kernel tells paths from our cgroup on (cgroup_namespaces(7)),
 * such as `/../../qemu.slice/100.scope`. Where the hierarchy of the host is mounted it is looked for from its root.
 * @throws KernelFormatError
 */
export function cgroupOf(paths: Paths, pid: number): string | undefined {
  const path = paths.pid(pid, 'cgroup');
  const text = readOnce(path);
  const group = text === undefined ? undefined : parseCgroup(text, path);
  if (group?.startsWith(ABOVE) !== true) return group;
  const fromRoot = group.replace(/^(\/\.\.)+(?=\/|$)/, '') || '/';
  return existsSync(paths.cgroup(fromRoot, 'cgroup.procs')) ? fromRoot : undefined;
}

/** Why nothing is known of cgroups, and what to do about it; undefined where they can be read. */
export function cgroupTrouble(paths: Paths): string | undefined {
  const { cgroupfs } = paths.roots;
  if (cgroup2In(cgroupfs) === undefined)
    return `no cgroup v2 is mounted on ${cgroupfs}: set cgroupfs to its mount point`;
  // Only from a cgroup namespace of our own the first process is above us.
  const isAbove = /^0::\/\.\./m.test(readOnce(paths.pid(hostProcess, 'cgroup')) ?? '');
  // The root of the hierarchy alone has no type.
  if (!isAbove || !existsSync(paths.cgroup('/', 'cgroup.type'))) return undefined;
  return `${cgroupfs} has only the cgroups of a container: mount those of the host and set cgroupfs to their mount point`;
}
