import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { DiskSpec, LabVm } from '../lab/vm.ts';
import type { Row } from './program.ts';
import { Stream, device, domain, num } from './program.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const disk: DiskSpec = { interface: 'virtio', size: 16 * 2 ** 20, shape: 'blockdev' };
const MS = 1e6;

interface Backend {
  readonly qdev?: string;
  readonly stats: {
    readonly rd_latency_histogram?: { readonly bins: number[]; readonly boundaries: number[] };
  };
}

describe('percentiles of disk latency', { skip, timeout: 480_000 }, () => {
  let lab: Lab;
  let free: LabVm;
  let throttled: LabVm;

  before(async () => {
    lab = Lab.create();
    free = await lab.run({ guest: 'disk', load: 16, disks: [disk] });
    throttled = await lab.run({ guest: 'disk', load: 16, disks: [disk] });
    // So that an operation waits 25 ms for its turn, but for those of which QEMU lets two pass at once.
    await lab.qmp(throttled, 'qom-set', {
      path: '/objects/throttle-drive-virtio0',
      property: 'limits',
      value: { 'iops-total': 40 },
    });
  });
  after(() => lab.close());

  /** The histogram of reads that QEMU keeps of the disk, read without the code under test. */
  async function histogram(vm: LabVm): Promise<Backend['stats']['rd_latency_histogram']> {
    const backends = (await lab.qmp(vm, 'query-blockstats')) as readonly Backend[];
    return backends.find(({ qdev }) => qdev?.includes('virtio0'))?.stats.rd_latency_histogram;
  }

  /** Runs proxtop until a row of the disk of each VM is wanted. */
  async function rows(flags: readonly string[], wanted: (row: Row) => boolean): Promise<[Row, Row]> {
    const stream = Stream.start([...lab.flags(), '--disk', '--devices', '--verbose', ...flags]);
    const found: Row[] = [];
    for (const vm of [free, throttled]) {
      const of = (cycle: Parameters<typeof domain>[0]): Row | undefined =>
        device(domain(cycle, vm)?.disks, 'virtio0');
      const cycle = await stream.first(`VM ${vm.vmid}`, (each) => {
        const row = of(each);
        return row !== undefined && wanted(row);
      });
      found.push(of(cycle) as Row);
    }
    const { code, stderr } = await stream.stop();
    assert.equal(code, 0, stderr);
    return found as [Row, Row];
  }

  test('by default QEMU is told nothing', async () => {
    const [row] = await rows(['--detail-interval=1'], (each) => Number(each['disk_reads']) > 0);
    assert.equal(row['disk_lat_rd_p50'], undefined);
    assert.deepEqual([await histogram(free), await histogram(throttled)], [undefined, undefined]);
  });

  test('with latency_histogram a throttled disk shows in the percentiles, as QEMU counts it', async () => {
    const [fast, slow] = await rows(
      ['--latency-histogram', '--detail-interval=12'],
      (each) => each['disk_lat_rd_p99'] !== undefined && each['disk_lat_wr_p99'] !== undefined,
    );
    const { bins = [], boundaries = [] } = (await histogram(throttled)) ?? {};
    const total = bins.reduce((sum, count) => sum + count);
    const quickly = bins.slice(0, boundaries.indexOf(10 * MS) + 1).reduce((sum, count) => sum + count);
    assert.ok(quickly < 0.5 * total, `QEMU itself counts a slow disk: ${bins.join(' ')}`);
    const highest = boundaries[bins.findLastIndex((count) => count > 0)] ?? Infinity;
    for (const kind of ['rd', 'wr']) {
      const [p50, p99] = [num(slow, `disk_lat_${kind}_p50`), num(slow, `disk_lat_${kind}_p99`)];
      assert.ok(p50 >= 10 && p99 >= 25, `${kind}: ${p50} ${p99}`);
    }
    assert.ok(num(slow, 'disk_lat_rd_p99') <= highest / MS);
    assert.ok(num(slow, 'disk_lat_rd_max') >= num(slow, 'disk_lat_rd_p99'));
    assert.ok(num(slow, 'disk_lat_rd_p50') > 4 * num(fast, 'disk_lat_rd_p50'), JSON.stringify([fast, slow]));
  });

  test('at the end nothing is undone, and the next start goes on with what is there', async () => {
    const before = (await histogram(free))?.bins.reduce((sum, count) => sum + count) ?? 0;
    assert.ok(before > 0);
    const known = (each: Row): boolean => each['disk_lat_rd_max'] !== undefined;
    await rows(['--latency-histogram', '--detail-interval=1'], known);
    const { bins = [] } = (await histogram(free)) ?? {};
    assert.ok(bins.reduce((sum, count) => sum + count) > before, 'they were not set back');
    // Without the option they are still shown: nobody has to be told anything for that.
    await rows(['--detail-interval=1'], known);
  });
});
