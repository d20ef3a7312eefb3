import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QmpError } from '../../src/qmp/errors.ts';
import { queryMemoryDevices, queryMemorySize } from '../../src/qmp/memory.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { withQemu } from './qemu.ts';

const MIB = 2 ** 20;
const prepared = new PreparedQueries([queryMemorySize, queryMemoryDevices]);

async function asked(path: string): Promise<(number | undefined)[]> {
  const answers = await new Monitor(path, 10_000).ask(prepared);
  if (answers instanceof QmpError) throw answers;
  return answers.map(({ value }) => value);
}

test('memory from the start and plugged memory; NVDIMMs are none', async () => {
  const args = [
    ...['-machine', 'q35,nvdimm=on', '-m', 'size=64M,slots=4,maxmem=2G'],
    ...['-object', 'memory-backend-ram,id=m0,size=128M', '-device', 'pc-dimm,id=d0,memdev=m0'],
    ...['-object', 'memory-backend-ram,id=n0,size=256M', '-device', 'nvdimm,id=n0,memdev=n0'],
    ...[
      '-object',
      'memory-backend-ram,id=v0,size=512M',
      '-device',
      'virtio-mem-pci,memdev=v0,requested-size=64M',
    ],
  ];
  await withQemu(args, async ({ path }) => {
    // The guest never ran, and so took nothing of what virtio-mem offers.
    assert.deepEqual(await asked(path), [64 * MIB, 128 * MIB]);
  });
  await withQemu(['-machine', 'pc'], async ({ path }) => {
    assert.deepEqual(await asked(path), [32 * MIB, 0]);
  });
});

test('what virtio-mem has now counts; a reply of another shape yields nothing', () => {
  const devices = [
    { type: 'virtio-mem', data: { size: 5, 'max-size': 9 } },
    { type: 'nvdimm', data: { size: 7 } },
    { type: 'virtio-pmem', data: { size: 7 } },
  ];
  assert.equal(queryMemoryDevices.read(devices), 5);
  for (const reply of [undefined, null, 5, 'x', {}, { 'base-memory': '5' }, { 'base-memory': -1 }])
    assert.equal(queryMemorySize.read(reply), NaN);
  assert.equal(queryMemoryDevices.read([{ type: 'dimm', data: null }]), NaN);
  assert.equal(queryMemoryDevices.read(null), 0);
});
