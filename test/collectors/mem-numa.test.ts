import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { MemCollector } from '../../src/collectors/mem/mem.ts';
import { locality } from '../../src/collectors/mem/mem-numa.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import { TestHost, Tree, pick, sourcesOf, stoppedClock, testTarget } from './support.ts';

// The trees are made up after Documentation/admin-guide/cgroup-v2.rst: no machine of ours has more than one node.

const PID = 4242;
const GIB = 2 ** 30;

/** A host of two nodes with two CPUs each, and a VM with two vCPUs. */
function setUp(t: TestContext, nodes: readonly string[] = ['0-1', '2-3'], spread = false, devices = false) {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  nodes.forEach((cpus, node) => {
    tree.write(`sys/devices/system/node/node${node}/cpulist`, `${cpus}\n`);
  });
  tree.process(PID, ['kvm', 'CPU 0/KVM', 'CPU 1/KVM']);
  const file = (name: string): string => `sys/fs/cgroup/vm/${name}`;
  const qemu = Process.open(tree.paths, PID);
  assert.ok(qemu !== undefined);
  const cgroup = new Cgroup(tree.paths, '/vm');
  for (const thread of qemu.threads) thread.vcpu = thread.tid === PID ? undefined : thread.tid - PID - 1;
  const collector = new MemCollector(tree.paths, { verbose: false, devices });
  t.after(() => {
    collector.close();
    qemu.close();
    cgroup.close();
  });
  const { begin } = testTarget({ sources: sourcesOf(qemu, cgroup, false, spread) });
  return {
    tree,
    /** @param gib on each node */
    memory: (...gib: readonly number[]) => {
      const line = gib.map((each, node) => `N${node}=${each * GIB}`).join(' ');
      tree.write(file('memory.numa_stat'), `anon ${line}\nfile N0=99999999 N1=0\nshmem N0=0 N1=0\n`);
    },
    huge: (line: string) => {
      tree.write(`proc/${PID}/status`, `Name:\tkvm\nHugetlbPages:\t${4 * 2 ** 20} kB\n`);
      tree.write(file('hugetlb.1GB.numa_stat'), `${line}\n`);
    },
    vcpu: (number: number, cpu: number, ticks: number, allowed = '0-3') => {
      const tid = PID + 1 + number;
      const columns = Array.from({ length: 50 }, () => '0');
      columns[36] = String(cpu);
      columns[11] = String(ticks);
      columns[0] = 'S';
      tree.write(`proc/${PID}/task/${tid}/stat`, `${tid} (CPU ${number}/KVM) ${columns.join(' ')}\n`);
      tree.write(`proc/${PID}/task/${tid}/status`, `Name:\tx\nCpus_allowed_list:\t${allowed}\n`);
    },
    /** A node, as /sys has it since Linux 2.6. @param mib total, free, and what is cached of files and slabs */
    node: (number: number, [total, free, files, slabs]: readonly [number, number, number, number]) => {
      const line = (name: string, mib: number): string =>
        `Node ${number} ${`${name}:`.padEnd(15)} ${mib * 1024} kB\n`;
      tree.write(
        `sys/devices/system/node/node${number}/meminfo`,
        line('MemTotal', total) +
          line('MemFree', free) +
          line('Active(anon)', 7) +
          line('Active(file)', files) +
          line('Inactive(file)', files) +
          line('SReclaimable', slabs) +
          `Node ${number} HugePages_Total:     3\n`,
      );
    },
    nodes: (time: number): unknown => {
      at(time);
      const host = new TestHost();
      collector.collect(host, []);
      return host.devices.numa.rows.map((row) => [
        row.texts[0],
        ...pick(row, 'numa_total', 'numa_free', 'numa_available').map((bytes) => Number(bytes) / 2 ** 20),
        pick(row, 'numa_cpus')[0],
      ]);
    },
    local: (time: number): unknown => {
      at(time);
      const target = begin();
      collector.collect(new TestHost(), [target]);
      return pick(target.row, 'ram_numa_local')[0];
    },
  };
}

test('by where the vCPUs ran since the last look, once a minute', (t) => {
  const { memory, vcpu, local } = setUp(t);
  memory(3, 1);
  vcpu(0, 0, 300);
  vcpu(1, 2, 100);
  // 3/4 of the memory where 3/4 of the time was spent, 1/4 where 1/4 was.
  assert.equal(local(100), 62.5);
  memory(0, 4);
  vcpu(0, 3, 400);
  assert.equal(local(100.001), 62.5);
  // Only the first vCPU ran, on node 1.
  assert.equal(local(161), 100);
  vcpu(0, 0, 500);
  assert.equal(local(222), 0);
});

test('vCPUs that did not run at all count by where they were last', (t) => {
  const { memory, vcpu, local } = setUp(t);
  memory(1, 3);
  vcpu(0, 0, 0);
  vcpu(1, 3, 0);
  assert.equal(local(100), 50);
});

test('vCPUs that are pinned are near to all memory of the nodes that they are pinned to', (t) => {
  const { memory, vcpu, local } = setUp(t, ['0-1', '2-3', '4-5']);
  memory(1, 2, 1);
  vcpu(0, 0, 100, '0-3');
  vcpu(1, 2, 100, '0-3');
  assert.equal(local(100), 75);
});

test('huge pages count, and where they are not told nothing is known', (t) => {
  const { memory, huge, vcpu, local } = setUp(t);
  memory(0, 0.5);
  vcpu(0, 0, 100);
  vcpu(1, 0, 100);
  huge(`total=${2 * GIB} N0=${1.5 * GIB} N1=0`);
  assert.equal(local(100), 75);
  const other = setUp(t);
  other.memory(0, 1);
  other.vcpu(0, 0, 100);
  other.huge('garbage');
  assert.equal(other.local(100), undefined);
});

test('where QEMU was told to spread the memory, nothing is known', (t) => {
  const { memory, vcpu, local } = setUp(t, ['0-1', '2-3'], true);
  memory(3, 1);
  vcpu(0, 0, 300);
  assert.equal(local(100), undefined);
});

test('the memory of each node, every 5 s', (t) => {
  const { tree, node, nodes } = setUp(t, ['0-1', '2-3', ''], false, true);
  node(0, [1000, 100, 50, 10]);
  node(1, [2000, 300, 0, 0]);
  node(2, [4000, 4000, 0, 0]);
  const first = [
    ['0', 1000, 100, 210, '0-1'],
    ['1', 2000, 300, 300, '2-3'],
    ['2', 4000, 4000, 4000, undefined],
  ];
  assert.deepEqual(nodes(100), first);
  node(0, [1000, 200, 50, 10]);
  assert.deepEqual(nodes(100.001), first);
  tree.write('sys/devices/system/node/node1/meminfo', 'garbage\n');
  const [, , third] = first;
  assert.deepEqual(nodes(106), [['0', 1000, 200, 310, '0-1'], ['1', NaN, NaN, NaN, '2-3'], third]);
});

test('no rows of nodes without devices, and on a host with one', (t) => {
  const single = setUp(t, ['0-3'], false, true);
  single.node(0, [1000, 100, 50, 10]);
  assert.deepEqual(single.nodes(100), []);
  const without = setUp(t);
  without.node(0, [1000, 100, 50, 10]);
  assert.deepEqual(without.nodes(100), []);
});

test('on a host with one node, and without the controller, nothing is known', (t) => {
  const single = setUp(t, ['0-3']);
  single.memory(1);
  single.vcpu(0, 0, 100);
  assert.equal(single.local(100), undefined);
  const without = setUp(t);
  without.vcpu(0, 0, 100);
  assert.equal(without.local(100), undefined);
});

test('where no vCPU is known to be, or there is no memory, nothing is known', () => {
  assert.ok(Number.isNaN(locality([1, 1], new Map(), undefined)));
  assert.ok(Number.isNaN(locality([0, 0], new Map([[0, 1]]), undefined)));
  assert.ok(Number.isNaN(locality([], new Map([[0, 1]]), new Set([0]))));
  // Memory on a node without CPUs is far from all.
  assert.equal(locality([1, 0, 1], new Map([[0, 7]]), undefined), 50);
});
