import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { CgroupEvents, parseCgroupEvents } from '../../src/kernel/sys/cgroup/cgroup-events.ts';
import { CgroupIoStat, parseCgroupIoStat } from '../../src/kernel/sys/cgroup/cgroup-io-stat.ts';
import { parseCgroupLimit, parseCpuMax } from '../../src/kernel/sys/cgroup/cgroup-limit.ts';
import {
  CgroupMemoryEvents,
  CgroupMemoryStat,
  parseCgroupMemoryEvents,
  parseCgroupMemoryStat,
} from '../../src/kernel/sys/cgroup/cgroup-memory.ts';
import { ZfsObjset, parseZfsObjset } from '../../src/kernel/sys/zfs/zfs-objset.ts';
import { assertSafeCuts, cursorOf, valuesOf } from './support.ts';

/** Read on Debian 13 (kernel 6.12) in lxc/901 of LXC 6, shortened. */
const EVENTS = 'populated 1\nfrozen 0\n';
const MEMORY_STAT =
  'anon 106496\nfile 1658880\nkernel 245760\nkernel_stack 16384\nfile_mapped 1032192\nfile_dirty 0\ninactive_file 1581056\npgmajfault 22\n';
const MEMORY_EVENTS = 'low 0\nhigh 8\nmax 72\noom 2\noom_kill 1\noom_group_kill 0\n';
const IO_STAT =
  '254:16 rbytes=6553600 wbytes=6553601 rios=100 wios=101 dbytes=0 dios=0\n253:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n';

/** Devices with their counters, by name. */
function ioOf(content: string): Record<string, number[]> {
  return devicesOf(parseIo(cursorOf(content)));
}

function parseIo(cursor: Cursor): CgroupIoStat {
  const record = new CgroupIoStat();
  parseCgroupIoStat(cursor, record, 'io.stat');
  return record;
}

function devicesOf({ devices }: CgroupIoStat): Record<string, number[]> {
  return Object.fromEntries(devices.map(({ name, counters }) => [name, valuesOf(counters)]));
}

test('limits are numbers, or there is none', () => {
  assert.equal(parseCgroupLimit(cursorOf('134217728\n'), 'memory.max'), 134_217_728);
  assert.equal(parseCgroupLimit(cursorOf('max\n'), 'memory.max'), Infinity);
  for (const content of ['', 'max', '5', 'maximum\n', '-1\n', 'many\n', '5 6\n'])
    assert.throws(() => parseCgroupLimit(cursorOf(content), 'memory.max'), KernelFormatError, content);
});

test('cpu.max is a share of CPUs', () => {
  assert.equal(parseCpuMax(cursorOf('20000 100000\n'), 'cpu.max'), 0.2);
  assert.equal(parseCpuMax(cursorOf('max 100000\n'), 'cpu.max'), Infinity);
  for (const content of ['', 'max\n', '20000\n', '20000 0\n', '20000 100000', '2 100000 3\n'])
    assert.throws(() => parseCpuMax(cursorOf(content), 'cpu.max'), KernelFormatError, content);
});

test('cgroup.events tells whether anything lives there, and whether it is frozen', () => {
  const parse = (cursor: Cursor): [populated: boolean, frozen: boolean] => {
    const record = new CgroupEvents();
    parseCgroupEvents(cursor, record, 'cgroup.events');
    return [record.populated, record.frozen];
  };
  assert.deepEqual(parse(cursorOf(EVENTS)), [true, false]);
  assert.deepEqual(parse(cursorOf('populated 0\nfrozen 1\n')), [false, true]);
  assert.deepEqual(parse(cursorOf('populated 1\n')), [true, false]);
  for (const content of ['', 'frozen 0\n', 'populated 1', 'populated\n'])
    assert.throws(() => parse(cursorOf(content)), KernelFormatError, content);
});

test('memory.stat and memory.events are read by name', () => {
  const stat = (cursor: Cursor): CgroupMemoryStat => {
    const record = new CgroupMemoryStat();
    parseCgroupMemoryStat(cursor, record, 'memory.stat');
    return record;
  };
  assert.deepEqual(valuesOf(stat(cursorOf(MEMORY_STAT)).counters), [1_658_880, 22]);
  assertSafeCuts(MEMORY_STAT, stat);
  const events = new CgroupMemoryEvents();
  parseCgroupMemoryEvents(cursorOf(MEMORY_EVENTS), events, 'memory.events');
  assert.deepEqual(valuesOf(events.counters), [1]);
});

test('io.stat has a line for each device, in any order', () => {
  assert.deepEqual(ioOf(IO_STAT), {
    '254:16': [6_553_600, 6_553_601, 100, 101],
    '253:0': [1, 2, 3, 4],
  });
  assert.deepEqual(ioOf(''), {}, 'no I/O yet');
  assertSafeCuts(IO_STAT, (cursor) => devicesOf(parseIo(cursor)));
});

test('io.stat: a device without counts, and keys that are added', () => {
  assert.deepEqual(ioOf('8:0\n8:16 \n8:32 rios=3 depth=7 rbytes=9 cost.usage=1\n'), {
    '8:32': [9, NaN, 3, NaN],
  });
  assert.deepEqual(ioOf('8:0 8:16 8:32 rbytes=9 wbytes=1 rios=1 wios=1\n8:48 '), { '8:32': [9, 1, 1, 1] });
  assert.throws(() => ioOf('sda rbytes=1\n'), KernelFormatError);
});

test('io.stat: a device keeps its object as long as it is listed', () => {
  const record = new CgroupIoStat();
  parseCgroupIoStat(cursorOf('8:0 rbytes=1\n8:16 rbytes=2\n'), record, 'io.stat');
  const [, second] = record.devices;
  parseCgroupIoStat(cursorOf('8:16 rbytes=3\n'), record, 'io.stat');
  assert.deepEqual(record.devices, [second]);
  assert.equal(second?.counters.value(0), 3);
});

test('the counts of a ZFS file system', () => {
  const head = '58 1 0x01 7 2160 5216443012 1232163287\nname                            type data\n';
  const rest =
    'dataset_name                    7    rpool/data/subvol-101-disk-0\nwrites                          4    812\nnwritten                        4    6651904\nreads                           4    31\nnread                           4    126976\nnunlinks                        4    0\n';
  const parse = (cursor: Cursor): ZfsObjset => {
    const record = new ZfsObjset();
    parseZfsObjset(cursor, record, 'objset-0x36');
    return record;
  };
  const { dataset, counters } = parse(cursorOf(head + rest));
  assert.equal(dataset, 'rpool/data/subvol-101-disk-0');
  assert.deepEqual(valuesOf(counters), [126_976, 6_651_904, 31, 812]);
  assertSafeCuts(head + rest, parse);
  assert.throws(() => parse(cursorOf(head)), KernelFormatError);
});
