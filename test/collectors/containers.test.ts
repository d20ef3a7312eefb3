import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createCollectors } from '../../src/collectors/index.ts';
import type { Collector } from '../../src/collectors/collector.ts';
import type { ContainerStorage, MountedVolume } from '../../src/guests/sources.ts';
import { DatasetCounts, ZfsDatasets } from '../../src/kernel/sys/zfs/zfs-datasets.ts';
import { objset as objsetOf } from './objset.ts';
import { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import type { MeasuringName } from '../../src/catalogue/catalogue.ts';
import { blockTree } from './block-tree.ts';
import { TestHost, Tree, byDevice, countersIn, known, stoppedClock, testTarget } from './support.ts';

const GROUP = 'sys/fs/cgroup/lxc/901';
const MIB = 2 ** 20;

/** A container of files, measured by some collectors. */
class Lab {
  readonly cgroup: Cgroup;
  readonly storage: { -readonly [K in keyof ContainerStorage]: ContainerStorage[K] };
  private readonly target: ReturnType<typeof testTarget>;
  private readonly collectors: readonly Collector[];
  private readonly setTime: (seconds: number) => void;

  constructor(
    t: TestContext,
    readonly tree: Tree,
    names: readonly MeasuringName[],
    volumes: readonly MountedVolume[] = [],
  ) {
    this.setTime = stoppedClock(t);
    this.cgroup = new Cgroup(tree.paths, '/lxc/901');
    t.after(() => {
      this.cgroup.close();
    });
    const inCgroup = { kind: 'cgroup', cgroup: this.cgroup } as const;
    this.storage = { ...inCgroup, mounted: volumes, root: undefined };
    this.target = testTarget({
      type: 'lxc',
      vcpus: 0,
      disks: [{ device: 'rootfs', capacity: 8 * MIB, storage: 'local-lvm' }],
      sources: {
        cpu: inCgroup,
        memory: inCgroup,
        storage: this.storage,
        network: { kind: 'host' },
        pressure: this.cgroup,
      },
    });
    const wanted = { verbose: true, devices: true };
    this.collectors = createCollectors(names, tree.paths, { wanted, netdev: undefined, storedev: undefined });
  }

  /** @param files of the cgroup, by name @returns what is known of the container, but for who it is */
  at(seconds: number, files: Readonly<Record<string, string>>): Record<string, number | string> {
    for (const [name, content] of Object.entries(files)) this.tree.write(`${GROUP}/${name}`, content);
    this.setTime(seconds);
    const target = this.target.begin();
    for (const collector of this.collectors) collector.collect(new TestHost(), [target]);
    const { UUID: _, name: __, guest_type: ___, ...values } = known(target.row);
    return values;
  }

  get counters(): Record<string, number> {
    return countersIn(this.target.target.row);
  }

  get disks(): Record<string, Record<string, number | string>> {
    return byDevice(this.target.target.rows.disks);
  }
}

test('CPU: of the CPUs that it may run on, of its limit, and held back', (t) => {
  const lab = new Lab(t, new Tree(t), ['cpu']);
  const limits = {
    'cpu.max': '50000 100000\n',
    'cpu.weight': '50\n',
    'cpuset.cpus.effective': '2-3\n',
    'pids.current': '9\n',
  };
  const levels = { cpu_cores: 2, cpu_limit: 0.5, cpu_weight: 50, cpu_tasks: 9, cpu_affinity: '2-3' };
  assert.deepEqual(
    lab.at(10, { ...limits, 'cpu.stat': 'usage_usec 1000000\nnr_throttled 3\nthrottled_usec 500000\n' }),
    levels,
  );
  assert.deepEqual(
    lab.at(12, { 'cpu.stat': 'usage_usec 1800000\nnr_throttled 9\nthrottled_usec 2900000\n' }),
    // 0.8 s of CPU in 2 s, held back for 2.4 s.
    { ...levels, cpu_used: 0.4, cpu_total: 20, cpu_limit_used: 80, cpu_throttled: 120 },
  );
  assert.deepEqual(lab.counters, { cpu_total: 1_800_000_000, cpu_throttled: 2_900_000 });
});

test('CPU without a limit and without controllers: of all CPUs of the host, and no more is known', (t) => {
  const tree = new Tree(t);
  tree.write('sys/devices/system/cpu/online', '0-3\n');
  const lab = new Lab(t, tree, ['cpu']);
  assert.deepEqual(lab.at(10, { 'cpu.stat': 'usage_usec 0\n', 'cpu.max': 'max 100000\n' }), { cpu_cores: 4 });
  assert.deepEqual(lab.at(11, { 'cpu.stat': 'usage_usec 2000000\n' }), {
    cpu_cores: 4,
    cpu_used: 2,
    cpu_total: 50,
  });
});

test('memory as Proxmox VE computes it, its limit, and processes that were killed', (t) => {
  t.mock.method(Math, 'random', () => 1);
  const lab = new Lab(t, new Tree(t), ['mem']);
  const files = {
    'memory.current': `${96 * MIB}\n`,
    'memory.max': `${128 * MIB}\n`,
    'memory.swap.current': `${MIB}\n`,
    'memory.stat': `anon 1\nfile ${32 * MIB}\nfile_mapped 7\npgmajfault 100\n`,
    'memory.events': 'oom 1\noom_kill 1\n',
  };
  const levels = {
    ram_total: 128 * MIB,
    ram_used: 64 * MIB,
    ram_cache: 32 * MIB,
    ram_limit: 128 * MIB,
    ram_limit_used: 50,
    ram_swap: MIB,
    ram_cgroup: 96 * MIB,
  };
  assert.deepEqual(lab.at(10, files), levels);
  // Values that are expensive to read stay for 5 s.
  assert.deepEqual(
    lab.at(12, { 'memory.current': `${100 * MIB}\n`, 'memory.events': 'oom 4\noom_kill 5\n' }),
    { ...levels, ram_cgroup: 100 * MIB, ram_oom_kills: 2 },
  );
  assert.deepEqual(
    lab.at(15, { 'memory.stat': `file ${101 * MIB}\npgmajfault 150\n`, 'memory.max': 'max\n' }),
    {
      ram_used: 0,
      ram_cache: 101 * MIB,
      ram_majflt: 10,
      ram_oom_kills: 0,
      ram_swap: MIB,
      ram_cgroup: 100 * MIB,
    },
    'more cache than was charged a moment before is no negative use; without a limit nothing is told of it',
  );
  assert.deepEqual(lab.counters, { ram_majflt: 150, ram_oom_kills: 5 });
});

/** A logical volume on a partition of a disk. */
const lvm = {
  'dm-3': { numbers: '253:3', on: ['sda3'] },
  sda: { numbers: '8:0' },
  sda3: { numbers: '8:3', diskOf: 'sda' },
  sdb: { numbers: '8:16' },
};
const io = (numbers: string, count: number): string =>
  `${numbers} rbytes=${count * MIB} wbytes=${2 * count * MIB} rios=${3 * count} wios=${4 * count} dbytes=0 dios=0\n`;

test('I/O is counted at the uppermost device once, and named after the volume', (t) => {
  const lab = new Lab(
    t,
    blockTree(t, lvm),
    ['disk', 'io'],
    [{ volume: 'rootfs', device: '253:3', counted: true }],
  );
  const capacity = { disk_capacity: 8 * MIB };
  assert.deepEqual(lab.at(10, { 'io.stat': io('8:0', 100) + io('253:3', 100) }), capacity);
  // A device appears with its first I/O.
  const values = lab.at(12, { 'io.stat': io('8:16', 1) + io('253:3', 104) + io('8:0', 104) });
  const sums = {
    disk_commands: 17.5,
    disk_reads: 7.5,
    disk_writes: 10,
    disk_read_mib: 2.5,
    disk_write_mib: 5,
  };
  assert.deepEqual(values, {
    ...capacity,
    ...sums,
    io_read_mib: 2.5,
    io_write_mib: 5,
    io_read_bytes: 2.5 * MIB,
    io_write_bytes: 5 * MIB,
  });
  assert.deepEqual(lab.disks, {
    rootfs: {
      disk_capacity: 8 * MIB,
      disk_storage: 'local-lvm',
      disk_commands: 14,
      disk_reads: 6,
      disk_writes: 8,
      disk_read_mib: 2,
      disk_write_mib: 4,
    },
    sdb: { disk_commands: 3.5, disk_reads: 1.5, disk_writes: 2, disk_read_mib: 0.5, disk_write_mib: 1 },
  });
  assert.equal(lab.counters['disk_write_mib'], 10 * MIB);
  // The volume is not listed for once: its disk, which was below it, does not bring its whole past.
  const { disk_reads } = lab.at(13, { 'io.stat': io('8:16', 1) + io('8:0', 105) });
  assert.equal(disk_reads, 3);
});

test('without I/O it is 0, without the controller not known', (t) => {
  const lab = new Lab(t, new Tree(t), ['io']);
  lab.at(10, { 'io.stat': '' });
  assert.deepEqual(lab.at(11, {}), { io_read_mib: 0, io_write_mib: 0, io_read_bytes: 0, io_write_bytes: 0 });
  const without = new Lab(t, new Tree(t), ['io']);
  without.at(10, {});
  assert.deepEqual(without.at(11, {}), {});
});

test('what a file system of ZFS does ZFS tells, and what one on a server does nobody', (t) => {
  const tree = new Tree(t);
  const objset = (count: number): string =>
    objsetOf('rpool/data/subvol-901-disk-0', { writes: 2 * count, nwritten: count * MIB, reads: count });
  const file = 'proc/spl/kstat/zfs/rpool/objset-0x36';
  tree.write(file, objset(50));
  const counts = new DatasetCounts(new ZfsDatasets(tree.paths), 'rpool/data/subvol-901-disk-0');
  t.after(() => {
    counts.close();
  });
  const lab = new Lab(
    t,
    tree,
    ['disk'],
    [
      {
        volume: 'rootfs',
        device: '0:50',
        objset: counts,
        counted: true,
      },
    ],
  );
  lab.at(10, { 'io.stat': '' });
  tree.write(file, objset(54));
  const values = lab.at(12, {});
  assert.deepEqual([values['disk_reads'], values['disk_writes'], values['disk_write_mib']], [2, 4, 2]);
  assert.equal(lab.disks['rootfs']?.['disk_writes'], 4);
  lab.storage.mounted = [{ volume: 'rootfs', device: '0:61', counted: false }];
  const { disk_reads, disk_write_mib } = lab.at(13, {});
  assert.deepEqual([disk_reads, disk_write_mib], [undefined, undefined]);
});

test('how full the root is', (t) => {
  const lab = new Lab(t, new Tree(t), ['disk']);
  lab.storage.root = { size: 1000, used: 300, available: 300 };
  const { disk_root_size, disk_root_used, disk_root_use } = lab.at(10, {});
  assert.deepEqual([disk_root_size, disk_root_used, disk_root_use], [1000, 300, 50]);
});

test('pressure is that of its cgroup', (t) => {
  const lab = new Lab(t, new Tree(t), ['pressure']);
  const line = (share: string, avg: number): string =>
    `${share} avg10=${avg}.00 avg60=0.00 avg300=0.00 total=77\n`;
  const values = lab.at(10, { 'cpu.pressure': line('some', 12) + line('full', 3) });
  assert.deepEqual(values, { psi_some_cpu_avg10: 12, psi_full_cpu_avg10: 3 });
});
