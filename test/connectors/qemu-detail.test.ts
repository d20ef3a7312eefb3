import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskCounters } from '../../src/connectors/connector.ts';
import { diskReading, plainDiskName, pveDiskName } from '../../src/connectors/qemu-detail.ts';
import type { BlockStats } from '../../src/qmp/blockstats.ts';

const stats: Omit<BlockStats, 'device'> = {
  rdOps: 1,
  wrOps: 2,
  flOps: 3,
  rdBytes: 4,
  wrBytes: 5,
  rdTime: 6,
  wrTime: 7,
  flTime: 8,
  failures: 9,
};

test('the name of a disk of any QEMU: an id, or the name QEMU gives; not what has no medium or is no disk', () => {
  for (const [device, qdev, name] of [
    ['root', '/machine/peripheral-anon/device[1]/virtio-backend', 'root'],
    ['drive-sda', 'sda', 'sda'],
    ['', '/machine/peripheral/disk1/virtio-backend', 'disk1'],
    ['', 'disk2', 'disk2'],
    ['virtio0', '/machine/peripheral-anon/device[0]/virtio-backend', 'virtio0'],
    ['ide0-hd0', undefined, 'ide0-hd0'],
    ['ide1-cd0', undefined, undefined],
    ['floppy0', '/machine/unattached/device[12]', undefined],
    ['pflash0', undefined, undefined],
    ['', '/machine/system.flash1', undefined],
    ['', undefined, undefined],
  ] as const) {
    const entry = { ...stats, device, nodeName: '#block1', ...(qdev !== undefined && { qdev }) };
    assert.equal(plainDiskName(entry), name, `${device} ${String(qdev)}`);
  }
  assert.equal(plainDiskName({ ...stats, device: 'root' }), undefined);
});

test('the name of a disk of Proxmox VE, from the backend or else from the device', () => {
  for (const [device, qdev, name] of [
    ['drive-scsi0', 'scsi0', 'scsi0'],
    ['drive-virtio15', '/machine/peripheral/virtio15/virtio-backend', 'virtio15'],
    ['drive-ide2', undefined, 'ide2'],
    ['', 'scsi30', 'scsi30'],
    ['', 'sata5', 'sata5'],
    ['', '/machine/peripheral/virtio0/virtio-backend', 'virtio0'],
    // No disks of the guest: firmware, what a backup attaches, and what nobody named.
    ['pflash0', undefined, undefined],
    ['drive-efidisk0', undefined, undefined],
    ['', '/machine/system.flash1', undefined],
    ['drive-scsi0-fleecing', undefined, undefined],
    ['drive-tpmstate0-backup', undefined, undefined],
    ['', undefined, undefined],
    ['', '/machine/peripheral/virtio0/other', undefined],
    ['floppy0', '/machine/unattached/device[12]', undefined],
  ] as const) {
    const entry = { ...stats, device, ...(qdev !== undefined && { qdev }) };
    assert.equal(pveDiskName(entry), name, `${device} ${String(qdev)}`);
  }
});

test('counters of a disk; one that QEMU did not tell is not known', () => {
  const { device, counters, allocation } = diskReading(
    'scsi0',
    { ...stats, device: '', failures: NaN },
    4096,
  );
  assert.deepEqual([device, allocation], ['scsi0', 4096]);
  assert.deepEqual(
    diskCounters.map((name, index) => [name, counters.value(index)]),
    [...Object.entries(stats).slice(0, -1), ['failures', NaN]],
  );
  assert.ok(!('allocation' in diskReading('scsi0', { ...stats, device: '' }, undefined)));
});
