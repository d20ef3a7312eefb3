import { until } from './processes.ts';
import { blockdev, diskDevice, netdev, nicDevice, throttleGroup } from './qemu-arguments.ts';
import { qmp } from './qmp.ts';
import type { LabDisk, LabNic, LabVm } from './vm.ts';

interface HotpluggableCpu {
  readonly type: string;
  readonly props: Readonly<Record<string, unknown>>;
  /** Missing while the place is free. */
  readonly 'qom-path'?: string;
}

/** Plugs a vCPU into a running VM whose `vcpus` are fewer than its `cores`. */
export async function plugCpu(vm: LabVm): Promise<void> {
  const places = (await qmp(vm.qmpSocket, 'query-hotpluggable-cpus')) as readonly HotpluggableCpu[];
  const plugged = places.filter((place) => place['qom-path'] !== undefined).length;
  const free = places.findLast((place) => place['qom-path'] === undefined); // QEMU lists them in falling order
  if (free === undefined) throw new Error(`VM ${vm.vmid}: all ${plugged} vCPUs are plugged in`);
  await qmp(vm.qmpSocket, 'device_add', { driver: free.type, id: `cpu${plugged + 1}`, ...free.props });
}

/** Plugs a SCSI disk of shape `blockdev` into a running VM. */
export async function plugDisk(vm: LabVm, size: number): Promise<LabDisk> {
  const disk = vm.addDisk({ interface: 'scsi', size, shape: 'blockdev' });
  await qmp(vm.qmpSocket, 'object-add', throttleGroup(disk));
  await qmp(vm.qmpSocket, 'blockdev-add', blockdev(disk));
  await qmp(vm.qmpSocket, 'device_add', diskDevice(disk));
  return disk;
}

/** Takes a disk that {@link plugDisk} plugged in out again: SCSI needs, unlike the other interfaces, no help of the guest. */
export async function unplugDisk(vm: LabVm, disk: LabDisk): Promise<void> {
  await qmp(vm.qmpSocket, 'device_del', { id: disk.device });
  // QEMU lets go of the node a moment later; until then it refuses to delete it.
  const node = { 'node-name': `drive-${disk.device}` };
  const deleted = (): Promise<boolean> =>
    qmp(vm.qmpSocket, 'blockdev-del', node).then(
      () => true,
      () => false,
    );
  await until(`${disk.device} is out of VM ${vm.vmid}`, deleted);
  await qmp(vm.qmpSocket, 'object-del', { id: `throttle-drive-${disk.device}` });
  vm.disks.splice(vm.disks.indexOf(disk), 1);
}

/** Plugs a NIC into a running VM; {@link Lab.plugNic} attaches its tap as well. */
export async function plugNic(vm: LabVm): Promise<LabNic> {
  const nic = vm.addNic({ model: 'rtl8139' });
  await qmp(vm.qmpSocket, 'netdev_add', netdev(nic));
  await qmp(vm.qmpSocket, 'device_add', nicDevice(nic));
  return nic;
}

/** Takes the tap of a NIC away from a running VM. The device itself would need the guest's consent, and stays. */
export async function unplugNic(vm: LabVm, nic: LabNic): Promise<void> {
  await qmp(vm.qmpSocket, 'netdev_del', { id: nic.device });
  vm.nics.splice(vm.nics.indexOf(nic), 1);
}
