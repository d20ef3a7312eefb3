import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { parseTaskRun } from '../../src/kernel/pid/proc-pid-task-stat.ts';
import { MemInfo } from '../../src/kernel/proc/proc-meminfo.ts';
import { parseHugetlbNumaStat, parseMemoryNumaStat } from '../../src/kernel/sys/cgroup/cgroup-numa-stat.ts';
import { parseNodeMemInfo } from '../../src/kernel/sys/node-meminfo.ts';
import { readNumaNodes } from '../../src/kernel/sys/numa-nodes.ts';
import { Tree } from '../collectors/support.ts';
import { cursorOf } from './support.ts';

/** The lines of a host with one node (kernel 6.12), shortened, with a second and a ninth node added. */
const MEMORY =
  'anon N0=106496 N1=4096 N8=0\nfile N0=1658880 N1=0 N8=0\nkernel_stack N0=16384 N1=0 N8=0\n' +
  'shmem N0=0 N1=0 N8=8192\nfile_mapped N0=1032192 N1=0 N8=0\nanon_thp N0=0 N1=0 N8=0\n';

function bytes(parse: typeof parseMemoryNumaStat, content: string): number[] {
  const into: number[] = [];
  parse(cursorOf(content), into, 'numa_stat');
  return Array.from(into, (value: number | undefined) => value ?? 0);
}

test('memory of its own on each node; page cache, and huge pages that are part of it, do not count', () => {
  assert.deepEqual(bytes(parseMemoryNumaStat, MEMORY), [106496, 4096, 0, 0, 0, 0, 0, 0, 8192]);
  assert.deepEqual(bytes(parseMemoryNumaStat, 'anon N0=5\n'), [5]);
});

test('huge pages: the sum over all nodes is not one of them', () => {
  assert.deepEqual(bytes(parseHugetlbNumaStat, 'total=6291456 N0=4194304 N1=2097152\n'), [4194304, 2097152]);
});

test('any other file is refused, and makes no large list', () => {
  const broken = [
    '',
    'anon N0=5',
    'file N0=5\n',
    'anon N0\n',
    'anon N0=\n',
    'anon N=5\n',
    'anon N999999999=5\n',
    '5\n',
  ];
  for (const content of broken) {
    const into: number[] = [];
    const parse = (cursor: Cursor): void => {
      parseMemoryNumaStat(cursor, into, 'memory.numa_stat');
    };
    assert.throws(
      () => {
        parse(cursorOf(content));
      },
      KernelFormatError,
      content,
    );
    assert.ok(into.length <= 1, content);
  }
});

test('a thread: where it ran last, and how long; its name may be anything', () => {
  const line = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8');
  const run = parseTaskRun(line);
  const columns = line.trim().split(' ');
  // Node's own name has no blank.
  assert.deepEqual(run, { cpu: Number(columns[38]), ticks: Number(columns[13]) + Number(columns[14]) });
  assert.deepEqual(parseTaskRun(line.replace(/\(.*\)/, '(CPU 0) 9 9 (x)')), run);
  for (const text of ['', '5', '5 (kvm', '5 (kvm) S 1', 'x'.repeat(99)])
    assert.equal(parseTaskRun(text), undefined);
});

test('the nodes of this host', () => {
  const nodes = readNumaNodes(new Paths(defaultRoots));
  let listed: string[] = [];
  try {
    listed = readdirSync('/sys/devices/system/node').filter((name) => /^node\d/.test(name));
  } catch {
    // A kernel without NUMA.
  }
  assert.equal(nodes?.cpus.size, listed.length);
  if (listed.length === 1) assert.ok(nodes.ofCpu.size >= availableParallelism());
});

const LINES = ['MemTotal', 'MemFree', 'Active(file)', 'HugePages_Total', 'MemAvailable'] as const;

test('memory of a node, from this host; what it does not tell is not known', (t) => {
  let content = '';
  try {
    content = readFileSync('/sys/devices/system/node/node0/meminfo', 'utf8');
  } catch {
    t.skip('a kernel without NUMA');
    return;
  }
  const info = new MemInfo(LINES);
  // The cursor learns the order of the lines in the first round.
  for (let round = 0; round < 2; round++) parseNodeMemInfo(cursorOf(content), info, 'meminfo');
  const told = (name: string): number => Number(new RegExp(`Node 0 ${name}: +(\\d+)`).exec(content)?.[1]);
  const kib = ['MemTotal', 'MemFree', 'Active\\(file\\)'].map(told);
  assert.deepEqual([...info.values], [...kib.map((each) => each * 1024), told('HugePages_Total'), NaN]);
});

test('what is no meminfo of a node is refused', () => {
  for (const content of ['MemTotal: 5 kB\n', 'Node x MemTotal: 5 kB\n', 'Node 0 MemTotal: 5 kB', 'Node\n']) {
    assert.throws(() => {
      parseNodeMemInfo(cursorOf(content), new MemInfo(LINES), 'meminfo');
    }, KernelFormatError);
  }
});

test('nodes with CPUs, without, and no NUMA at all', (t) => {
  const tree = new Tree(t);
  assert.deepEqual(readNumaNodes(tree.paths), { cpus: new Map(), ofCpu: new Map() });
  tree.write('sys/devices/system/node/node0/cpulist', '0-1,4\n');
  tree.write('sys/devices/system/node/node2/cpulist', '2-3\n');
  tree.write('sys/devices/system/node/node3/cpulist', '\n');
  tree.write('sys/devices/system/node/possible', '0-3\n');
  const of = [
    [0, 0],
    [1, 0],
    [4, 0],
    [2, 2],
    [3, 2],
  ] as const;
  assert.deepEqual(readNumaNodes(tree.paths), {
    cpus: new Map([
      [0, '0-1,4'],
      [2, '2-3'],
      [3, ''],
    ]),
    ofCpu: new Map(of),
  });
});
