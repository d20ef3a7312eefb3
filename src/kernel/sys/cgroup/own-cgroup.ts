import { Cgroup } from './cgroup.ts';
import { readOnce } from '../../base/kernel-file.ts';
import type { Paths } from '../../base/paths.ts';
import { cgroupOf } from '../../pid/proc-pid-cgroup.ts';

/**
 * The cgroup that a manager made for one VM, found by the name it gives: qemu.slice/100.scope of Proxmox VE, or
 * machine.slice/machine-qemu\x2d1\x2dweb.scope of libvirt, which puts the process in a group below it. Undefined for
 * a VM that was started otherwise: it shares the cgroup of others, whose figures are not the VM's.
 */
export function scopeCgroup(paths: Paths, pid: number, scope: string | RegExp): Cgroup | undefined {
  const parts = cgroupOf(paths, pid)?.split('/') ?? [];
  const at = parts.findIndex((part) => (typeof scope === 'string' ? part === scope : scope.test(part)));
  return at < 0 ? undefined : new Cgroup(paths, parts.slice(0, at + 1).join('/'));
}

/**
 * The cgroup of a process that no other process shares. Its list then is one number: the pid, or 0 where we are in a pid
 * namespace that does not have the process.
 */
export function loneCgroup(paths: Paths, pid: number): Cgroup | undefined {
  const group = cgroupOf(paths, pid);
  if (group === undefined || group === '/') return undefined;
  const isAlone = /^\d+$/.test(readOnce(paths.cgroup(group, 'cgroup.procs')) ?? '');
  return isAlone ? new Cgroup(paths, group) : undefined;
}
