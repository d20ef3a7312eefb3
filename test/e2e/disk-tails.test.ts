import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { plugDisk } from '../lab/hotplug.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { hasEnded, listens, until } from '../lab/processes.ts';
import { qmp } from '../lab/qmp.ts';
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

async function histogramAt(monitor: string, disk: string): Promise<Backend['stats']['rd_latency_histogram']> {
  const backends = (await qmp(monitor, 'query-blockstats')) as readonly Backend[];
  return backends.find(({ qdev }) => qdev?.includes(disk))?.stats.rd_latency_histogram;
}

describe('percentiles of disk latency', { skip, timeout: 480_000 }, () => {
  let lab: Lab;
  let free: LabVm;
  let throttled: LabVm;

  before(async () => {
    lab = Lab.create();
    free = await lab.run({ guest: 'disk', load: 16, disks: [disk] });
    throttled = await lab.run({ guest: 'disk', load: 16, disks: [disk] });
    // So that operations take 25 ms in the mean.
    await lab.qmp(throttled, 'qom-set', {
      path: '/objects/throttle-drive-virtio0',
      property: 'limits',
      value: { 'iops-total': 40 },
    });
  });
  after(() => lab.close());

  /** The histogram of reads that QEMU keeps of the disk, read without the code under test. */
  function histogram(vm: LabVm, name = 'virtio0'): Promise<Backend['stats']['rd_latency_histogram']> {
    return histogramAt(vm.qmpSocket, name);
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
      ['--latency-histogram', '--detail-interval=16'],
      (each) => each['disk_lat_rd_p99'] !== undefined && each['disk_lat_wr_p99'] !== undefined,
    );
    const { bins = [], boundaries = [] } = (await histogram(throttled)) ?? {};
    const total = bins.reduce((sum, count) => sum + count);
    // The slowest tenth, as QEMU counts all that it did since: an operation for which others waited may pass at once.
    let left = 0.9 * total;
    const tenth = bins.findIndex((count) => (left -= count) < 0);
    const [least, most] = [boundaries[tenth - 1] ?? NaN, boundaries[bins.findLastIndex(Boolean)] ?? Infinity];
    assert.ok(least >= 10 * MS, `QEMU itself counts a slow disk: ${bins.join(' ')}`);
    const p99 = num(slow, 'disk_lat_rd_p99');
    assert.ok(p99 >= least / MS && p99 <= most / MS, `${p99}: ${bins.join(' ')}`);
    assert.ok(num(slow, 'disk_lat_wr_p99') >= 10);
    assert.ok(num(slow, 'disk_lat_rd_max') >= p99 && p99 >= num(slow, 'disk_lat_rd_p50'));
    assert.ok(p99 > 4 * num(fast, 'disk_lat_rd_p50'), JSON.stringify([fast, slow]));
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

  test('a disk that is plugged in gets it, and so does a VM that is started again', async () => {
    const flags = ['--disk', '--devices', '--verbose', '--latency-histogram', '--detail-interval=0.5'];
    const stream = Stream.start([...lab.flags(), '--frequency=0.5', ...flags]);
    await stream.next('the VM is seen', (cycle) => domain(cycle, free)?.disks?.length === 1);
    const plugged = await plugDisk(free, 2 ** 20);
    await until('the new disk has it', async () => (await histogram(free, plugged.device)) !== undefined);
    await lab.restart(throttled);
    await until('the new process has it', async () => (await histogram(throttled)) !== undefined);
    const { code, stderr } = await stream.stop();
    assert.equal(code, 0, stderr);
  });
});

describe('QEMU that no manager runs', { skip, timeout: 240_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-tails-'));
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  /** Starts a QEMU with a disk whose guest does not run. @param user that it belongs to */
  async function start(
    name: string,
    user: number,
  ): Promise<{ readonly pid: number; readonly monitor: string }> {
    const home = join(directory, name);
    mkdirSync(home);
    const image = join(home, 'disk.img');
    writeFileSync(image, Buffer.alloc(2 ** 20));
    for (const path of [home, image]) chownSync(path, user, user);
    const monitor = join(home, 'qmp');
    const child = spawn(
      'qemu-system-x86_64',
      [
        ...['-nodefaults', '-display', 'none', '-accel', 'tcg,tb-size=8', '-S', '-m', '32'],
        ...['-qmp', `unix:${monitor},server=on,wait=off`],
        ...[
          '-drive',
          `file=${image},if=none,id=d,format=raw`,
          '-device',
          'virtio-blk-pci,drive=d,id=virtio0',
        ],
      ],
      { stdio: 'ignore', uid: user, gid: user },
    );
    children.push(child);
    await once(child, 'spawn');
    const pid = child.pid ?? -1;
    await until('its monitor listens', () => listens(monitor) || hasEnded(pid));
    return { pid, monitor };
  }

  test('that of root is told to count, that of another user is asked and never changed', async () => {
    chmodSync(directory, 0o755);
    const [ours, theirs] = [await start('ours', 0), await start('theirs', 65534)];
    const flags = [
      '--qemu',
      '--disk',
      '--devices',
      '--latency-histogram',
      '--frequency=0.5',
      '--detail-interval=0.5',
    ];
    const stream = Stream.start(flags);
    // Rates need two answers: after the first one it would have been reported.
    for (const { pid } of [ours, theirs])
      await stream.next(`process ${pid} has answered twice`, ({ domains }) =>
        domains.some((row) => row['pid'] === String(pid) && row['disk_reads'] !== undefined),
      );
    await stream.next();
    const { code, stderr } = await stream.stop();
    assert.equal(code, 0, stderr);
    assert.notEqual(await histogramAt(ours.monitor, 'virtio0'), undefined);
    assert.equal(await histogramAt(theirs.monitor, 'virtio0'), undefined);
  });
});
