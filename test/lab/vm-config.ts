import type { LabVm } from './vm.ts';

export type ConfigEntries = Readonly<Record<string, string | number>>;

/**
 * The configuration file of a VM in the grammar of Proxmox VE.
 * @param changes keys that are added or take the place of the usual ones
 */
export function vmConfig(vm: LabVm, changes: ConfigEntries = {}): string {
  const entries: Record<string, string | number> = {
    cores: vm.cores,
    memory: vm.memory,
    name: vm.name.replaceAll(/[\r\n]/g, ' '), // a line holds no line break
    ostype: 'other',
    scsihw: 'virtio-scsi-pci',
    smbios1: `uuid=${vm.uuid}`,
    sockets: 1,
  };
  if (vm.vcpus !== undefined) entries['vcpus'] = vm.vcpus;
  for (const { device, size } of vm.disks)
    entries[device] = `lab:${vm.vmid}/vm-${vm.vmid}-${device}.raw,size=${size / 1024}K`;
  for (const { device, model, mac } of vm.nics)
    entries[device] = `${model}=${mac.toUpperCase()},bridge=vmbr0`;
  return Object.entries({ ...entries, ...changes })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}
