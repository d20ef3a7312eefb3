import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { identifyBlockDevice } from '../../src/kernel/sys/block-device.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
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
    'dm-4': 'dm',
    md127: 'md',
    loop0: undefined,
    zram0: undefined,
    gone: undefined,
  };
  for (const [device, type] of Object.entries(types))
    assert.equal(identifyBlockDevice(paths, device).type, type, device);
  assert.equal(identifyBlockDevice(fixture('linux-6.18'), 'vda').type, 'physical');
});

test('gives the names of device-mapper devices; their UUID is who they are', () => {
  const look = (device: string): unknown => {
    const { name, identity } = identifyBlockDevice(fixture('linux-6.1'), device);
    return [name, identity];
  };
  assert.deepEqual(look('dm-0'), ['pve-vm--100--disk--0', 'LVM-0123456789abcdef']);
  assert.deepEqual(look('dm-1'), ['mpatha', 'mpath-360000000000000001']);
  assert.deepEqual(look('vda'), [undefined, '']);
});

// Made by hand after the layout of sysfs: hardware and drivers that the guest does not have.
const sysfs = mkdtempSync(join(tmpdir(), 'proxtop-block-'));
after(() => {
  rmSync(sysfs, { recursive: true });
});
const paths = new Paths({ ...defaultRoots, sysfs, rundir: sysfs });

function place(file: string, content: string): void {
  write(`class/block/${file}`, content);
}

function write(file: string, content: string): void {
  const path = join(sysfs, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

test('knows devices that the captured kernels do not have', () => {
  const devices = [
    ['nvme0n1', ['device', 'hidden 0'], 'physical'],
    ['nvme0c0n1', ['device', 'hidden 1'], undefined],
    ['cciss/c0d0', ['device'], 'physical'],
    ['sr0', ['device'], undefined],
    ['rbd0', ['device', 'hidden 0'], 'rbd'],
    ['drbd1000', ['hidden 0'], 'drbd'],
    ['bcache0', ['hidden 0'], 'bcache'],
    ['bcache0p1', ['partition 1'], 'partition'],
    ['zd16', ['hidden 0'], 'zvol'],
    ['dm-0', ['dm/uuid DMRAID-isw_bcgdehfgai_Vol0'], 'dmraid'],
    ['dm-1', ['dm/uuid stratis-1-private-0123'], 'dm'],
    ['md0', ['hidden 0'], 'md'],
    ['md0p1', ['partition 1'], 'partition'],
    ['nbd0', ['hidden 0'], undefined],
    // A guest made these partitions. The kernel lists them, but the host has nothing to do with them.
    ['zd16p1', ['partition 1'], undefined],
    ['rbd0p2', ['partition 2'], undefined],
    ['drbd1000p1', ['partition 1'], undefined],
    ['nbd0p1', ['partition 1'], undefined],
    ['loop0p1', ['partition 1'], undefined],
    ['dm-2', ['dm/uuid part1-LVM-0123456789abcdef'], undefined],
  ] as const;
  for (const [device, files, type] of devices) {
    for (const file of files) {
      const [name, content = ''] = file.split(' ');
      place(`${device.replace('/', '!')}/${String(name)}`, `${content}\n`);
    }
    assert.equal(identifyBlockDevice(paths, device).type, type, device);
  }
});

// After 60-zvol.rules of OpenZFS, 65-drbd.rules of DRBD, rbd.c and bcache/sysfs.c of the kernel.
test('knows what the owners of volumes call them', () => {
  const udev = (numbers: string, ...links: string[]): void => {
    write(`udev/data/b${numbers}`, ['S:disk/by-diskseq/7', ...links, 'I:123', 'E:ID_X=1'].join('\n') + '\n');
  };
  const nameOf = (device: string): string | undefined => identifyBlockDevice(paths, device).name;
  const unnamed = ['zd16', 'rbd0', 'drbd1000', 'bcache0'];
  assert.deepEqual(unnamed.map(nameOf), [undefined, undefined, undefined, undefined]);

  place('zd16/dev', '230:16\n');
  udev('230:16', 'S:zvol/rpool/data/vm-100-disk-0');
  assert.equal(nameOf('zd16'), 'rpool/data/vm-100-disk-0');

  place('drbd1000/dev', '147:1000\n');
  udev('147:1000', 'S:drbd/by-disk/pve/lv', 'S:drbd/by-res/vm-100-disk-1/0');
  assert.equal(nameOf('drbd1000'), 'vm-100-disk-1/0');

  write('devices/rbd/0/pool', 'ceph-vm\n');
  write('devices/rbd/0/name', 'vm-100-disk-0\n');
  write('devices/rbd/0/pool_ns', '\n');
  write('devices/rbd/0/current_snap', '-\n');
  assert.equal(nameOf('rbd0'), 'ceph-vm/vm-100-disk-0');
  write('devices/rbd/0/pool_ns', 'tenant\n');
  write('devices/rbd/0/current_snap', 'before\n');
  assert.equal(nameOf('rbd0'), 'ceph-vm/tenant/vm-100-disk-0@before');

  place('bcache0/bcache/label', '\n');
  assert.equal(nameOf('bcache0'), undefined);
  place('bcache0/bcache/label', 'fast\n');
  assert.equal(nameOf('bcache0'), 'fast');
});

test('a number that the kernel gives to each disk tells another one of the same name', () => {
  const look = (): string => identifyBlockDevice(paths, 'zd16').identity;
  assert.equal(look(), 'rpool/data/vm-100-disk-0', 'before 5.15');
  place('zd16/diskseq', '41\n');
  assert.equal(look(), '41');
});

const loops = process.getuid?.() === 0 && existsSync('/dev/loop-control');

test(
  'a real device that gets another content is another one',
  { skip: !loops && 'needs root and loop devices' },
  (t) => {
    const losetup = (...args: string[]): string => execFileSync('losetup', args, { encoding: 'utf8' }).trim();
    const files = ['one', 'two'].map((name) => {
      write(name, 'x'.repeat(4096));
      return join(sysfs, name);
    });
    const attach = (loop: string | undefined, file: string): string => {
      if (loop !== undefined) losetup(loop, file);
      const at = loop ?? losetup('--find', '--show', file);
      const { identity } = identifyBlockDevice(new Paths(defaultRoots), at.replace('/dev/', ''));
      losetup('--detach', at);
      return `${at} ${identity}`;
    };
    const [one, two] = files as [string, string];
    const [loop = '', before] = attach(undefined, one).split(' ');
    if (before === '') {
      t.skip('a kernel before 5.15');
      return;
    }
    assert.notEqual(attach(loop, two).split(' ')[1], before);
  },
);
