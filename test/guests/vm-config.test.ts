import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVmConfig } from '../../src/guests/proxmox/vm-config.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const CONFIG = `#a note, percent-encoded%3A name%3A other
#name: other
agent: 1
boot: order=scsi0;ide2;net0
cores: 2
efidisk0: local-lvm:vm-100-disk-0,efitype=4m,pre-enrolled-keys=1,size=528K
ide0: local:iso/virtio-win.iso,media=cdrom,size=612164K
ide2: local-lvm:vm-100-cloudinit,media=cdrom
lock: backup
memory: 4096
meta: creation-qemu=9.2.0,ctime=1735732800
name: web-1
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1
numa: 0
sata0: none,media=cdrom
scsi0: local-lvm:vm-100-disk-1,discard=on,iothread=1,size=32G
scsi1: /dev/disk/by-id/scsi-3600,backup=0
scsi2: file=ceph:vm-100-disk-2,size=1.5TiB
scsihw: virtio-scsi-single
smbios1: uuid=6E26D5A1-2B7F-4B0E-9C1D-0123456789AB,serial=QUJD,base64=1
tags: prod;web
tpmstate0: local-lvm:vm-100-disk-3,size=4M,version=v2.0
unused0: local-lvm:vm-100-disk-9
virtio0: local-lvm:vm-100-disk-4,size=4M
zz-new-in-pve-12: whatever

[PENDING]
memory: 8192
name: pending
virtio1: local-lvm:vm-100-disk-5,size=1G

[special:cloudinit]
name: cloudinit

[snap1]
memory: 1024
name: old
tags: old
snaptime: 1735732800
`;

const EXPECTED = {
  name: 'web-1',
  uuid: '6e26d5a1-2b7f-4b0e-9c1d-0123456789ab',
  tags: 'prod;web',
  lock: 'backup',
  memory: 4 * GIB,
  disks: [
    { device: 'scsi0', capacity: 32 * GIB, storage: 'local-lvm' },
    { device: 'scsi1', storage: '/dev/disk/by-id' },
    { device: 'scsi2', capacity: 1.5 * 2 ** 40, storage: 'ceph' },
    { device: 'virtio0', capacity: 4 * MIB, storage: 'local-lvm' },
  ],
  cdroms: ['ide0', 'ide2', 'sata0'],
  rates: new Map(),
};

test('reads the main section, and nothing of pending changes and snapshots', () => {
  assert.deepEqual(parseVmConfig(CONFIG), EXPECTED);
});

test('reads a file that was edited elsewhere', () => {
  assert.deepEqual(parseVmConfig(CONFIG.replaceAll('\n', '\r\n')), EXPECTED);
  assert.deepEqual(
    parseVmConfig(CONFIG.slice(0, CONFIG.indexOf('\n\n['))),
    EXPECTED,
    'no newline at the end',
  );
});

test('an empty file is a VM with the defaults', () => {
  const defaults = { memory: 512 * MIB, disks: [], cdroms: [], rates: new Map() };
  for (const text of [
    '',
    '\n',
    '[snap1]\nname: x\n',
    'no key\n: no key\nname:\nsmbios1: base64=1\n',
    'smbios1: uuid=none\n',
  ]) {
    assert.deepEqual(parseVmConfig(text), defaults, JSON.stringify(text));
  }
});

test('the two spellings of memory', () => {
  for (const [value, mebibytes] of [
    ['2048', 2048],
    ['current=2048', 2048],
    ['current=2048,max=8192', 2048],
    ['much', 512],
  ] as const) {
    assert.equal(parseVmConfig(`memory: ${value}\n`).memory, mebibytes * MIB, value);
  }
});

test('sizes of disks', () => {
  for (const [size, bytes] of [
    ['512', 512],
    ['528K', 528 * 1024],
    ['4M', 4 * MIB],
    ['4MiB', 4 * MIB],
    ['32G', 32 * GIB],
    ['0.5G', GIB / 2],
    ['2T', 2 ** 41],
    ['large', undefined],
    ['12X', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(parseVmConfig(`scsi0: a:b,size=${size}\n`).disks[0]?.capacity, bytes, size);
  }
});

test('limits of disks, in operations and MiB', () => {
  const limits = (options: string): unknown =>
    parseVmConfig(`scsi0: a:b,size=1G${options}\n`).disks[0]?.limits;
  assert.deepEqual(limits(',iops=25,iops_max=100,iops_max_length=10,mbps_rd=12.5,mbps_wr_max=5'), {
    operations: { base: 25, burst: 100 },
    readBytes: { base: 12.5 * MIB },
  });
  for (const options of ['', ',iops=0', ',iops=many', ',mbps=-1']) assert.equal(limits(options), undefined);
});

test('limits of CPU and NICs', () => {
  const { cpuLimit, cpuUnits, rates } = parseVmConfig(
    'cpulimit: 1.5\ncpuunits: 200\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0,rate=12.5\nnet10: e1000,rate=1\nnet2: e1000\n',
  );
  assert.deepEqual([cpuLimit, cpuUnits], [1.5, 200]);
  assert.deepEqual(
    rates,
    new Map([
      [0, { received: 12.5 * MIB, sent: 12.5 * MIB }],
      [10, { received: MIB, sent: MIB }],
    ]),
  );
  for (const text of [
    'cpulimit: 0\ncpuunits: 0\nnet0: virtio,rate=0\n',
    'cpulimit: many\nnet0: virtio,rate=x\n',
  ]) {
    const none = parseVmConfig(text);
    assert.deepEqual([none.cpuLimit, none.cpuUnits, none.rates.size], [undefined, undefined, 0]);
  }
});

test('CD-ROM drives, empty or not, by any of their spellings', () => {
  const { disks, cdroms } = parseVmConfig(
    'cdrom: local:iso/a.iso\nide0: none\nide1: cdrom\nsata1: file=none,media=cdrom\nscsi3: a:b,media=disk\n',
  );
  assert.deepEqual(cdroms, ['ide2', 'ide0', 'ide1', 'sata1']);
  assert.deepEqual(disks, [{ device: 'scsi3', storage: 'a' }]);
});

test('the volume under each of its names', () => {
  const { disks, cdroms } = parseVmConfig(
    'virtio0: volume=local:100/a.qcow2,size=10G\nvirtio1: file=fast:b\nvirtio2: c:d\nide2: volume=none\n',
  );
  assert.deepEqual(
    disks.map(({ device, storage }) => [device, storage]),
    [
      ['virtio0', 'local'],
      ['virtio1', 'fast'],
      ['virtio2', 'c'],
    ],
  );
  assert.deepEqual(cdroms, ['ide2']);
});

test('names stay as they are written', () => {
  for (const name of ['007', 'a"b\u001b[31m,=é', 'a:b']) {
    assert.equal(parseVmConfig(`name: ${name}\n`).name, name);
  }
});
