import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BlockDevices } from '../../src/guests/qemu/block-devices.ts';
import { SlowFiles } from '../../src/guests/slow-files.ts';
import type { BlockStats } from '../../src/qmp/blockstats.ts';
import { queryBlockstats } from '../../src/qmp/blockstats.ts';
import { QmpError } from '../../src/qmp/errors.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { qmp } from '../lab/qmp.ts';
import { withQemu } from '../qmp/qemu.ts';

const MIB = 2 ** 20;
const directory = mkdtempSync(join(tmpdir(), 'proxtop-devices-'));
after(() => {
  rmSync(directory, { recursive: true });
});

function image(name: string): string {
  const path = join(directory, name);
  writeFileSync(path, Buffer.alloc(65536, 1));
  truncateSync(path, 4 * MIB);
  return path;
}

/** A monitor that notes how often it is asked. */
class CountedMonitor extends Monitor {
  asked = 0;

  override ask: Monitor['ask'] = (prepared) => {
    this.asked++;
    return super.ask(prepared);
  };
}

/** BlockDevices of a real QEMU with one disk `a`, in a time that the test makes. */
async function withDevices(
  body: (context: {
    readonly path: string;
    readonly devices: BlockDevices;
    readonly looked: string[];
    /** Files that must not be looked at. */
    readonly forbidden: Set<string>;
    /** Storage that answers, unless the test says otherwise. */
    readonly storage: SlowFiles;
    /** Whether the visit at a time led to a question. */
    readonly visit: (time: number, duration?: number) => Promise<boolean>;
    readonly stats: () => Promise<readonly BlockStats[]>;
  }) => Promise<void>,
): Promise<void> {
  const file = image('a');
  const node = `driver=raw,node-name=n,file.driver=file,file.filename=${file}`;
  const scsi = ['-device', 'virtio-scsi-pci,id=s', '-device', 'scsi-hd,bus=s.0,drive=n,id=a'];
  await withQemu(['-machine', 'pc', ...scsi, '-blockdev', node], async (qemu) => {
    const monitor = new CountedMonitor(qemu.path, 10_000);
    const looked: string[] = [];
    const forbidden = new Set<string>();
    const devices = new BlockDevices([file], (path) => {
      if (forbidden.has(path)) return undefined;
      looked.push(path);
      return path;
    });
    const storage = new SlowFiles(60_000);
    const stats = async (): Promise<readonly BlockStats[]> => {
      const outcome = await monitor.ask(new PreparedQueries([queryBlockstats]));
      assert.ok(!(outcome instanceof QmpError));
      return outcome[0].value ?? [];
    };
    const visit = async (time: number, duration = 1): Promise<boolean> => {
      const told = await stats();
      const before = monitor.asked;
      assert.equal(await devices.update(monitor, told, time, duration, storage), undefined);
      return monitor.asked > before;
    };
    await body({ path: qemu.path, devices, looked, forbidden, storage, visit, stats });
  });
}

test('asked at first, when a device comes, and on a slow beat', async () => {
  await withDevices(async ({ path, devices, visit, stats }) => {
    assert.equal(await visit(100), true);
    const [a] = await stats();
    assert.ok(a !== undefined);
    assert.equal(devices.typeOf(a), 'scsi-hd');
    const occupied = statSync(join(directory, 'a')).blocks * 512;
    const { capacity, occupied: told, path: file } = devices.of(a);
    assert.deepEqual([capacity, told, file], [4 * MIB, occupied, join(directory, 'a')]);

    for (const time of [101, 110, 159]) assert.equal(await visit(time), false, String(time));
    await qmp(path, 'block_resize', { 'node-name': 'n', size: 8 * MIB });
    assert.equal(await visit(161), true);
    assert.equal(devices.of(a).capacity, 8 * MIB);

    await qmp(path, 'blockdev-add', { driver: 'null-co', 'node-name': 'iso', size: MIB });
    await qmp(path, 'device_add', { driver: 'scsi-cd', bus: 's.0', drive: 'iso', id: 'cd' });
    assert.equal(await visit(162), true);
    const cd = (await stats()).find(({ qdev }) => qdev === 'cd');
    assert.ok(cd !== undefined);
    assert.equal(devices.typeOf(cd), 'scsi-cd');
    assert.equal(devices.of(cd).removable, true);
    assert.equal(await visit(163), false);
    await qmp(path, 'device_del', { id: 'cd' });
    assert.equal(await visit(164), false, 'what went needs no question');
  });
});

test('limits of a throttle group are asked as soon as the group is known, and looked at again', async () => {
  const file = image('throttled');
  const node = {
    driver: 'throttle',
    'node-name': 'n',
    'throttle-group': 'g',
    file: { driver: 'file', filename: file },
  };
  const args = [
    ...['-machine', 'pc', '-object', '{"qom-type":"throttle-group","id":"g","limits":{"iops-total":25}}'],
    ...['-blockdev', JSON.stringify(node), '-device', 'virtio-blk-pci,drive=n,id=a'],
  ];
  await withQemu(args, async ({ path }) => {
    const monitor = new CountedMonitor(path, 10_000);
    const devices = new BlockDevices([file], (name) => name);
    const storage = new SlowFiles(60_000);
    const limits = async (time: number): Promise<unknown> => {
      const outcome = await monitor.ask(new PreparedQueries([queryBlockstats]));
      assert.ok(!(outcome instanceof QmpError));
      const stats = outcome[0].value ?? [];
      assert.equal(await devices.update(monitor, stats, time, 1, storage), undefined);
      return devices.of(stats[0] as BlockStats).limits;
    };
    assert.equal(await limits(100), undefined, 'not asked yet');
    assert.deepEqual(await limits(105), { operations: { base: 25 } });
    await qmp(path, 'qom-set', { path: '/objects/g', property: 'limits', value: { 'iops-total': 30 } });
    const asked = monitor.asked;
    assert.deepEqual(await limits(110), { operations: { base: 25 } });
    assert.equal(monitor.asked, asked + 1);
    assert.deepEqual(await limits(170), { operations: { base: 30 } });
  });
});

test('asked less often where the answer takes long', async () => {
  await withDevices(async ({ visit }) => {
    assert.equal(await visit(100), true);
    assert.equal(await visit(200, 1e-9), false, 'the visits since then took no time at all');
    assert.equal(await visit(699, 1e-9), false);
    assert.equal(await visit(701, 1e-9), true);
  });
});

test('what is told of an image is forgotten with the image', async () => {
  await withDevices(async ({ path, devices, visit, stats }) => {
    await visit(100);
    const [before] = await stats();
    await qmp(path, 'blockdev-snapshot-sync', {
      'node-name': 'n',
      'snapshot-file': join(directory, 'overlay'),
      'snapshot-node-name': 'top',
    });
    const [overlay] = await stats();
    assert.ok(before !== undefined && overlay !== undefined);
    assert.equal(overlay.nodeName, 'top');
    assert.deepEqual(devices.of(overlay), {});
    assert.equal(await visit(101), true);
    assert.equal(devices.of(overlay).path, join(directory, 'overlay'));
    assert.equal(devices.typeOf(overlay), 'scsi-hd');
    assert.deepEqual(devices.of(before), {});
  });
});

test('QEMU is not asked while the storage of an image does not answer us', async () => {
  await withDevices(async ({ devices, looked, storage, visit, stats }) => {
    assert.equal(await visit(100), true);
    const [a] = await stats();
    assert.ok(a !== undefined);
    let answers = false;
    storage.answers = () => Promise.resolve(answers);
    looked.length = 0;
    assert.equal(await visit(200), false);
    assert.deepEqual(looked, [join(directory, 'a')]);
    assert.deepEqual([devices.of(a).capacity, devices.of(a).occupied], [4 * MIB, undefined]);
    answers = true;
    assert.equal(await visit(201), false, 'the storage is left alone for a while');
    assert.equal(await visit(261), true);
    assert.ok(Number(devices.of(a).occupied) > 0);
  });
});

test('QEMU is asked without a look at images that are not ours to look at', async () => {
  await withDevices(async ({ devices, looked, forbidden, storage, visit, stats }) => {
    forbidden.add(join(directory, 'a'));
    storage.answers = () => assert.fail('the storage is asked');
    assert.equal(await visit(100), true);
    const [a] = await stats();
    assert.ok(a !== undefined);
    assert.equal(devices.of(a).capacity, 4 * MIB);
    assert.deepEqual(looked, []);
  });
});

test('no answer: the rest of what is known stays, and the question is put off', async () => {
  await withDevices(async ({ devices, storage, visit, stats }) => {
    assert.equal(await visit(100), true);
    const told = await stats();
    const gone = new Monitor(join(directory, 'nobody'));
    const failure = await devices.update(gone, told, 200, 1, storage);
    assert.equal(failure?.reason, 'error');
    const [a] = told;
    assert.ok(a !== undefined);
    assert.deepEqual([devices.of(a).capacity, devices.of(a).occupied], [4 * MIB, undefined]);
    assert.equal(await visit(259), false);
    assert.equal(await visit(261), true);
  });
});
