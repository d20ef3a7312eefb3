import { readlinkSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { KernelFile } from '../kernel/kernel-file.ts';
import type { Paths } from '../kernel/paths.ts';

/** The /proc/<pid>/net/dev of a process in a network namespace of its own, as Kata and KubeVirt have it. */
export function ownNetDev(paths: Paths, pid: number): KernelFile | undefined {
  if (!hasOwn(paths, pid, 'net')) return undefined;
  return new KernelFile(paths.pid(pid, 'net/dev'), true);
}

/** Where we find a file that a process names: it may be in another directory and see other mounts (namespaces(7)). */
export function inNamespaceOf(paths: Paths, pid: number, path: string): string {
  if (!isAbsolute(path)) return paths.pid(pid, `cwd/${path}`);
  return hasOwn(paths, pid, 'mnt') ? paths.pid(pid, `root${path}`) : path;
}

/** Whether a process is in another namespace of a kind than we are; false too without the right to look. */
function hasOwn(paths: Paths, pid: number, kind: 'net' | 'mnt'): boolean {
  const theirs = namespaceOf(paths.pid(pid, `ns/${kind}`));
  return theirs !== undefined && theirs !== namespaceOf(paths.proc(`self/ns/${kind}`));
}

/** Such as `net:[4026531992]`. */
function namespaceOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
