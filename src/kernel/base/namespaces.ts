import { readlinkSync, statSync } from 'node:fs';
import { readOnce } from './kernel-file.ts';
import type { Paths } from './paths.ts';
import { hostProcess } from './paths.ts';

/** A process by its pid, or our own. */
type Which = number | 'self';

/** Such as `mnt:[4026531832]` (namespaces(7)); undefined for a process that is gone or that we may not look at. */
export function namespaceOf(paths: Paths, process: Which, kind: 'mnt' | 'uts'): string | undefined {
  try {
    return readlinkSync(paths.proc(`${process}/ns/${kind}`));
  } catch {
    return undefined;
  }
}

/**
 * Whether a process is in the network namespace of the host, as far as that can be seen. The inode of its net/dev tells, as
 * each namespace has its own. (Reading its link below ns needs the right to trace the process.)
 */
export function hasHostNetwork(paths: Paths, process: Which): boolean {
  const theirs = inodeOf(paths.proc(`${process}/net/dev`));
  return theirs === undefined || theirs === inodeOf(paths.hostNet('dev'));
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

/**
 * The file with the name of the host. `<procfs>/sys/kernel/hostname` has the name of the reading process, which differs in
 * a container; then it is the file from which the host takes its name when it boots. Without the right to compare
 * namespaces, a process in another network namespace than the host is assumed to have another name too.
 */
export function hostNameFile(paths: Paths): string {
  const [ours, host] = [namespaceOf(paths, 'self', 'uts'), namespaceOf(paths, hostProcess, 'uts')];
  const shared = ours === undefined || host === undefined ? hasHostNetwork(paths, 'self') : ours === host;
  return shared ? paths.proc('sys/kernel/hostname') : paths.pid(hostProcess, 'root/etc/hostname');
}

/** Why the name of the host is not known, and what to do about it; undefined where it is. */
export function hostNameTrouble(paths: Paths): string | undefined {
  const file = hostNameFile(paths);
  if (file === paths.proc('sys/kernel/hostname') || readOnce(file) !== undefined) return undefined;
  return `in a container, ${file} must be readable (CAP_SYS_PTRACE) or the UTS namespace must be the host's`;
}
