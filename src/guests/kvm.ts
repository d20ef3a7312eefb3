import { existsSync } from 'node:fs';
import { defaultRoots } from '../kernel/base/paths.ts';
import type { Paths } from '../kernel/base/paths.ts';

/** The device that QEMU needs to run VMs with the help of the CPU. */
const device = '/dev/kvm';

/** Why a host may have no VMs: it cannot run them with KVM. Of a remote host this is not known. */
export function kvmTrouble({ roots }: Paths): readonly string[] {
  if (roots.procfs !== defaultRoots.procfs || existsSync(device)) return [];
  return [
    `there is no ${device}: load the module kvm_intel or kvm_amd, and allow virtualization in the firmware`,
  ];
}
