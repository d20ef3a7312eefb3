import type { MetricTable } from './define.ts';

/** Who a row is about. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const identity = {
  vm: [
    ['UUID', 'UUID', '-', 'text', 'default', 'connector', 'VM UUID, lower case; on Proxmox without smbios1 uuid: proxmox-<vmid>; of a QEMU without: qemu-<pid>-<start>', 'UUID'],
    ['name', 'NAME', '-', 'text', 'default', 'connector', 'VM name, at most 255 characters', 'name'],
    ['vmid', 'VMID', '-', 'text', 'default', 'connector', 'Proxmox VMID (Proxmox connector only)', '', 'Proxmox'],
    ['pid', 'PID', '-', 'text', 'default', 'connector', 'host PID of the QEMU process', ''],
    ['state', 'STATE', '-', 'text', 'verbose', 'QMP query-status / libvirt state.state', 'running, paused, ...', ''],
    ['tags', 'TAGS', '-', 'text', 'verbose', 'node configuration tags', 'tags of the VM, joined with ;', '', 'Proxmox'],
    ['lock', 'LOCK', '-', 'text', 'verbose', 'node configuration lock', 'what Proxmox is doing with the VM: backup, migrate, snapshot, ...', '', 'Proxmox'],
    ['qmp', 'QMP', '-', 'text', 'default', 'QMP', 'timeout or error while the monitor (or libvirt in its place) gives no answer, held while another client has it and we do not ask; omitted while it answers', '', 'a monitor that does not answer'],
    ['qmp_age', 'QMPAGE', 'seconds', 'gauge', 'default', 'QMP', 'time since the last answer of a monitor that gives none; omitted while it answers', '', 'a monitor that does not answer'],
    ['detail_age', 'DETAILAGE', 'seconds', 'gauge', 'verbose', 'QMP / libvirt', 'age of the values that come from the slower beat', ''],
  ],
  vm_vcpu: [
    ['device', 'VCPU', '-', 'text', 'default', 'connector', 'number of the vCPU, from 0', ''],
  ],
  vm_disk: [
    ['device', 'DISK', '-', 'text', 'default', 'connector', 'name of the disk: scsi0, virtio1, ...; vda with libvirt', ''],
  ],
  vm_nic: [
    ['device', 'NIC', '-', 'text', 'default', 'connector', 'name of the tap on the host', ''],
  ],
  host_disk: [
    ['device', 'DISK', '-', 'text', 'default', '/proc/diskstats', 'kernel name of the device', ''],
  ],
  host_nic: [
    ['device', 'NIC', '-', 'text', 'default', '/proc/net/dev', 'name of the interface', ''],
  ],
} as const satisfies MetricTable;
