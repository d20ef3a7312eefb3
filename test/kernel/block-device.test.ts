import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { blockDeviceType, deviceMapperName } from '../../src/kernel/block-device.ts';
import { Paths, defaultRoots } from '../../src/kernel/paths.ts';
import { fixture } from './support.ts';

test('knows every kind of device of the captured kernels', () => {
  const paths = fixture('linux-6.1');
  const types = {
    vda: 'physical',
    vda1: 'partition',
    'dm-0': 'lvm',
    'dm-1': 'mpath',
    'dm-2': 'partition',
    'dm-3': 'crypt',
    'dm-4': undefined,
    md127: 'md',
    loop0: undefined,
    zram0: undefined,
    gone: undefined,
  };
  for (const [device, type] of Object.entries(types))
    assert.equal(blockDeviceType(paths, device), type, device);
  assert.equal(blockDeviceType(fixture('linux-6.18'), 'vda'), 'physical');
});

test('gives the names of device-mapper devices', () => {
  const paths = fixture('linux-6.1');
  assert.equal(deviceMapperName(paths, 'dm-0'), 'pve-vm--100--disk--0');
  assert.equal(deviceMapperName(paths, 'dm-1'), 'mpatha');
  assert.equal(deviceMapperName(paths, 'vda'), undefined);
});

// Made by hand after the layout of sysfs: hardware and drivers that the guest does not have.
const sysfs = mkdtempSync(join(tmpdir(), 'proxtop-block-'));
after(() => {
  rmSync(sysfs, { recursive: true });
});
const paths = new Paths({ ...defaultRoots, sysfs });

function place(file: string, content: string): void {
  const path = join(sysfs, 'class/block', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

test('knows devices that the captured kernels do not have', () => {
  const devices = [
    ['nvme0n1', ['device', 'hidden 0'], 'physical'],
    ['nvme0c0n1', ['device', 'hidden 1'], undefined],
    ['cciss/c0d0', ['device'], 'physical'],
    ['sr0', ['device'], undefined],
    ['rbd0', ['device'], undefined],
    ['zd16', ['hidden 0'], 'zvol'],
    ['zd16p1', ['partition 1'], 'partition'],
    ['md0', ['hidden 0'], 'md'],
    ['md0p1', ['partition 1'], 'partition'],
    ['nbd0', ['hidden 0'], undefined],
  ] as const;
  for (const [device, files, type] of devices) {
    for (const file of files) {
      const [name, content = ''] = file.split(' ');
      place(`${device.replace('/', '!')}/${String(name)}`, `${content}\n`);
    }
    assert.equal(blockDeviceType(paths, device), type, device);
  }
});
