import { readlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { KernelFile } from '../../kernel/base/kernel-file.ts';
import { hasHostNetwork, namespaceOf } from '../../kernel/base/namespaces.ts';
import { openInside, openName } from '../../kernel/base/path-inside.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { NetworkSource } from '../sources.ts';

/** Where the interfaces of a process are: Kata and KubeVirt put it in another network namespace than the host's. */
export function networkOf(paths: Paths, pid: number): NetworkSource {
  if (hasHostNetwork(paths, pid)) return { kind: 'host' };
  return { kind: 'namespace', netDev: new KernelFile(paths.pid(pid, 'net/dev'), true) };
}

/**
 * Where we find a file that a process names, to look whether its storage answers: the process may be in another directory
 * and see other mounts (namespaces(7)).
 */
export function inNamespaceOf(paths: Paths, pid: number, path: string): string {
  if (!isAbsolute(path)) return paths.pid(pid, `cwd/${path}`);
  return seesOurMounts(paths, pid) ? path : paths.pid(pid, `root${path}`);
}

/**
 * The whole path of a file that a process names. A relative one stays as it is where the process is in the root directory:
 * that is where it goes when it becomes a daemon, wherever it was before.
 */
export function fullPath(paths: Paths, pid: number, path: string): string {
  if (isAbsolute(path)) return path;
  try {
    const directory = readlinkSync(paths.pid(pid, 'cwd'));
    return directory === '/' ? path : join(directory, path);
  } catch {
    return path;
  }
}

/**
 * Opens a file that a process names, only to name it, as {@link inNamespaceOf} finds it. A link at the end of the path is
 * not followed, and in the directories of the process none that leads out of them. @throws Error where that is not possible
 */
export function openInNamespaceOf(paths: Paths, pid: number, path: string): number {
  if (isAbsolute(path) && seesOurMounts(paths, pid)) return openName(path);
  return openInside(paths.pid(pid, 'root'), paths.pid(pid, 'cwd'), path);
}

/** Whether a process is in our mount namespace; true too without the right to look. */
function seesOurMounts(paths: Paths, pid: number): boolean {
  const theirs = namespaceOf(paths, pid, 'mnt');
  return theirs === undefined || theirs === namespaceOf(paths, 'self', 'mnt');
}
