import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { queryBlockstats } from '../../src/qmp/blockstats.ts';
import type { BlockStats } from '../../src/qmp/blockstats.ts';
import { QmpError } from '../../src/qmp/errors.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { queryBalloon, queryCpus, queryGuestStats, queryStatus } from '../../src/qmp/replies.ts';
import { OtherClient, bare, blockdevDisks, driveDisks, removeImages, withQemu } from './qemu.ts';

const prepared = new PreparedQueries([
  queryStatus,
  queryBlockstats,
  queryBalloon,
  queryGuestStats,
  queryCpus,
]);
const patient = 10_000;

async function askAll(path: string): Promise<Exclude<Awaited<ReturnType<typeof asked>>, QmpError>> {
  const outcome = await asked(path);
  if (outcome instanceof QmpError) throw outcome;
  return outcome;
}
const asked = (path: string) => new Monitor(path, patient).ask(prepared);

after(removeImages);

/** Lets QEMU itself write 64 KiB and read 4 KiB twice on a device, so that there is something to count. */
async function useDisk(path: string, qdev: string): Promise<void> {
  const client = new OtherClient(path);
  await client.negotiate();
  for (const io of ['aio_write 0 64k', 'aio_read 0 4k', 'aio_read 8k 4k', 'aio_flush']) {
    await client.ask('human-monitor-command', { 'command-line': `qemu-io -d ${qdev} "${io}"` });
  }
  client.close();
}

const shapes = {
  '-drive': {
    args: driveDisks(),
    names: [
      ['drive-scsi0', 'scsi0'],
      ['drive-virtio0', '/machine/peripheral/virtio0/virtio-backend'],
      ['drive-ide2', 'ide2'],
    ],
  },
  '-blockdev': {
    args: blockdevDisks(),
    names: [
      ['', 'scsi0'],
      ['', '/machine/peripheral/virtio0/virtio-backend'],
      ['', 'ide2'],
    ],
  },
};

for (const [shape, { args, names }] of Object.entries(shapes)) {
  test(`QEMU with ${shape}: state, disks, balloon, vCPUs`, async () => {
    await withQemu(args, async (qemu) => {
      await useDisk(qemu.path, '/machine/peripheral/scsi0');
      const [status, blocks, balloon, guest, cpus] = await askAll(qemu.path);
      assert.deepEqual(status.value, { status: 'prelaunch', running: false });
      assert.deepEqual(
        blocks.value?.map(({ device, qdev }) => [device, qdev]),
        names,
      );
      const [scsi0, virtio0, cdrom] = blocks.value as readonly [BlockStats, BlockStats, BlockStats];
      assert.equal(scsi0.nodeName, shape === '-drive' ? scsi0.nodeName : 'drive-scsi0');
      assert.equal(cdrom.nodeName, undefined);
      assert.deepEqual(
        [scsi0.wrOps, scsi0.wrBytes, scsi0.rdOps, scsi0.rdBytes, scsi0.failures],
        [1, 65536, 2, 8192, 0],
      );
      assert.ok(scsi0.wrTime > 0 && scsi0.rdTime > 0);
      for (const idle of [virtio0, cdrom]) {
        assert.deepEqual(
          [idle.rdOps, idle.wrOps, idle.rdBytes, idle.wrBytes, idle.rdTime, idle.failures],
          [0, 0, 0, 0, 0, 0],
        );
      }
      assert.deepEqual(balloon.value, { actual: 32 * 1024 * 1024 });
      assert.deepEqual(guest.value, {}, 'the guest never ran');
      const [cpu] = cpus.value ?? [];
      assert.equal(cpus.value?.length, 1);
      assert.equal(cpu?.index, 0);
      assert.match(readFileSync(`/proc/${qemu.pid}/task/${cpu.thread}/stat`, 'utf8'), /^\d+ \(/);
    });
  });
}

test('QEMU without balloon and disks: an error is the answer of one query only', async () => {
  await withQemu(bare, async (qemu) => {
    const [status, blocks, balloon, guest, cpus] = await askAll(qemu.path);
    assert.equal(status.value?.status, 'prelaunch');
    assert.deepEqual(blocks.value, []);
    assert.equal(balloon.value, undefined);
    assert.equal(balloon.error?.class, 'DeviceNotActive');
    assert.equal(guest.error?.class, 'DeviceNotFound');
    assert.deepEqual(cpus.value, []);
  });
});

// Proxmox VE's QEMU cannot be had here; the fields are those of its query-balloon.
test("Proxmox VE's balloon", () => {
  const reply = {
    ...{ actual: 4294967296, max_mem: 8589934592, last_update: 1700000000 },
    ...{
      total_mem: 4100000000,
      free_mem: 100000000,
      mem_swapped_in: 4096,
      mem_swapped_out: 8192,
      major_page_faults: 3,
    },
  };
  assert.deepEqual(queryBalloon.read(reply), {
    ...{ actual: 4294967296, max: 8589934592, lastUpdate: 1700000000 },
    ...{ total: 4100000000, free: 100000000, swapIn: 4096, swapOut: 8192 },
  });
});

// The statistics come from a driver in a running guest, which the test has not.
test('guest statistics: 2^64-1 is not known', () => {
  const stats =
    '{"stat-total-memory": 1000, "stat-free-memory": 18446744073709551615, "stat-available-memory": 700}';
  const reply = (time: number): unknown => JSON.parse(`{"stats": ${stats}, "last-update": ${time}}`);
  assert.deepEqual(queryGuestStats.read(reply(1700000000)), {
    total: 1000,
    available: 700,
    lastUpdate: 1700000000,
  });
  assert.deepEqual(queryGuestStats.read(reply(0)), {});
});

test('failures of all kinds are summed up; layers below are left out', () => {
  const below = {
    stats: { rd_operations: 99, failed_rd_operations: 99 },
    device: 'below',
    'node-name': 'below',
  };
  const stats = {
    rd_operations: 7,
    failed_rd_operations: 1,
    invalid_wr_operations: 2,
    failed_zone_append_operations: 4,
  };
  const [first, ...more] = queryBlockstats.read([
    { parent: below, backing: below, device: 'drive-scsi0', stats },
  ]);
  assert.deepEqual(more, []);
  assert.deepEqual([first?.device, first?.rdOps, first?.failures, first?.wrOps], ['drive-scsi0', 7, 7, NaN]);
  assert.equal(first?.nodeName, undefined);
});

test('a reply of another shape yields less and never throws', () => {
  const hostile = [
    undefined,
    null,
    true,
    5,
    'text',
    [],
    {},
    [null, 1, 'x', [], {}],
    { stats: 5 },
    [{ stats: null, device: 3 }],
  ];
  for (const reply of hostile) {
    for (const { execute, read } of prepared.queries)
      assert.doesNotThrow(() => read(reply), `${execute} ${JSON.stringify(reply)}`);
  }
  assert.deepEqual(queryStatus.read({ status: 5, running: 'yes' }), {
    status: undefined,
    running: undefined,
  });
  assert.deepEqual(queryBalloon.read({ actual: '5', max_mem: -1, total_mem: null }), {});
  assert.deepEqual(queryCpus.read([{ 'cpu-index': 1 }, null, { 'cpu-index': 2, 'thread-id': 9 }]), [
    { index: 2, thread: 9 },
  ]);
  const [entry] = queryBlockstats.read([{ stats: { rd_operations: 'many', wr_operations: 2 } }]);
  assert.deepEqual([entry?.device, entry?.rdOps, entry?.wrOps, entry?.failures], ['', NaN, 2, NaN]);
});

test('a name of any length is no name', () => {
  const long = 'x'.repeat(256);
  assert.deepEqual(queryStatus.read({ status: long, running: true }), { status: undefined, running: true });
  const [stats] = queryBlockstats.read([{ device: long, qdev: long, 'node-name': 'x'.repeat(255) }]);
  assert.deepEqual([stats?.device, stats?.qdev, stats?.nodeName], ['', undefined, 'x'.repeat(255)]);
});
