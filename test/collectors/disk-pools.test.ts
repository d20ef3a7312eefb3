import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { HostPools } from '../../src/collectors/disk/disk-pools.ts';
import { columns } from '../../src/catalogue/catalogue.ts';
import { objset } from './objset.ts';
import { TestHost, Tree, byDevice, stoppedClock } from './support.ts';

const MIB = 2 ** 20;
const ZFS = 0x2fc12fc1;

/** What statfs says. */
interface Answer {
  readonly type: number;
  readonly bavail: number;
  readonly bsize: number;
}

/** Pools of a host without ZFS, by files after its sources; no file system of a test is of ZFS, so statfs is a fake. */
class Lab {
  readonly host = new TestHost();
  readonly asked: string[] = [];
  readonly tree: Tree;
  readonly pools: HostPools;
  answer: () => Promise<Answer> = () => Promise.resolve({ type: ZFS, bavail: 5, bsize: 1024 });
  private readonly setTime: (seconds: number) => void;

  constructor(t: TestContext) {
    t.mock.method(Math, 'random', () => 1);
    this.setTime = stoppedClock(t);
    this.tree = new Tree(t);
    this.tree.write('proc/spl/kstat/zfs/arcstats', '1 1 0x01 1 1 1 1\n');
    this.pools = new HostPools(this.tree.paths, {
      statfs: (path) => {
        this.asked.push(path);
        return this.answer();
      },
    });
  }

  pool(name: string, state: string): void {
    this.tree.write(`proc/spl/kstat/zfs/${name}/state`, `${state}\n`);
  }

  dataset(id: string, dataset: string, count: number): void {
    const counts = { reads: count, writes: 2 * count, nread: 10 * count * MIB, nwritten: 20 * count * MIB };
    this.tree.write(`proc/spl/kstat/zfs/${dataset.split('/')[0]}/objset-${id}`, objset(dataset, counts));
  }

  async at(time: number): Promise<Record<string, Record<string, number | string>>> {
    this.setTime(time);
    this.host.clear();
    this.pools.collect(this.host);
    await this.pools.asking;
    return byDevice(this.host.tree.pools);
  }

  /** The cumulative counts of a pool, in the order of its rates. */
  counted(index: number): number[] {
    const row = this.host.tree.pools[index]!;
    return columns('host_pool').flatMap(({ slot, kind }) => (kind === 'rate' ? [row.counters[slot]!] : []));
  }
}

test('state, and what all file systems and volumes of a pool do', async (t) => {
  const lab = new Lab(t);
  lab.pool('rpool', 'ONLINE');
  lab.pool('tank', 'DEGRADED');
  lab.dataset('0x36', 'rpool/ROOT/pve-1', 100);
  lab.dataset('0x81', 'rpool/data/vm-100-disk-0', 10);
  lab.dataset('0x22', 'tank', 5);
  assert.deepEqual(await lab.at(0), {
    rpool: { pool_state: 'ONLINE', pool_degraded: 0 },
    tank: { pool_state: 'DEGRADED', pool_degraded: 1 },
  });
  lab.dataset('0x36', 'rpool/ROOT/pve-1', 110);
  lab.dataset('0x81', 'rpool/data/vm-100-disk-0', 20);
  const rates = { pool_reads: 2, pool_writes: 4, pool_read_mib: 20, pool_write_mib: 40 };
  const { rpool } = await lab.at(10);
  assert.deepEqual(rpool, { pool_state: 'ONLINE', pool_degraded: 0, ...rates });
  assert.deepEqual(lab.counted(0), [20, 40, 200 * MIB, 400 * MIB]);
  lab.dataset('0x36', 'rpool/ROOT/pve-1', 999);
  assert.deepEqual((await lab.at(15))['rpool'], rpool, 'stands until it is read again');
});

test('a volume that was opened since begins at 0, one that was closed takes nothing away', async (t) => {
  const lab = new Lab(t);
  lab.pool('rpool', 'ONLINE');
  lab.dataset('0x36', 'rpool', 100);
  lab.dataset('0x81', 'rpool/vm-100-disk-0', 1000);
  await lab.at(0);
  lab.tree.remove('proc/spl/kstat/zfs/rpool/objset-0x81');
  lab.dataset('0x92', 'rpool/vm-101-disk-0', 30);
  assert.equal((await lab.at(10))['rpool']?.['pool_reads'], 3);
  lab.dataset('0x92', 'rpool/vm-101-disk-0', 20);
  assert.equal((await lab.at(20))['rpool']?.['pool_reads'], 2, 'opened anew under its number');
  assert.deepEqual(lab.counted(0)[0], 50);
  lab.pool('rpool', 'SUSPENDED');
  const { pool_state, pool_degraded } = (await lab.at(30))['rpool']!;
  assert.deepEqual([pool_state, pool_degraded], ['SUSPENDED', 1]);
  lab.tree.remove('proc/spl/kstat/zfs/rpool');
  assert.deepEqual(await lab.at(40), {}, 'exported');
});

test('the room of a pool is that of its topmost file system, where that is mounted and answers', async (t) => {
  const lab = new Lab(t);
  const mounts = (source: string): void => {
    lab.tree.write('proc/1/mountinfo', `30 1 0:27 / /${source} rw - zfs ${source} rw,xattr\n`);
  };
  const available = async (time: number): Promise<unknown> => {
    await lab.at(time);
    return (await lab.at(time + 1))['rpool']?.['pool_available'];
  };
  lab.pool('rpool', 'ONLINE');
  mounts('rpool/ROOT');
  assert.equal(await available(0), undefined);
  assert.deepEqual(lab.asked, []);
  mounts('rpool');
  assert.equal(await available(10), 5120);
  assert.deepEqual(lab.asked, ['/rpool']);
  lab.answer = () => Promise.resolve({ type: 0xef53, bavail: 5, bsize: 1024 });
  assert.equal(await available(20), undefined, 'another file system at that path here');
  lab.answer = () => Promise.reject(new Error('no answer in time'));
  assert.equal(await available(30), undefined);
});

test('a pool that does not answer holds up no row, and is not asked twice', async (t) => {
  const lab = new Lab(t);
  lab.pool('rpool', 'ONLINE');
  lab.tree.write('proc/1/mountinfo', '30 1 0:27 / /rpool rw - zfs rpool rw\n');
  let answer: (told: Answer) => void = () => undefined;
  lab.answer = () => new Promise((resolve) => (answer = resolve));
  const rows = (): string[] => {
    lab.host.clear();
    lab.pools.collect(lab.host);
    return Object.keys(byDevice(lab.host.tree.pools));
  };
  const clock = stoppedClock(t);
  for (const time of [0, 10, 20, 30]) {
    clock(time);
    assert.deepEqual(rows(), ['rpool']);
  }
  assert.equal(lab.asked.length, 1);
  answer({ type: ZFS, bavail: 1, bsize: 1 });
  await lab.pools.asking;
});

test('a host without ZFS has no pools', async (t) => {
  const lab = new Lab(t);
  assert.deepEqual(await lab.at(0), {});
  lab.tree.remove('proc/spl');
  assert.deepEqual(await lab.at(10), {});
});
