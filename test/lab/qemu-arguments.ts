import { createHash } from 'node:crypto';
import type { LabDisk, LabNic, LabVm } from './vm.ts';

type Properties = Readonly<Record<string, string | number | false>>;

/**
 * The command line of a VM after argv[0], in the order of Proxmox VE. Left out is what stock QEMU does not know
 * (`-id` is a patch of Proxmox VE) and what cannot be had without KVM.
 * @param floppy image of the boot floppy; undefined for a VM that needs none
 */
export function qemuArguments(vm: LabVm, floppy: string | undefined): string[] {
  return [
    ...['-name', `${escape(vm.name)},debug-threads=on`],
    '-no-shutdown',
    ...['-chardev', `socket,id=qmp,path=${escape(vm.qmpSocket)},server=on,wait=off`],
    ...['-mon', 'chardev=qmp,mode=control'],
    ...['-pidfile', vm.pidFile],
    '-daemonize',
    ...['-smbios', `type=1,uuid=${vm.uuid}`],
    ...processors(vm),
    ...['-m', String(vm.memory)],
    ...['-machine', 'pc', '-nodefaults', '-display', 'none', '-vga', 'none'],
    // 8 MiB of translated code are plenty for these guests; the default would be a quarter of the memory.
    ...['-accel', 'tcg,thread=multi,tb-size=8'],
    ...boot(vm, floppy),
    ...['-device', 'virtio-balloon-pci,id=balloon0'],
    ...controllers(vm),
    ...vm.disks.flatMap((disk) => [...backend(disk), '-device', option('driver', diskDevice(disk))]),
    ...vm.nics.flatMap((nic) => [
      '-netdev',
      option('type', netdev(nic)),
      '-device',
      option('driver', nicDevice(nic)),
    ]),
    ...vm.args,
  ];
}

function processors({ cores, vcpus }: LabVm): string[] {
  const topology = `sockets=1,cores=${cores},maxcpus=${cores}`;
  if (vcpus === undefined) return ['-smp', `${cores},${topology}`];
  const plugged = Array.from({ length: vcpus - 1 }, (_, index) => [
    '-device',
    `qemu64-x86_64-cpu,id=cpu${index + 2},socket-id=0,core-id=${index + 1},thread-id=0`,
  ]);
  return ['-smp', `1,${topology}`, ...plugged.flat()];
}

function boot({ guest }: LabVm, floppy: string | undefined): string[] {
  if (guest === 'paused') return ['-S'];
  // The BIOS starts again as soon as the boot ROM has given up.
  if (guest === 'network') return ['-boot', 'order=n,reboot-timeout=100'];
  return ['-boot', 'order=a', '-drive', `file=${escape(floppy ?? '')},if=floppy,format=raw,readonly=on`];
}

function controllers({ disks }: LabVm): string[] {
  // The SCSI controller is always there, so that disks can be plugged in later.
  const ahci = disks.some((disk) => disk.interface === 'sata') ? ['-device', 'ahci,id=ahci0'] : [];
  return ['-device', 'virtio-scsi-pci,id=scsihw0', ...ahci];
}

function backend(disk: LabDisk): string[] {
  if (disk.shape === 'drive') {
    return ['-drive', `file=${escape(disk.image)},if=none,id=drive-${disk.device},format=raw`];
  }
  return ['-object', JSON.stringify(throttleGroup(disk)), '-blockdev', JSON.stringify(blockdev(disk))];
}

/** The throttle group of a `blockdev` disk, as `-object` and object-add take it. */
export function throttleGroup(disk: LabDisk): Record<string, unknown> {
  return { 'qom-type': 'throttle-group', id: `throttle-drive-${disk.device}`, limits: {} };
}

/** The nodes of a `blockdev` disk, as `-blockdev` and blockdev-add take them. */
export function blockdev(disk: LabDisk): Record<string, unknown> {
  const hash = createHash('sha256').update(disk.image).digest('hex').slice(0, 30);
  const file = { driver: 'file', 'node-name': `e${hash}`, filename: disk.image };
  const format = { driver: 'raw', 'node-name': `f${hash}`, file };
  return {
    driver: 'throttle',
    'node-name': `drive-${disk.device}`,
    'throttle-group': `throttle-drive-${disk.device}`,
    file: format,
  };
}

/** The guest's side of a disk, as `-device` and device_add take it. */
export function diskDevice(disk: LabDisk): Properties {
  const number = Number(disk.device.slice(disk.interface.length));
  const common = { id: disk.device, drive: `drive-${disk.device}` };
  switch (disk.interface) {
    case 'scsi':
      return { driver: 'scsi-hd', bus: 'scsihw0.0', channel: 0, 'scsi-id': number, lun: 0, ...common };
    case 'virtio':
      return { driver: 'virtio-blk-pci', ...common };
    case 'ide':
      return { driver: 'ide-hd', bus: `ide.${number >> 1}`, unit: number & 1, ...common };
    case 'sata':
      return { driver: 'ide-hd', bus: `ahci0.${number}`, ...common };
  }
}

/** The host's side of a NIC, as `-netdev` and netdev_add take it. QEMU makes the tap, which vanishes with it. */
export function netdev(nic: LabNic): Properties {
  // Without the virtio header the injected frames of guest-traffic.ts pass as they are.
  return { type: 'tap', id: nic.device, ifname: nic.tap, script: 'no', downscript: 'no', vnet_hdr: false };
}

/** The guest's side of a NIC, as `-device` and device_add take it. */
export function nicDevice(nic: LabNic): Properties {
  const driver = nic.model === 'virtio' ? 'virtio-net-pci' : nic.model;
  return { driver, id: nic.device, netdev: nic.device, mac: nic.mac };
}

/** An option's value as Proxmox VE writes it: `virtio-blk-pci,id=virtio0,...`; the property `first` leads, unnamed. */
function option(first: string, properties: Properties): string {
  return Object.entries(properties)
    .map(([name, value]) => {
      const text = value === false ? 'off' : escape(String(value));
      return name === first ? text : `${name}=${text}`;
    })
    .join(',');
}

/** A value of a comma-separated option: a comma is written twice. */
function escape(value: string): string {
  return value.replaceAll(',', ',,');
}
