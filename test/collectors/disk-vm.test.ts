import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskPlaces } from '../../src/collectors/disk/disk-places.ts';
import { VmDisks, deriveDisk } from '../../src/collectors/disk/disk-vm.ts';
import type { Detail, Guest } from '../../src/guests/guest.ts';
import { diskCounters } from '../../src/guests/guest.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { slots } from '../../src/catalogue/catalogue.ts';
import { Row } from '../../src/catalogue/row.ts';
import type { Target } from '../../src/sampling/targets.ts';
import {
  Tree,
  byDevice,
  countersIn,
  detailOf,
  known,
  pick,
  stoppedClock,
  testTarget,
  sourcesOf,
} from './support.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const MS = 1e6;
const wanted = { verbose: true, devices: true };

function derived(grown: Partial<Record<(typeof diskCounters)[number], number>>, elapsed: number): object {
  const row = new Row('vm_disk');
  const values = Float64Array.from(diskCounters, (name) => grown[name] ?? 0);
  deriveDisk(values, elapsed, row.values, slots('disk', 'vm_disk'));
  return known(row);
}

test('rates, and latencies by operation', () => {
  assert.deepEqual(
    derived(
      {
        rdOps: 100,
        wrOps: 40,
        flOps: 10,
        rdBytes: 3 * MIB,
        wrBytes: MIB,
        rdTime: 50 * MS,
        wrTime: 80 * MS,
        flTime: 20 * MS,
        failures: 1,
      },
      2,
    ),
    {
      disk_reads: 50,
      disk_writes: 20,
      disk_flushes: 5,
      disk_commands: 75,
      disk_read_mib: 1.5,
      disk_write_mib: 0.5,
      disk_read_time: 25,
      disk_write_time: 40,
      disk_flush_time: 10,
      disk_errors: 0.5,
      disk_lat_rd: 0.5,
      disk_lat_wr: 2,
      disk_lat_fl: 2,
      disk_lat_avg: 1,
    },
  );
});

test('without operations there is no latency, but rates of 0', () => {
  const idle = derived({}, 5);
  assert.ok(!Object.keys(idle).some((id) => id.startsWith('disk_lat')));
  assert.equal(
    Object.values(idle).every((value) => value === 0),
    true,
  );
  const reading = derived({ rdOps: 4, rdTime: 2 * MS }, 1);
  assert.deepEqual(
    Object.entries(reading).filter(([id]) => id.startsWith('disk_lat')),
    [
      ['disk_lat_rd', 0.5],
      ['disk_lat_avg', 0.5],
    ],
  );
});

/** One VM through several cycles; the host's load is for the test to set. */
function scenario(
  vm: Partial<Guest> = {},
  places?: DiskPlaces,
): {
  load: { busy: number; bytes: number };
  cycle: (detail: Detail | undefined) => Target;
} {
  const load = { busy: NaN, bytes: NaN };
  const { vm: changeable, begin } = testTarget(vm);
  const disks = new VmDisks(changeable.sources.storage, places);
  return {
    load,
    cycle: (detail) => {
      changeable.detail = detail;
      const target = begin();
      disks.collect(target, wanted, load);
      return target;
    },
  };
}

/** Reads per second of the VM, and of each of its disks. */
function reads({ row, tree: { disks } }: Target): unknown[] {
  const each = Object.entries(byDevice(disks)).map(([device, values]) => [device, values['disk_reads']]);
  return [pick(row, 'disk_reads')[0], Object.fromEntries(each)];
}

test('a value is a mean between two answers and stands until the next one', () => {
  const { cycle } = scenario();
  const second = detailOf(15, { scsi0: { rdOps: 150 }, scsi1: { rdOps: 25 } });
  assert.deepEqual(reads(cycle(detailOf(10, { scsi0: { rdOps: 100 }, scsi1: {} }))), [
    undefined,
    { scsi0: undefined, scsi1: undefined },
  ]);
  assert.deepEqual(reads(cycle(second)), [15, { scsi0: 10, scsi1: 5 }]);
  assert.deepEqual(reads(cycle(second)), [15, { scsi0: 10, scsi1: 5 }]);
  assert.deepEqual(reads(cycle(detailOf(20, { scsi0: { rdOps: 150 }, scsi1: { rdOps: 25 } }))), [
    0,
    { scsi0: 0, scsi1: 0 },
  ]);
});

test('disks come, go and start anew; the sum is over those that are known', () => {
  const { cycle } = scenario();
  cycle(detailOf(10, { scsi0: { rdOps: 100 } }));
  assert.deepEqual(reads(cycle(detailOf(11, { scsi0: { rdOps: 110 }, scsi1: { rdOps: 7000 } }))), [
    10,
    { scsi0: 10, scsi1: undefined },
  ]);
  assert.deepEqual(reads(cycle(detailOf(12, { scsi0: { rdOps: 120 }, scsi1: { rdOps: 7005 } }))), [
    15,
    { scsi0: 10, scsi1: 5 },
  ]);
  assert.deepEqual(
    reads(cycle(detailOf(13, { scsi0: { rdOps: 0, wrOps: 9 }, scsi1: { rdOps: 7005 } }))),
    [0, { scsi0: undefined, scsi1: 0 }],
    'scsi0 was unplugged and plugged in again',
  );
  assert.deepEqual(reads(cycle(detailOf(14, { scsi1: { rdOps: 7006 } }))), [1, { scsi1: 1 }]);
  assert.deepEqual(reads(cycle(detailOf(15, { scsi1: { rdOps: 3 } }))), [undefined, { scsi1: undefined }]);
  const last = cycle(detailOf(16, { scsi1: { rdOps: 5 } }));
  assert.deepEqual(reads(last), [2, { scsi1: 2 }]);
  assert.equal(countersIn(last.row)['disk_reads'], 10 + 15 + 0 + 1 + 2, 'it never falls');
  assert.deepEqual(
    last.tree.disks.map((row) => countersIn(row)['disk_reads']),
    [5],
  );
});

test('a silent monitor leaves the configured sizes, and nothing from before the silence is used', () => {
  const { cycle } = scenario({
    disks: [
      { device: 'scsi0', capacity: 4 * GIB },
      { device: 'ide0', path: '/srv/a.img' },
    ],
  });
  cycle(detailOf(10, { scsi0: {} }));
  const {
    row,
    tree: { disks },
  } = cycle(undefined);
  assert.deepEqual(
    pick(row, 'disk_reads', 'disk_capacity'),
    [undefined, undefined],
    'ide0 has no known size',
  );
  assert.deepEqual(byDevice(disks), {
    scsi0: { disk_capacity: 4 * GIB },
    ide0: { disk_path: '/srv/a.img' },
  });
  assert.deepEqual(reads(cycle(detailOf(20, { scsi0: { rdOps: 50 } }))), [undefined, { scsi0: undefined }]);
  assert.deepEqual(reads(cycle(detailOf(30, { scsi0: { rdOps: 60 } }))), [1, { scsi0: 1 }]);
});

test('sizes: what QEMU told goes before the configuration, a sum needs every part', () => {
  const { cycle } = scenario({
    disks: [
      { device: 'scsi0', capacity: 4 * GIB },
      { device: 'scsi1', capacity: GIB },
    ],
  });
  const ids = ['disk_capacity', 'disk_allocation', 'disk_physical'];
  const {
    row,
    tree: { disks },
  } = cycle(
    detailOf(1, { scsi0: { capacity: 8 * GIB, allocation: 1, physical: 2 }, scsi1: { allocation: 10 } }),
  );
  assert.deepEqual(pick(row, ...ids), [9 * GIB, 11, undefined]);
  assert.deepEqual(byDevice(disks), {
    scsi0: { disk_capacity: 8 * GIB, disk_allocation: 1, disk_physical: 2 },
    scsi1: { disk_capacity: GIB, disk_allocation: 10 },
  });
  assert.deepEqual(pick(cycle(detailOf(2, {})).row, ...ids), [undefined, undefined, undefined]);
});

test('a disk that QEMU counts nothing of has no rates, and the VM no sums', () => {
  const { cycle } = scenario();
  const uncounted = Object.fromEntries(diskCounters.map((name) => [name, NaN]));
  const at = (time: number, rdOps: number): Detail =>
    detailOf(time, { scsi0: { rdOps }, sg: { ...uncounted, capacity: GIB } });
  cycle(at(10, 100));
  const {
    row,
    tree: { disks },
  } = cycle(at(12, 120));
  assert.deepEqual(pick(row, 'disk_reads', 'disk_lat_rd', 'disk_util'), [undefined, undefined, undefined]);
  assert.equal(countersIn(row)['disk_reads'], undefined);
  const { scsi0, sg } = byDevice(disks);
  assert.equal(scsi0?.['disk_reads'], 10);
  assert.deepEqual(sg, { disk_capacity: GIB });
  cycle(detailOf(14, { scsi0: { rdOps: 140 } }));
  const alone = cycle(detailOf(16, { scsi0: { rdOps: 160 } }));
  assert.equal(pick(alone.row, 'disk_reads')[0], 10);
  assert.equal(countersIn(alone.row)['disk_reads'], 60, 'what is known goes on');
});

test('load of the VM on the busiest disk of the host, by its share of the bytes', () => {
  const { cycle, load } = scenario();
  const util = (time: number, host: typeof load, bytes: number): unknown => {
    Object.assign(load, host);
    return pick(
      cycle(detailOf(time, { scsi0: { rdBytes: bytes / 2, wrBytes: bytes / 2 } })).row,
      'disk_util',
    )[0];
  };
  assert.equal(util(10, { busy: 100, bytes: 1000 * MIB }, 0), undefined);
  assert.equal(util(12, { busy: 101, bytes: 1016 * MIB }, 4 * MIB), 12.5, 'a quarter of 50 %');
  assert.equal(util(14, { busy: 102, bytes: 1017 * MIB }, 9 * MIB), 50, 'more than the host: from its cache');
  assert.equal(util(16, { busy: 104, bytes: 1018 * MIB }, 9 * MIB), 0);
  assert.equal(util(18, { busy: 106.5, bytes: 1020 * MIB }, 11 * MIB), 100);
});

test('only disks that lie on disks of the host have a part in their load', (t) => {
  const tree = new Tree(t);
  const mounts = [
    '22 1 0:21 / /proc rw - proc proc rw',
    '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
    '28 27 0:6 / /dev rw - devtmpfs devtmpfs rw',
    '29 28 0:23 / /dev/shm rw - tmpfs tmpfs rw',
    '30 27 0:60 / /mnt/pve/nas\\0401 rw shared:9 - nfs4 192.0.2.1:/export rw',
    '31 27 0:61 / /rpool/data rw - zfs rpool/data rw',
    '32 27 251:0 / /mnt/image rw - xfs /dev/rbd0 rw',
    '33 27 8:1 / /mnt/pve/over rw - ext4 /dev/sda1 rw',
    '34 27 0:70 / /mnt/pve/over rw - cifs //nas/share rw',
  ];
  tree.write('proc/1/mountinfo', `${mounts.join('\n')}\n`);
  /** Of a VM that did half of what the busiest disk did, all of it on a disk with this behind it. */
  const util = (path: string | undefined, places = new DiskPlaces(tree.paths)): unknown => {
    const { cycle, load } = scenario({}, places);
    const read = (time: number, bytes: number): Target =>
      cycle(detailOf(time, { scsi0: { rdBytes: bytes, ...(path !== undefined && { path }) } }));
    Object.assign(load, { busy: 0, bytes: 0 });
    read(10, 0);
    Object.assign(load, { busy: 2, bytes: 2 * MIB });
    return pick(read(12, MIB).row, 'disk_util')[0];
  };
  const here = ['/var/lib/vz/a.raw', '/rpool/data/a', '/dev/pve/vm-100-disk-0', '/dev/zvol/rpool/a', 'a.raw'];
  assert.deepEqual(
    here.map((path) => util(path)),
    here.map(() => 50),
  );
  const elsewhere = [
    ...['/mnt/pve/nas 1/a.qcow2', '/dev/shm/a.raw', '/mnt/image/a.raw', '/mnt/pve/over/a.raw'],
    ...['/dev/rbd0', '/dev/rbd-pve/0123/pool/vm-100-disk-0', '/dev/nbd3'],
  ];
  assert.deepEqual(
    elsewhere.map((path) => util(path)),
    elsewhere.map(() => undefined),
  );
  const places = new DiskPlaces(tree.paths);
  assert.equal(util(undefined, places), 50, 'nothing is known of any disk');
  places.onHost('/var/lib/vz/b.raw');
  assert.equal(util(undefined, places), undefined, 'what has no path where others have one is no file');
});

test('of a VM with a disk here and one elsewhere the one here counts', (t) => {
  const tree = new Tree(t);
  tree.write(
    'proc/1/mountinfo',
    '27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:60 / /nfs rw - nfs4 a:/b rw\n',
  );
  const { cycle, load } = scenario({}, new DiskPlaces(tree.paths));
  const answer = (time: number, bytes: number): Detail =>
    detailOf(time, {
      scsi0: { rdBytes: bytes, path: '/a.raw' },
      scsi1: { rdBytes: 9 * bytes, path: '/nfs/b.raw' },
    });
  Object.assign(load, { busy: 0, bytes: 0 });
  cycle(answer(10, 0));
  Object.assign(load, { busy: 2, bytes: 4 * MIB });
  assert.deepEqual(pick(cycle(answer(12, MIB)).row, 'disk_util', 'disk_read_mib'), [25, 5]);
});

test('without a known load of the host the estimate is omitted', () => {
  const { cycle } = scenario();
  cycle(detailOf(10, { scsi0: {} }));
  const { row } = cycle(detailOf(12, { scsi0: { rdBytes: MIB, rdOps: 2 } }));
  assert.deepEqual(pick(row, 'disk_util', 'disk_reads'), [undefined, 1]);
});

test('time the process waited for block devices, ticks of 10 ms', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  tree.process(100, ['kvm'], { blkio: 50 });
  const process = Process.open(tree.paths, 100)!;
  const { cycle } = scenario({ sources: sourcesOf(process) });
  const delay = (): unknown => pick(cycle(undefined).row, 'disk_blkio_delay')[0];
  assert.equal(delay(), undefined);
  at(2);
  tree.process(100, ['kvm'], { blkio: 80 });
  process.refresh();
  assert.equal(delay(), 150);
  process.close();
});
