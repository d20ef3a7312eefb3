import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { queryBlock, queryType } from '../../src/qmp/block.ts';
import type { BlockDevice } from '../../src/qmp/block.ts';
import { queryBlockstats } from '../../src/qmp/blockstats.ts';
import { QmpError } from '../../src/qmp/errors.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { mirror } from '../lab/jobs.ts';
import { qmp } from '../lab/qmp.ts';
import { withQemu } from './qemu.ts';

const MIB = 2 ** 20;
const directory = mkdtempSync(join(tmpdir(), 'proxtop-block-'));
after(() => {
  rmSync(directory, { recursive: true });
});

/** An image of 4 MiB with some content. */
function image(name: string, format: 'raw' | 'qcow2' = 'raw'): string {
  const path = join(directory, name);
  if (format === 'qcow2') execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '4M']);
  else writeFileSync(path, Buffer.alloc(65536, 1));
  if (format === 'raw') truncateSync(path, 4 * MIB);
  return path;
}

test('media of every kind of backend, and the types of their devices', async () => {
  const [raw, qcow2, iso] = [image('raw'), image('qcow2', 'qcow2'), image('iso')];
  const layers = { driver: 'qcow2', 'node-name': 'format', file: { driver: 'file', filename: qcow2 } };
  const top = { driver: 'throttle', 'node-name': 'top', 'throttle-group': 'g', file: layers };
  const args = [
    ...['-machine', 'pc', '-device', 'virtio-scsi-pci,id=s', '-object', 'throttle-group,id=g'],
    ...['-drive', `if=none,id=drive-a,format=raw,file=${raw}`, '-device', 'ide-hd,drive=drive-a,id=a'],
    ...['-blockdev', JSON.stringify(top), '-device', 'scsi-hd,bus=s.0,drive=top,id=b'],
    ...['-blockdev', 'null-co,node-name=root,size=1048576', '-device', 'virtio-blk-pci,drive=root'],
    ...['-cdrom', iso, '-device', 'scsi-cd,bus=s.0,id=empty'],
  ];
  await withQemu(args, async (qemu) => {
    const monitor = new Monitor(qemu.path, 10_000);
    const outcome = await monitor.ask(new PreparedQueries([queryBlock, queryBlockstats]));
    assert.ok(!(outcome instanceof QmpError));
    const [{ value: devices = [] }, { value: stats = [] }] = outcome;
    const occupied = (path: string): number => statSync(path).blocks * 512;
    const byName = new Map(devices.map((each) => [each.device || (each.qdev ?? ''), each]));
    const rest = ({ removable, capacity, occupied, path }: Partial<BlockDevice> = {}): object => ({
      removable,
      capacity,
      occupied,
      path,
    });
    assert.deepEqual(
      [...byName].map(([name, device]) => [name, rest(device)]),
      [
        ['drive-a', { removable: false, capacity: 4 * MIB, occupied: occupied(raw), path: raw }],
        ['ide1-cd0', { removable: true, capacity: 4 * MIB, occupied: occupied(iso), path: iso }],
        ['b', { removable: false, capacity: 4 * MIB, occupied: occupied(qcow2), path: qcow2 }],
        [
          '/machine/peripheral-anon/device[0]/virtio-backend',
          { removable: false, capacity: MIB, occupied: 0, path: undefined },
        ],
        ['empty', { removable: true, capacity: undefined, occupied: undefined, path: undefined }],
      ],
    );
    assert.deepEqual(
      devices.map(({ device, qdev, nodeName }) => [device, qdev, nodeName]),
      stats.map(({ device, qdev, nodeName }) => [device, qdev, nodeName]),
      'both list the same backends',
    );
    assert.equal(stats.find(({ qdev }) => qdev === 'b')?.layers.startsWith('format '), true);
    assert.deepEqual(
      stats.map(({ medium }) => medium),
      ['file', 'file', 'file', undefined, undefined],
    );
    const types = await monitor.ask(new PreparedQueries(devices.map(({ qdev = '' }) => queryType(qdev))));
    assert.ok(!(types instanceof QmpError));
    assert.deepEqual(
      types.map(({ value }) => value),
      ['ide-hd', 'ide-cd', 'scsi-hd', 'virtio-blk-device', 'scsi-cd'],
    );
    const missing = await monitor.ask(new PreparedQueries([queryType('none')]));
    assert.ok(!(missing instanceof QmpError) && missing[0].error !== undefined);
  });
});

test('layers change with the image, though the top node stays', async () => {
  const [from, to] = [image('from'), image('to')];
  const layers = (name: string, filename: string): Record<string, unknown> => ({
    driver: 'raw',
    'node-name': name,
    file: { driver: 'file', filename },
  });
  const top = { driver: 'throttle', 'node-name': 'top', 'throttle-group': 'g', file: layers('f1', from) };
  const args = [
    ...['-machine', 'pc', '-object', 'throttle-group,id=g', '-blockdev', JSON.stringify(top)],
    ...['-device', 'virtio-blk-pci,drive=top,id=d'],
  ];
  await withQemu(args, async (qemu) => {
    const look = async (): Promise<readonly unknown[]> => {
      const prepared = new PreparedQueries([queryBlock, queryBlockstats]);
      const outcome = await new Monitor(qemu.path, 10_000).ask(prepared);
      assert.ok(!(outcome instanceof QmpError));
      const [stats] = outcome[1].value ?? [];
      return [outcome[0].value?.[0]?.path, stats?.nodeName, stats?.layers.split(' ')[0]];
    };
    assert.deepEqual(await look(), [from, 'top', 'f1']);
    await qmp(qemu.path, 'blockdev-add', layers('f2', to));
    await mirror(qemu.path, { device: 'top', target: 'f2', replaces: 'f1' });
    assert.deepEqual(await look(), [to, 'top', 'f2']);
  });
});

test('a reply of another shape yields less and never throws', () => {
  for (const reply of [undefined, null, 5, 'text', {}, [null, 1, 'x', []], [{ inserted: 5 }]]) {
    assert.doesNotThrow(() => queryBlock.read(reply), JSON.stringify(reply));
  }
  assert.deepEqual(
    queryBlock.read([
      { removable: 'yes', inserted: { 'node-name': 7, image: { 'virtual-size': -1, filename: null } } },
    ]),
    [{ device: '', removable: false }],
  );
  assert.equal(queryType('a').read({}), undefined);
  let layered: Record<string, unknown> = { 'node-name': 'n' };
  for (let i = 0; i < 10_000; i++) layered = { 'node-name': ['n'], parent: layered };
  assert.doesNotThrow(() => queryBlockstats.read([layered]));
});
