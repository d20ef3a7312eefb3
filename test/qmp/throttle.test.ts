import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryBlock } from '../../src/qmp/block.ts';
import { QmpError } from '../../src/qmp/errors.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { queryLimits, throttleGroupOf } from '../../src/qmp/throttle.ts';
import { qmp } from '../lab/qmp.ts';
import { withQemu } from './qemu.ts';

test('limits of drives and of throttle groups, as a real QEMU tells them', async () => {
  const node = {
    driver: 'throttle',
    'node-name': 'top',
    'throttle-group': 'throttle-drive-scsi0',
    file: { driver: 'null-co', size: 1 << 20 },
  };
  const drive = 'if=none,id=a,driver=null-co,size=1M';
  const limits = 'throttling.bps-read=1048576,throttling.bps-read-max=4194304,throttling.iops-total=50';
  const args = [
    ...['-machine', 'pc', '-device', 'virtio-scsi-pci,id=s'],
    ...['-drive', `${drive},${limits}`, '-device', 'scsi-hd,bus=s.0,drive=a,id=a'],
    ...['-drive', drive.replace('id=a', 'id=b'), '-device', 'scsi-hd,bus=s.0,drive=b,id=b'],
    ...['-object', 'throttle-group,id=throttle-drive-scsi0'],
    ...['-blockdev', JSON.stringify(node), '-device', 'scsi-hd,bus=s.0,drive=top,id=c'],
  ];
  await withQemu(args, async (qemu) => {
    const monitor = new Monitor(qemu.path, 10_000);
    const outcome = await monitor.ask(new PreparedQueries([queryBlock]));
    assert.ok(!(outcome instanceof QmpError));
    assert.deepEqual(
      outcome[0].value?.map((each) => [each.qdev, each.limits, each.throttleGroup]),
      [
        ['a', { operations: { base: 50 }, readBytes: { base: 1 << 20, burst: 1 << 22 } }, undefined],
        ['b', {}, undefined],
        ['c', {}, 'throttle-drive-scsi0'],
      ],
    );
    const look = async (): Promise<unknown> => {
      const answers = await monitor.ask(new PreparedQueries([queryLimits('throttle-drive-scsi0')]));
      assert.ok(!(answers instanceof QmpError));
      return answers[0].value;
    };
    assert.deepEqual(await look(), {});
    await qmp(qemu.path, 'qom-set', {
      path: '/objects/throttle-drive-scsi0',
      property: 'limits',
      value: { 'iops-write': 25, 'iops-write-max': 100, 'bps-total': 5000 },
    });
    assert.deepEqual(await look(), { writes: { base: 25, burst: 100 }, bytes: { base: 5000 } });
    const unknown = await monitor.ask(new PreparedQueries([queryLimits('none')]));
    assert.ok(!(unknown instanceof QmpError));
    assert.equal(unknown[0].value, undefined);
  });
});

test('a reply of another shape has no limits', () => {
  for (const reply of [undefined, 5, [], { 'iops-total': '5', 'bps-total': -1, 'iops-read': Infinity }]) {
    assert.deepEqual(queryLimits('g').read(reply), {});
  }
});

test('the group of an image is that of its topmost throttle node', () => {
  const json = (layer: unknown): string => `json:${JSON.stringify(layer)}`;
  assert.equal(throttleGroupOf('/dev/pve/vm-100-disk-0'), undefined);
  assert.equal(throttleGroupOf(json({ driver: 'raw', file: { driver: 'file', filename: '/a' } })), undefined);
  const inner = { driver: 'throttle', 'throttle-group': 'g' };
  assert.equal(throttleGroupOf(json({ driver: 'copy-on-read', file: inner })), 'g');
  assert.equal(throttleGroupOf(json({ ...inner, 'throttle-group': 'x'.repeat(256) })), undefined);
  for (const text of ['json:', 'json:{"driver":"throttle"', 'json:5']) {
    assert.equal(throttleGroupOf(text), undefined);
  }
});
