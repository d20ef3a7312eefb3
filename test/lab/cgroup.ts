import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from './processes.ts';

/** Where cgroup v2 is mounted: below unified/ on a hybrid host. Of several mounts the last one may hide the others. */
export function cgroupMount(): string {
  const mount = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .findLast((fields) => fields[2] === 'cgroup2');
  return mount?.[1] ?? '/sys/fs/cgroup';
}

/**
 * Moves a process into the cgroup of its own that Proxmox VE gives a VM.
 * @returns the path of the cgroup below the mount, or undefined where the cgroup file system cannot be written
 */
export function enterScope(mount: string, vmid: number, pid: number): string | undefined {
  const path = `/qemu.slice/${vmid}.scope`;
  try {
    mkdirSync(join(mount, path), { recursive: true });
    writeFileSync(join(mount, path, 'cgroup.procs'), String(pid));
    return path;
  } catch {
    return undefined;
  }
}

/** Removes the cgroup of a VM that has ended; the slice goes with the last one, whichever lab it is from. */
export async function removeScope(mount: string, path: string): Promise<void> {
  // A task counts in its cgroup for a moment after it has ended.
  await until(`${path} is empty`, () => removed(join(mount, path)));
  removed(join(mount, dirname(path)));
}

function removed(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
