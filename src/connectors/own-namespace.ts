import { isAbsolute } from 'node:path';
import { KernelFile } from '../kernel/kernel-file.ts';
import { hasHostNetwork, namespaceOf } from '../kernel/namespaces.ts';
import type { Paths } from '../kernel/paths.ts';

/** The /proc/<pid>/net/dev of a process in another network namespace than the host's, as Kata and KubeVirt have it. */
export function ownNetDev(paths: Paths, pid: number): KernelFile | undefined {
  return hasHostNetwork(paths, pid) ? undefined : new KernelFile(paths.pid(pid, 'net/dev'), true);
}

/** Where we find a file that a process names: it may be in another directory and see other mounts (namespaces(7)). */
export function inNamespaceOf(paths: Paths, pid: number, path: string): string {
  if (!isAbsolute(path)) return paths.pid(pid, `cwd/${path}`);
  const theirs = namespaceOf(paths, pid, 'mnt');
  const areOurs = theirs === undefined || theirs === namespaceOf(paths, 'self', 'mnt');
  return areOurs ? path : paths.pid(pid, `root${path}`);
}
