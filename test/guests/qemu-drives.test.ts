import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQemuArguments } from '../../src/guests/qemu/qemu-arguments.ts';
import type { QemuDrive } from '../../src/guests/qemu/qemu-drives.ts';

const drives = (...argv: string[]): readonly QemuDrive[] => parseQemuArguments(['kvm', ...argv]).drives;
const json = (value: object): string => JSON.stringify(value);

test('the name is that of the drive, else of the device, else of the node', () => {
  for (const [argv, device] of [
    [['-drive', 'if=none,id=drive-sda,file=/a', '-device', 'scsi-hd,drive=drive-sda,id=scsi7'], 'sda'],
    [['-drive', 'if=none,id=disk0,file=/a', '-device', 'nvme,drive=disk0,serial=1'], 'disk0'],
    [['-blockdev', 'file,node-name=n,filename=/a', '-device', 'virtio-blk-pci,drive=n,id=root'], 'root'],
    [['-blockdev', 'file,node-name=n,filename=/a', '-device', 'virtio-blk-pci,drive=n'], 'n'],
    [['-drive', 'file=/a,if=ide,id=boot'], 'boot'],
    [['-drive', 'file=/a,id=boot'], 'boot'],
    [['-drive', 'file=/a,if=virtio'], 'virtio0'],
  ] as const) {
    const [drive, ...more] = drives(...argv);
    assert.deepEqual([drive?.device, drive?.path, more], [device, '/a', []], argv.join(' '));
  }
});

test('one that no device uses, and one whose name only QEMU knows, are left out', () => {
  assert.deepEqual(drives('-drive', 'if=none,id=spare,file=/a', '-hda', '/b', '-drive', 'file=/c'), []);
  assert.deepEqual(drives('-blockdev', 'file,node-name=spare,filename=/a'), []);
});

test('CD-ROMs, floppies and firmware, in both forms of -device and without one', () => {
  assert.deepEqual(
    drives(
      ...['-device', json({ driver: 'ide-cd', id: 'cd0', bus: 'ide.1', drive: 'iso' })],
      ...['-blockdev', 'driver=null-co,node-name=iso'],
      ...['-device', 'floppy,id=fdc0-0-0,drive=fl', '-blockdev', json({ driver: 'file', 'node-name': 'fl' })],
      ...['-device', 'scsi-cd,id=empty'],
      ...['-drive', 'file=/a.iso,media=cdrom,id=install'],
      ...['-drive', 'if=floppy,id=fd,file=/f', '-drive', 'if=pflash,id=drive-efidisk0,file=/v'],
    ),
    [
      { device: 'cd0', driver: 'ide-cd' },
      { device: 'fdc0-0-0', driver: 'floppy' },
      { device: 'empty', driver: 'scsi-cd' },
      { device: 'install', driver: 'ide-cd', path: '/a.iso' },
      { device: 'fd', driver: 'floppy', path: '/f' },
      { device: 'efidisk0', driver: 'cfi.pflash01', path: '/v' },
    ],
  );
});

test('the file at the bottom of the layers, nested or by name', () => {
  const device = ['-device', 'virtio-blk-pci,drive=top,id=d'];
  for (const layers of [
    ['-blockdev', 'driver=qcow2,node-name=top,file.driver=file,file.filename=/a'],
    [
      '-blockdev',
      'driver=throttle,node-name=top,file.driver=raw,file.file.driver=file,file.file.filename=/a',
    ],
    ['-blockdev', json({ driver: 'file', filename: '/a', 'node-name': 's' })].concat(
      ...['-blockdev', json({ driver: 'qcow2', file: 's', 'node-name': 'top' })],
    ),
    ['-blockdev', 'driver=file,filename=/a,node-name=s', '-blockdev', 'driver=raw,file=s,node-name=f'].concat(
      ...['-blockdev', json({ driver: 'throttle', 'node-name': 'top', file: 'f', 'throttle-group': 'g' })],
    ),
    ['-drive', 'if=none,id=top,driver=qcow2,file.driver=file,file.filename=/a'],
    [
      '-drive',
      `if=none,id=top,file=json:${json({ driver: 'raw', file: { filename: '/a' } }).replaceAll(',', ',,')}`,
    ],
  ]) {
    assert.equal(drives(...layers, ...device)[0]?.path, '/a', layers.join(' '));
  }
});

test('what is no file has no path, and layers that go round in a circle end', () => {
  const device = ['-device', 'virtio-blk-pci,drive=top,id=d'];
  for (const layers of [
    ['-blockdev', 'driver=rbd,node-name=top,pool=p,image=i'],
    ['-blockdev', 'driver=file,node-name=top,filename=/dev/fdset/1'],
    ['-drive', 'if=none,id=top,file=nbd://host/disk'],
    ['-drive', 'if=none,id=top,file=rbd:pool/disk'],
    ['-drive', 'if=none,id=top'],
    ['-blockdev', 'driver=raw,node-name=top,file=top'],
    ['-blockdev', 'driver=raw,node-name=top,file=b', '-blockdev', 'driver=raw,node-name=b,file=top'],
    [],
  ]) {
    assert.deepEqual(
      drives(...layers, ...device).map(({ path }) => path),
      [undefined],
      layers.join(' '),
    );
  }
});

test('JSON of any depth ends', () => {
  const deep = 100_000;
  const device = '{"driver":'.repeat(deep) + '1' + '}'.repeat(deep);
  assert.deepEqual(drives('-device', device, '-blockdev', device), []);
});
