import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LatencyHistograms } from '../../src/guests/qemu/latency-histograms.ts';
import type { BlockStats } from '../../src/qmp/blockstats.ts';
import { queryBlockstats } from '../../src/qmp/blockstats.ts';
import { QmpError } from '../../src/qmp/errors.ts';
import { boundaries } from '../../src/qmp/latency-histogram.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import type { PreparedQueries } from '../../src/qmp/query.ts';
import { qmp } from '../lab/qmp.ts';
import { Qemu, bare, driveDisks, removeImages, withQemu } from '../qmp/qemu.ts';

after(removeImages);

const SET = 'block-latency-histogram-set';

/** A monitor that notes which commands it was sent. */
class NotingMonitor extends Monitor {
  sent: string[] = [];

  override ask: Monitor['ask'] = (prepared: PreparedQueries<never>) => {
    for (const { execute } of prepared.queries as PreparedQueries['queries']) this.sent.push(execute);
    return super.ask(prepared);
  };
}

/** A real QEMU with two disks and a CD-ROM drive, and what the test needs of it. */
async function withDisks(
  body: (context: {
    readonly qemu: Qemu;
    readonly monitor: NotingMonitor;
    readonly disks: () => Promise<readonly BlockStats[]>;
    readonly told: string[];
    readonly make: (isOurs?: boolean) => LatencyHistograms;
    /** The boundaries of the histograms of reads in QEMU, by disk. */
    readonly found: () => Promise<(readonly number[] | undefined)[]>;
  }) => Promise<void>,
): Promise<void> {
  await withQemu(driveDisks(), async (qemu) => {
    const monitor = new NotingMonitor(qemu.path, 60_000);
    const told: string[] = [];
    const disks = async (): Promise<readonly BlockStats[]> =>
      queryBlockstats
        .read(await qmp(qemu.path, 'query-blockstats'))
        .filter(({ nodeName }) => nodeName !== undefined);
    await body({
      qemu,
      monitor,
      disks,
      told,
      make: (isOurs = true) =>
        new LatencyHistograms(
          () => isOurs,
          (why) => told.push(why),
        ),
      found: async () => (await disks()).map(({ histograms }) => histograms?.rd?.boundaries),
    });
    monitor.close();
  });
}

test('each disk gets them once; whoever starts later finds them', async () => {
  await withDisks(async ({ monitor, disks, make, found }) => {
    const histograms = make();
    assert.deepEqual(await found(), [undefined, undefined]);
    assert.equal(await histograms.update(monitor, await disks()), undefined);
    assert.deepEqual(await found(), [boundaries, boundaries]);
    assert.deepEqual(monitor.sent, [SET, SET]);
    await histograms.update(monitor, await disks());
    await make().update(monitor, await disks());
    assert.deepEqual(monitor.sent, [SET, SET]);
  });
});

test('those of another tool stay, and what it removes is not put back', async () => {
  await withDisks(async ({ qemu, monitor, disks, make, found }) => {
    const [first, second] = await disks();
    const theirs = [1_000_000, 5_000_000];
    await qmp(qemu.path, SET, { id: first?.qdev, boundaries: theirs });
    const histograms = make();
    await histograms.update(monitor, await disks());
    assert.deepEqual(await found(), [theirs, boundaries]);
    for (const disk of [first, second]) await qmp(qemu.path, SET, { id: disk?.qdev });
    await histograms.update(monitor, await disks());
    assert.deepEqual(await found(), [undefined, undefined]);
    assert.deepEqual(monitor.sent, [SET]);
  });
});

test('a disk that was plugged in anew gets them again', async () => {
  await withDisks(async ({ qemu, monitor, disks, make, found }) => {
    const histograms = make();
    const before = (await disks()).map((disk) => ({ ...disk, rdOps: disk.rdOps + 5 }));
    await histograms.update(monitor, before);
    for (const { qdev } of before) await qmp(qemu.path, SET, { id: qdev });
    // While we look elsewhere both were taken out; one came back with the counters of a new device.
    await histograms.update(monitor, []);
    await histograms.update(monitor, (await disks()).slice(0, 1));
    assert.deepEqual(await found(), [boundaries, undefined]);
    await qmp(qemu.path, SET, { id: before[0]?.qdev });
    const [disk] = await disks();
    assert.ok(disk !== undefined);
    await histograms.update(monitor, [{ ...disk, rdOps: 9 }]);
    await histograms.update(monitor, [{ ...disk, rdOps: 8 }]);
    assert.deepEqual(await found(), [boundaries, undefined]);
  });
});

test('the QEMU of somebody else is never changed, nor a disk without a name', async () => {
  await withDisks(async ({ monitor, disks, make, found }) => {
    await make(false).update(monitor, await disks());
    const nameless = (await disks()).map((disk) => ({ ...disk, qdev: undefined }));
    await make().update(monitor, nameless);
    assert.deepEqual(monitor.sent, []);
    assert.deepEqual(await found(), [undefined, undefined]);
  });
});

test('a refusal is told once and not asked for again', async () => {
  await withQemu(bare, async ({ path }) => {
    const monitor = new NotingMonitor(path, 60_000);
    const told: string[] = [];
    const histograms = new LatencyHistograms(
      () => true,
      (why) => told.push(why),
    );
    const disks = ['gone0', 'gone1'].map((qdev) => ({ qdev, rdOps: 0, wrOps: 0 }) as BlockStats);
    for (let i = 0; i < 3; i++) assert.equal(await histograms.update(monitor, disks), undefined);
    assert.deepEqual(monitor.sent, [SET, SET]);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^QEMU keeps no latency histograms: .*gone0/);
    monitor.close();
  });
});

test('many disks are dealt with some at a time; one that QEMU has no count of is dealt with once', async () => {
  const sizes: number[] = [];
  const monitor = {
    ask: (prepared: PreparedQueries) => {
      sizes.push(prepared.queries.length);
      return Promise.resolve(prepared.queries.map(() => ({})));
    },
  } as unknown as Monitor;
  const histograms = new LatencyHistograms(
    () => true,
    () => assert.fail('nothing was refused'),
  );
  const disks = Array.from(
    { length: 40 },
    (_, i) => ({ qdev: `d${i}`, rdOps: NaN, wrOps: NaN }) as BlockStats,
  );
  for (let i = 0; i < 5; i++) await histograms.update(monitor, disks);
  assert.deepEqual(sizes, [16, 16, 8]);
});

test('without an answer the disks are asked for at the next visit', async () => {
  await withDisks(async ({ monitor, disks, make, found }) => {
    const histograms = make();
    const now = await disks();
    const silent = { ask: () => Promise.resolve(new QmpError('timeout', 'qmp', 'no answer')) };
    assert.ok((await histograms.update(silent, now)) instanceof QmpError);
    assert.deepEqual(await found(), [undefined, undefined]);
    await histograms.update(monitor, await disks());
    assert.deepEqual(await found(), [boundaries, boundaries]);
  });
});
