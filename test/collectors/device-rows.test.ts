import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceRows } from '../../src/collectors/device-rows.ts';
import { byDevice, known } from './support.ts';

test('a device keeps its row, without the values of the cycle before', () => {
  const disks = new DeviceRows('vm_disk');
  const first = disks.add('scsi0');
  first.values[first.values.length - 1] = 7;
  disks.clear();
  assert.deepEqual(disks.rows, []);
  assert.equal(disks.add('scsi0'), first);
  assert.deepEqual(known(first), { device: 'scsi0' });
});

test('rows come in the order of this cycle; a device that was left out for one cycle starts anew', () => {
  const disks = new DeviceRows('vm_disk');
  const rows = ['a', 'b', 'c'].map((name) => disks.add(name));
  disks.clear();
  disks.add('c');
  disks.add('a');
  assert.deepEqual(Object.keys(byDevice(disks.rows)), ['c', 'a']);
  disks.clear();
  assert.notEqual(disks.add('b'), rows[1]);
  assert.equal(disks.add('a'), rows[0]);
  assert.equal(disks.add('c'), rows[2]);
});
