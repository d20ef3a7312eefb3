import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { queryBlockstats } from '../../src/qmp/blockstats.ts';
import type { DiskHistograms } from '../../src/qmp/latency-histogram.ts';
import { boundaries, setHistograms } from '../../src/qmp/latency-histogram.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { OtherClient, driveDisks, removeImages, withQemu } from './qemu.ts';

after(removeImages);

/** What is read of one disk whose reads were counted so. */
function read(histogram: unknown): DiskHistograms | undefined {
  const stats = { rd_operations: 3, rd_latency_histogram: histogram };
  return queryBlockstats.read([{ device: '', qdev: 'scsi0', stats }])[0]?.histograms;
}

test('a histogram of QEMU: one bin more than boundaries', () => {
  const told = { boundaries: [50000, 100000], bins: [2, 45, 0] };
  assert.deepEqual(read(told), { rd: told });
  assert.equal(read(undefined), undefined);
});

test('what contradicts itself, or is larger than any, is none', () => {
  const many = Array.from({ length: 101 }, (_, i) => i + 1);
  const hostile: unknown[] = [
    null,
    7,
    'bins',
    [],
    {},
    { boundaries: [1] },
    { bins: [1] },
    { boundaries: [], bins: [1] },
    { boundaries: [10, 20], bins: [1, 2] },
    { boundaries: [10, 20], bins: [1, 2, 3, 4] },
    { boundaries: [20, 10], bins: [1, 2, 3] },
    { boundaries: [10, 10], bins: [1, 2, 3] },
    { boundaries: [0, 10], bins: [1, 2, 3] },
    { boundaries: [-5, 10], bins: [1, 2, 3] },
    { boundaries: ['10', 20], bins: [1, 2, 3] },
    { boundaries: [10, null], bins: [1, 2, 3] },
    { boundaries: [10, 20], bins: [1, -2, 3] },
    { boundaries: [10, 20], bins: [1, 2.5, 3] },
    { boundaries: [10, 20], bins: [1, 1e300, 3] },
    { boundaries: [10, 1e300], bins: [1, 2, 3] },
    { boundaries: [10, 20], bins: ['1', 2, 3] },
    { boundaries: [10, 20], bins: { length: 3, 0: 1, 1: 2, 2: 3 } },
    { boundaries: many, bins: [...many, 0] },
  ];
  for (const each of hostile) assert.equal(read(each), undefined, JSON.stringify(each));
  const largest = many.slice(0, 100);
  assert.ok(read({ boundaries: largest, bins: [...largest, 0] }));
});

test('a real QEMU takes our boundaries, tells them back, and names each refusal', async () => {
  await withQemu(driveDisks(), async ({ path }) => {
    const client = new OtherClient(path);
    await client.negotiate();
    const told = async (): Promise<ReturnType<typeof queryBlockstats.read>> =>
      queryBlockstats.read((JSON.parse(await client.ask('query-blockstats')) as { return: unknown }).return);
    const before = await told();
    assert.ok(before.every(({ histograms }) => histograms === undefined));
    const disks = before.filter(({ qdev, nodeName }) => qdev !== undefined && nodeName !== undefined);
    // With virtio, query-blockstats names the backend below the device.
    assert.equal(disks.length, 2);
    const queries = disks.map(({ qdev = '' }) => setHistograms(qdev));
    for (const { execute, arguments: values = {} } of queries)
      assert.doesNotMatch(await client.ask(execute, values), /error/);
    const bins = Array<number>(boundaries.length + 1).fill(0);
    for (const { qdev, histograms } of await told()) {
      const isDisk = disks.some((disk) => disk.qdev === qdev);
      const own = { boundaries: [...boundaries], bins };
      assert.deepEqual(histograms, isDisk ? { rd: own, wr: own, flush: own } : undefined, qdev);
    }
    const { execute, arguments: values = {} } = setHistograms('none');
    assert.match(await client.ask(execute, values), /DeviceNotFound/);
    // QEMU reads it byte by byte.
    const [one] = queries;
    assert.ok(one !== undefined && new PreparedQueries([one]).render('abc').length < 350);
    client.close();
  });
});
