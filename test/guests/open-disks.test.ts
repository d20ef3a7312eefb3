import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { DisksBelow } from '../../src/guests/below/disks-below.ts';
import { HostDevices } from '../../src/guests/below/host-device.ts';
import { findPlaces } from '../../src/guests/below/open-disks.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { diskStatsCounters } from '../../src/kernel/proc/proc-diskstats.ts';
import { zfsObjsetCounters } from '../../src/kernel/sys/zfs/zfs-objset.ts';
import { objset } from '../collectors/objset.ts';
import { Tree } from '../collectors/support.ts';
import { openUnder } from '../lab/descriptors.ts';

const isRoot = process.getuid?.() === 0;
const real = new Paths(defaultRoots);

/** Opens files as its arguments say, path and flag in turns, and holds them until it is killed. */
const holder = `
import os, sys
for path, flag in zip(sys.argv[1::2], sys.argv[2::2]):
    os.open(path, os.O_RDWR | (os.O_DIRECT if flag == 'direct' else 0))
print('held', flush=True)
sys.stdin.read()
`;

async function holding(t: TestContext, ...files: string[]): Promise<number> {
  const child = spawn('python3', ['-c', holder, ...files], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child.pid ?? -1;
}

function directory(t: TestContext, parent: string): string {
  const path = mkdtempSync(join(parent, 'proxtop-below-'));
  t.after(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** A file system on a block device; undefined where this machine has none to write to. */
const onDevice = ['/var/tmp', '/'].find((path) => existsSync(`/sys/dev/block/${numbersOf(path)}`));

function numbersOf(path: string): string {
  return execFileSync('findmnt', ['-no', 'MAJ:MIN', '-T', path], { encoding: 'utf8' }).trim();
}

test(
  'files lie on the device of their file system, also by a path with links',
  { skip: onDevice === undefined },
  async (t) => {
    const images = directory(t, onDevice ?? '');
    const links = directory(t, tmpdir());
    for (const name of ['a.raw', 'b.qcow2']) {
      writeFileSync(join(images, name), '');
      truncateSync(join(images, name), 4096);
    }
    symlinkSync(images, join(links, 'storage'));
    const pid = await holding(t, join(images, 'a.raw'), 'direct', join(images, 'b.qcow2'), 'cached');
    const linked = join(links, 'storage/b.qcow2');
    const missing = join(images, 'c.raw');
    const places = findPlaces(real, pid, [join(images, 'a.raw'), linked, missing]);
    const numbers = numbersOf(images);
    assert.deepEqual(
      places,
      new Map([
        [join(images, 'a.raw'), { numbers, isOwn: false, isDirect: true }],
        [linked, { numbers, isOwn: false, isDirect: false }],
      ]),
    );
  },
);

test('a file in memory lies on no device', async (t) => {
  const path = join(directory(t, '/dev/shm'), 'a.raw');
  writeFileSync(path, '');
  const pid = await holding(t, path, 'cached');
  assert.deepEqual(findPlaces(real, pid, [path]), new Map());
});

test('of a process that is gone nothing is known', () => {
  assert.deepEqual(findPlaces(real, 2 ** 30, ['/a']), new Map());
});

/** A loop device, which is a block device of its own for whoever opens it; undefined where there is none to be had. */
function loopDevice(t: TestContext): string | undefined {
  const file = join(directory(t, onDevice ?? tmpdir()), 'loop.img');
  writeFileSync(file, '');
  truncateSync(file, 2 ** 20);
  try {
    const device = execFileSync('losetup', ['--find', '--show', file], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
    t.after(() => execFileSync('losetup', ['-d', device]));
    return device;
  } catch {
    return undefined;
  }
}

test(
  'a block device is the disk itself, read as /proc/diskstats counts it',
  { skip: !isRoot && 'needs root' },
  async (t) => {
    const device = loopDevice(t);
    if (device === undefined) {
      t.skip('needs a loop device');
      return;
    }
    const pid = await holding(t, device, 'direct');
    const devices = new HostDevices(real);
    const disks = new DisksBelow(real, pid, devices);
    t.after(() => {
      disks.close();
    });
    disks.follow([device], 0);
    execFileSync('dd', [
      `if=${device}`,
      'of=/dev/null',
      'bs=4096',
      'count=16',
      'iflag=direct',
      'status=none',
    ]);
    disks.read();
    const below = disks.of(device);
    const name = device.slice('/dev/'.length);
    const [, , , reads] = execFileSync('grep', ['-w', name, '/proc/diskstats'], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    assert.deepEqual(
      [below?.device, below?.isPrivate, below?.isDirect, below?.counters?.value(diskStatsCounters.reads)],
      [name, true, true, Number(reads)],
    );

    const other = new DisksBelow(real, pid, devices);
    other.follow([device], 0);
    disks.read();
    assert.equal(disks.of(device)?.isPrivate, false, 'two disks on one device share it');
    other.close();
    disks.read();
    assert.equal(disks.of(device)?.isPrivate, true);
  },
);

/**
 * A process with descriptors and mounts as the facts of a Proxmox VE node say: neither device mapper, ZFS, Ceph nor NFS can
 * be had here. The device files are real ones, which nobody opens.
 */
class Node {
  readonly paths: Paths;
  private readonly tree: Tree;
  private readonly devices: string;
  private fds = 2;
  private mounts = '20 1 0:5 / /dev rw - devtmpfs udev rw\n';
  private ids = 20;

  constructor(t: TestContext) {
    this.tree = new Tree(t);
    this.devices = directory(t, '/dev');
    this.paths = new Paths({ ...this.tree.paths.roots, rundir: join(this.tree.root, 'run') });
  }

  /** @returns the id of a mount */
  mount(numbers: string, type: string, source: string): number {
    this.ids++;
    this.mounts += `${this.ids} 1 ${numbers} / /mnt/${this.ids} rw - ${type} ${source} rw\n`;
    return this.ids;
  }

  open(target: string, mount = 20, flags = '02140002'): void {
    this.fds++;
    this.tree.write(`proc/7/fdinfo/${this.fds}`, `pos:\t0\nflags:\t${flags}\nmnt_id:\t${mount}\nino:\t5\n`);
    mkdirSync(join(this.tree.root, 'proc/7/fd'), { recursive: true });
    symlinkSync(target, join(this.tree.root, `proc/7/fd/${this.fds}`));
    this.tree.write('proc/7/mountinfo', this.mounts);
  }

  /** @returns the path of its device file */
  device(name: string, numbers: string, udev = ''): string {
    const file = join(this.devices, name);
    execFileSync('mknod', [file, 'b', ...numbers.split(':')]);
    const sys = join(this.tree.root, 'sys');
    this.tree.write(`sys/devices/virtual/block/${name}/stat`, `${'1 '.repeat(17)}\n`);
    this.tree.write(`sys/devices/virtual/block/${name}/dev`, `${numbers}\n`);
    for (const directory of ['dev/block', 'class/block'])
      mkdirSync(join(sys, directory), { recursive: true });
    symlinkSync(`../../devices/virtual/block/${name}`, join(sys, 'dev/block', numbers));
    symlinkSync(`../../devices/virtual/block/${name}`, join(sys, 'class/block', name));
    if (udev !== '') this.tree.write(`run/udev/data/b${numbers}`, udev);
    return file;
  }

  /** What ZFS counts of a data set. */
  dataset(id: string, name: string, reads: number): void {
    this.tree.write(`proc/spl/kstat/zfs/rpool/objset-${id}`, objset(name, { reads }));
  }

  mapped(name: string, dm: string): void {
    this.tree.write(`sys/devices/virtual/block/${name}/dm/name`, `${dm}\n`);
  }

  /** What is found for images: numbers, and whether the device is the disk itself. */
  find(...images: string[]): [string | undefined, boolean | undefined][] {
    const places = findPlaces(this.paths, 7, images);
    return images.map((image) => [places?.get(image)?.numbers, places?.get(image)?.isOwn]);
  }
}

test(
  'volumes, zvols, Ceph images and LUNs by the names that Proxmox VE uses',
  { skip: !isRoot && 'needs root' },
  (t) => {
    const node = new Node(t);
    node.open(node.device('dm-5', '253:5'));
    node.mapped('dm-5', 'my--vg-vm--100--disk--0');
    node.open(node.device('dm-300', '253:300'));
    node.mapped('dm-300', 'mpatha');
    node.open(node.device('zd16', '230:16', 'N:zd16\nS:zvol/rpool/data/vm-100-disk-1\n'));
    node.open(node.device('rbd0', '252:0', 'S:rbd-pve/6f1f/pool/vm-100-disk-2\nS:rbd/pool/vm-100-disk-2\n'));
    node.open(node.device('sdq', '65:0', 'S:disk/by-id/scsi-36001405\nE:DEVTYPE=disk\n'));
    const images = [
      '/dev/my-vg/vm-100-disk-0',
      '/dev/mapper/mpatha',
      '/dev/zvol/rpool/data/vm-100-disk-1',
      '/dev/rbd-pve/6f1f/pool/vm-100-disk-2',
      '/dev/disk/by-id/scsi-36001405',
      '/dev/disk/by-id/scsi-3600140',
    ];
    assert.deepEqual(node.find(...images), [
      ['253:5', true],
      ['253:300', true],
      ['230:16', true],
      ['252:0', true],
      ['65:0', true],
      [undefined, undefined],
    ]);
  },
);

test('files on servers and on other file systems without a device lie on none', (t) => {
  const node = new Node(t);
  const places = [
    ['0:50', 'nfs4', 'server:/export'],
    ['0:52', 'ceph', '10.0.0.1:/'],
    ['0:53', 'btrfs', '/dev/sda3'],
    ['8:33', 'fuseblk', '/dev/sdc1'],
  ] as const;
  const images = places.map(([numbers, type, source]) => {
    const mount = node.mount(numbers, type, source);
    const image = `/mnt/${mount}/images/100/vm-100-disk-${mount}.raw`;
    node.open(image, mount);
    return image;
  });
  assert.deepEqual(
    node.find(...images),
    images.map(() => [undefined, undefined]),
  );
});

test('of a file on ZFS its data set is told, as ZFS counts it', (t) => {
  const node = new Node(t);
  node.dataset('0x1f', 'rpool/images', 7);
  const mount = node.mount('0:51', 'zfs', 'rpool/images');
  node.open('/mnt/images/100/vm-100-disk-0.raw', mount, '02100002');
  const image = '/mnt/images/100/vm-100-disk-0.raw';
  const disks = new DisksBelow(node.paths, 7, new HostDevices(node.paths));
  t.after(() => {
    disks.close();
  });
  disks.follow([image], 0);
  disks.read();
  const below = disks.of(image);
  assert.deepEqual(
    [below?.device, below?.isPrivate, below?.counters, below?.objset?.value(zfsObjsetCounters.reads)],
    ['rpool/images', false, undefined, 7],
  );
  assert.deepEqual(openUnder(node.paths.roots.procfs).length, 1);
  disks.close();
  assert.deepEqual(openUnder(node.paths.roots.procfs), []);
});

test('a zvol has the counts of the kernel and those of ZFS', { skip: !isRoot && 'needs root' }, (t) => {
  const node = new Node(t);
  node.dataset('0x2a', 'rpool/data/vm-100-disk-1', 9);
  node.open(node.device('zd16', '230:16', 'N:zd16\nS:zvol/rpool/data/vm-100-disk-1\n'));
  const image = '/dev/zvol/rpool/data/vm-100-disk-1';
  const disks = new DisksBelow(node.paths, 7, new HostDevices(node.paths));
  t.after(() => {
    disks.close();
  });
  disks.follow([image], 0);
  disks.read();
  const read = (): unknown[] => {
    const { device, isPrivate, counters, objset: zfs } = disks.of(image)!;
    return [device, isPrivate, counters?.value(diskStatsCounters.reads), zfs?.value(zfsObjsetCounters.reads)];
  };
  assert.deepEqual(read(), ['zd16', true, 1, 9]);
  // It was renamed: its counts are found again by the name that it is known by, or are not told.
  node.dataset('0x2a', 'rpool/data/vm-101-disk-1', 9);
  disks.read();
  assert.deepEqual(read(), ['zd16', true, 1, undefined]);
  node.dataset('0x2b', 'rpool/data/vm-100-disk-1', 4);
  disks.read();
  assert.deepEqual(read(), ['zd16', true, 1, 4]);
});

test('two files of one name at other paths than QEMU gave are not guessed at', (t) => {
  const node = new Node(t);
  const [one, two] = [node.mount('8:1', 'ext4', '/dev/sda1'), node.mount('8:17', 'xfs', '/dev/sdb1')];
  node.open('/mnt/a/vm-100-disk-0.raw', one);
  node.open('/mnt/a/vm-100-disk-0.raw', one);
  assert.deepEqual(node.find('/srv/vm-100-disk-0.raw'), [['8:1', false]]);
  node.open('/mnt/b/vm-100-disk-0.raw', two);
  assert.deepEqual(node.find('/srv/vm-100-disk-0.raw', '/mnt/b/vm-100-disk-0.raw'), [
    [undefined, undefined],
    ['8:17', false],
  ]);
});

test('a device whose storage went away, and a disk that moved', { skip: !isRoot && 'needs root' }, (t) => {
  const node = new Node(t);
  node.open(node.device('dm-1', '253:1'));
  node.mapped('dm-1', 'pve-old');
  node.open(node.device('dm-2', '253:2'));
  node.mapped('dm-2', 'pve-new');
  const disks = new DisksBelow(node.paths, 7, new HostDevices(node.paths));
  t.after(() => {
    disks.close();
  });
  disks.follow(['/dev/pve/old'], 0);
  assert.equal(disks.of('/dev/pve/old'), undefined, 'not read yet');
  disks.read();
  assert.equal(disks.of('/dev/pve/old')?.device, 'dm-1');
  disks.follow(['/dev/pve/new'], 1);
  disks.read();
  assert.equal(disks.of('/dev/pve/old'), undefined);
  assert.equal(disks.of('/dev/pve/new')?.device, 'dm-2');
  assert.equal(statSync(node.paths.blockByNumber('253:2', 'stat')).isFile(), true);
});
