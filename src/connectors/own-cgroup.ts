import { Cgroup } from '../kernel/cgroup.ts';
import type { Paths } from '../kernel/paths.ts';
import { cgroupOf } from '../kernel/proc-pid-cgroup.ts';

/**
 * The cgroup that Proxmox VE makes for a VM, qemu.slice/<vmid>.scope. Undefined for a VM that was started by hand:
 * it shares the cgroup of the shell, whose figures are not the VM's.
 */
export function ownCgroup(paths: Paths, pid: number, vmid: string): Cgroup | undefined {
  const group = cgroupOf(paths, pid);
  return group?.endsWith(`/${vmid}.scope`) === true ? new Cgroup(paths, group) : undefined;
}
