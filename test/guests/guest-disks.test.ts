import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskCounters } from '../../src/guests/guest.ts';
import type { DiskReading } from '../../src/guests/guest.ts';
import { GuestDisks, startedDisks } from '../../src/guests/qemu/guest-disks.ts';
import type { Configured } from '../../src/guests/qemu/guest-disks.ts';
import type { QemuDrive } from '../../src/guests/qemu/qemu-drives.ts';
import type { BlockDevice } from '../../src/qmp/block.ts';
import type { BlockStats } from '../../src/qmp/blockstats.ts';

const counters = {
  ...{ rdOps: 1, wrOps: 2, flOps: 3, rdBytes: 4, wrBytes: 5, rdTime: 6, wrTime: 7, flTime: 8, failures: 9 },
  layers: '',
};

function backend(device: string, qdev: string | undefined, nodeName?: string): BlockStats {
  return { ...counters, device, qdev, nodeName, medium: undefined, histograms: undefined };
}

interface Told extends Partial<BlockDevice> {
  readonly type?: string;
}

/** The disks of a QEMU that told something of its devices, by their qdev. */
function guest(
  told: Readonly<Record<string, Told>> = {},
  drives: readonly QemuDrive[] = [],
  configured: Configured = () => undefined,
): GuestDisks {
  const of = ({ qdev = '' }: BlockStats): Told => told[qdev] ?? {};
  return new GuestDisks(drives, { of, typeOf: (stats) => of(stats).type, generation: 0 }, configured);
}

const namesOf = (readings: readonly DiskReading[]): string[] => readings.map(({ device }) => device);

test('names: of the drive, the device, or the node of a device without an id', () => {
  for (const [device, qdev, node, name] of [
    ['drive-scsi0', 'scsi0', '#block1', 'scsi0'],
    ['drive-virtio15', '/machine/peripheral/virtio15/virtio-backend', '#block1', 'virtio15'],
    ['root', '/machine/peripheral-anon/device[1]/virtio-backend', '#block1', 'root'],
    ['ide0-hd0', '/machine/unattached/device[19]', '#block1', 'ide0-hd0'],
    ['', 'scsi30', 'drive-scsi30', 'scsi30'],
    ['', '/machine/peripheral/disk1/virtio-backend', 'node1', 'disk1'],
    ['', '/machine/peripheral/stick/stick.0/legacy[0]', 'node1', 'stick'],
    ['', '/machine/peripheral-anon/device[0]/virtio-backend', 'root', 'root'],
    ['', '/machine/peripheral-anon/device[2]', 'fast', 'fast'],
  ] as const) {
    assert.deepEqual(namesOf(guest().readings([backend(device, qdev, node)])), [name], `${device} ${qdev}`);
  }
});

test('a device without an id keeps its name when a snapshot changes its node', () => {
  const disks = guest();
  const qdev = '/machine/peripheral-anon/device[0]/virtio-backend';
  disks.readings([backend('', qdev, 'root')]);
  assert.deepEqual(namesOf(disks.readings([backend('', qdev, '#block77')])), ['root']);
  disks.readings([]);
  assert.deepEqual(namesOf(disks.readings([backend('', qdev, '#block77')])), ['#block77'], 'it was away');
});

test('two devices with one name are two disks', () => {
  const anonymous = (n: number): BlockStats => backend('', `/machine/peripheral-anon/device[${n}]`, 'shared');
  assert.deepEqual(namesOf(guest().readings([anonymous(1), anonymous(2)])), ['shared', "shared'"]);
});

test('no disks: what has no medium, no device, or a device of another kind', () => {
  for (const [entry, told] of [
    [backend('', 'ide2'), {}],
    [backend('drive-scsi0-fleecing', undefined, '#block9'), {}],
    [backend('', undefined, 'node'), {}],
    [backend('', 'cd0', 'iso'), { type: 'ide-cd', removable: true }],
    [backend('', 'cd1', 'iso'), { type: 'scsi-cd', removable: true }],
    [backend('', 'fdc0-0-0', 'fl'), { type: 'floppy', removable: true }],
    [backend('', 'old', 'iso'), { type: 'scsi-disk', removable: true }],
    [backend('', 'some', 'iso'), { removable: true }],
    [backend('drive-efidisk0', '/machine/system.flash1', '#block3'), { type: 'cfi.pflash01' }],
  ] as const) {
    const disks = guest({ [entry.qdev ?? '']: told });
    assert.deepEqual(disks.readings([entry]), [], JSON.stringify([entry, told]));
  }
});

test('disks all the same: a stick that can be taken out, a memory card', () => {
  for (const type of ['scsi-hd', 'sd-card', 'emmc']) {
    assert.deepEqual(
      namesOf(guest({ a: { type, removable: true } }).readings([backend('', 'a', 'n')])),
      ['a'],
      type,
    );
  }
});

test('before QEMU told of its devices the command line says what they are, then their names', () => {
  const drives = [
    { device: 'cd0', driver: 'ide-cd' },
    { device: 'sda', driver: 'scsi-hd' },
  ];
  const entries = [
    ...[backend('', 'cd0', 'iso'), backend('drive-sda', 'sda', 'n'), backend('', 'later', 'n')],
    ...[backend('ide1-cd0', '/machine/unattached/device[2]', 'n'), backend('pflash0', 'x', 'n')],
    ...[
      backend('floppy0', '/machine/unattached/device[3]', 'n'),
      backend('', '/machine/system.flash0', 'fw'),
    ],
    ...[backend('', '/machine/virt.flash1', 'fw'), backend('drive-efidisk0', 'y', 'n')],
  ];
  assert.deepEqual(namesOf(guest({}, drives).readings(entries)), ['sda', 'later']);
});

test('where the configuration knows a drive it decides', () => {
  const configured: Configured = (device) => ({ sata0: true, ide2: false })[device];
  const told = {
    sata0: { type: 'ide-cd', removable: true },
    ide2: { type: 'ide-hd' },
    disk0: { type: 'nvme' },
  };
  const entries = ['sata0', 'ide2', 'disk0'].map((qdev) => backend('', qdev, 'n'));
  assert.deepEqual(namesOf(guest(told, [], configured).readings(entries)), ['sata0', 'disk0']);
});

test('counters and sizes; none of them where QEMU does not count, and nothing that it did not tell', () => {
  const [reading] = guest({ a: { capacity: 8, occupied: 0, path: '/a' } }).readings([backend('', 'a', 'n')]);
  assert.deepEqual([reading?.capacity, reading?.allocation, reading?.path], [8, 0, '/a']);
  assert.deepEqual(
    diskCounters.map((_, index) => reading?.counters.value(index)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  for (const [told, drives] of [
    [{ a: { type: 'scsi-generic' } }, []],
    [{ a: { type: 'sd-card' } }, []],
    [{}, [{ device: 'a', driver: 'scsi-generic' }]],
  ] as const) {
    const [silent] = guest(told, drives).readings([backend('', 'a', 'n')]);
    assert.ok(silent !== undefined);
    assert.ok(diskCounters.every((_, index) => Number.isNaN(silent.counters.value(index))));
    const { device, counters: _, ...others } = silent;
    assert.equal(device, 'a');
    assert.deepEqual(new Set(Object.values(others)), new Set([undefined]));
  }
});

test('the disks of a command line', () => {
  assert.deepEqual(
    startedDisks([
      { device: 'sda', driver: 'scsi-hd', path: '/a' },
      { device: 'boot' },
      { device: 'cd', driver: 'scsi-cd', path: '/a.iso' },
      { device: 'fd', driver: 'floppy' },
      { device: 'efidisk0', driver: 'cfi.pflash01', path: '/v' },
    ]),
    [{ device: 'sda', path: '/a' }, { device: 'boot' }],
  );
});

test('a command line that no QEMU has: names twice, names without end, more disks than a VM can have', () => {
  const named = (names: readonly string[]): string[] =>
    startedDisks(names.map((device) => ({ device }))).map(({ device }) => device);
  assert.deepEqual(named(['a', 'b', 'a', 'a']), ['a', 'b', "a'", "a'3"]);
  assert.deepEqual(named(['a', 'x'.repeat(256)]), ['a']);
  const many = Array.from({ length: 256 }, (_, index) => `d${index}`);
  assert.deepEqual(named(many), many);
  assert.deepEqual(named([...many, 'more']), []);
});
