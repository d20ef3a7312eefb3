import { gauge, text } from '../metric.ts';
import type { MetricTable } from '../metric.ts';

/** Who a row is about. */
export const identity = {
  vm: [
    text('UUID', {
      title: 'UUID',
      source: 'connector',
      meaning:
        'VM UUID, lower case; on Proxmox without smbios1 uuid: proxmox-<vmid>; of a QEMU without: qemu-<pid>-<start>',
      container: 'proxmox-<vmid>, lxc-<name> or nspawn-<name>',
      original: { id: 'UUID' },
    }),
    text('name', {
      title: 'NAME',
      source: 'connector',
      meaning: 'VM name, at most 255 characters',
      container: 'hostname of its configuration, on Proxmox without: CT<vmid>; else its name',
      original: { id: 'name' },
    }),
    text('vmid', {
      title: 'VMID',
      source: 'connector',
      meaning: 'Proxmox VMID (Proxmox connector only)',
      needs: 'Proxmox',
    }),
    text('pid', {
      title: 'PID',
      source: 'connector',
      meaning: 'host PID of the QEMU process',
      container: 'host PID of its first process',
    }),
    text('guest_type', {
      title: 'TYPE',
      source: 'connector',
      meaning:
        'qemu for a VM; lxc for a container of Proxmox VE, LXC or Incus, nspawn for one of systemd-nspawn',
    }),
    text('state', {
      title: 'STATE',
      shown: 'verbose',
      source: 'QMP query-status / libvirt state.state',
      meaning: 'running, paused, ...',
      container: 'cgroup v2 cgroup.events: running or frozen',
    }),
    text('tags', {
      title: 'TAGS',
      shown: 'verbose',
      source: 'node configuration tags',
      meaning: 'tags of the VM, joined with ;',
      needs: 'Proxmox',
    }),
    text('lock', {
      title: 'LOCK',
      shown: 'verbose',
      source: 'node configuration lock',
      meaning: 'what Proxmox is doing with the VM: backup, migrate, snapshot, ...',
      needs: 'Proxmox',
    }),
    gauge('uptime', {
      title: 'UPTIME',
      unit: 'seconds',
      shown: 'verbose',
      source: '/proc/<pid>/stat of the first process of a container',
      meaning: 'Time since the container started.',
      needs: 'a container',
    }),
    text('qmp', {
      title: 'QMP',
      source: 'QMP',
      meaning:
        'timeout or error while the monitor (or libvirt in its place) gives no answer, held while another client has it and we do not ask; omitted while it answers',
      needs: 'a monitor that does not answer',
    }),
    gauge('qmp_age', {
      title: 'QMPAGE',
      unit: 'seconds',
      source: 'QMP',
      meaning: 'time since the last answer of a monitor that gives none; omitted while it answers',
      needs: 'a monitor that does not answer',
    }),
    gauge('detail_age', {
      title: 'DETAILAGE',
      unit: 'seconds',
      shown: 'verbose',
      source: 'QMP / libvirt',
      meaning: 'age of the values that come from the slower beat',
    }),
  ],
  vm_vcpu: [
    text('device', {
      title: 'VCPU',
      source: 'connector',
      meaning: 'number of the vCPU, from 0',
    }),
  ],
  vm_disk: [
    text('device', {
      title: 'DISK',
      source: 'connector',
      meaning: 'name of the disk: scsi0, virtio1, ...; vda with libvirt',
      container: 'rootfs, mp0, ... on Proxmox; of other devices the kernel name on the host',
    }),
  ],
  vm_nic: [
    text('device', {
      title: 'NIC',
      source: 'connector',
      meaning: 'name of the tap on the host',
      container: 'name of the veth on the host; without Proxmox of the interface in the container',
    }),
  ],
  host_disk: [
    text('device', {
      title: 'DISK',
      source: '/proc/diskstats',
      meaning: 'kernel name of the device',
    }),
  ],
  host_pool: [
    text('device', {
      title: 'POOL',
      source: '/proc/spl/kstat/zfs',
      meaning: 'name of the pool',
    }),
  ],
  host_cpu: [
    text('device', {
      title: 'CPU',
      source: '/proc/stat lines cpuN',
      meaning: 'number of the logical CPU, from 0',
    }),
  ],
  host_numa: [
    text('device', {
      title: 'NODE',
      source: '/sys/devices/system/node/node*',
      meaning: 'number of the node, from 0',
      needs: 'a host with several NUMA nodes',
    }),
  ],
  host_nic: [
    text('device', {
      title: 'NIC',
      source: '/proc/net/dev',
      meaning: 'name of the interface',
    }),
  ],
  host_sensor: [
    text('device', {
      title: 'SENSOR',
      source: '/sys/class/hwmon/*/name, *_label',
      meaning:
        'chip and label, such as coretemp.0/Package id 0, nvme0/Composite and nct6779@nct6775.656/fan2 (without a label)',
    }),
  ],
  host_zone: [
    text('device', {
      title: 'ZONE',
      source: '/sys/class/powercap/intel-rapl:*/name',
      meaning: 'a package of CPUs, or its memory: package-0, package-0/dram',
    }),
  ],
} satisfies MetricTable;
