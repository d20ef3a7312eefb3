import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ProxmoxInventory } from '../../src/guests/proxmox/proxmox.ts';
import { Paths } from '../../src/kernel/base/paths.ts';
import { Tree, stoppedClock } from '../collectors/support.ts';
import { logs } from '../delivery/helpers.ts';
import { PveTree } from '../lab/pve-tree.ts';
import { addPveVm } from './pve-vm.ts';
import { openUnder } from '../lab/descriptors.ts';

/** A Proxmox VE node of files: processes that appear, end and come back with the pid of another on demand. */
class PveNode {
  readonly tree: Tree;
  readonly pve: PveTree;
  readonly inventory: ProxmoxInventory;
  readonly at: (seconds: number) => void;
  readonly lines = logs();

  constructor(t: TestContext) {
    this.at = stoppedClock(t);
    this.tree = new Tree(t);
    const rundir = join(this.tree.root, 'run');
    mkdirSync(join(rundir, 'qemu-server'), { recursive: true });
    mkdirSync(join(this.tree.root, 'proc'));
    const roots = { ...this.tree.paths.roots, rundir, pvedir: join(this.tree.root, 'pve') };
    this.pve = new PveTree(roots.pvedir, hostname().split('.')[0] ?? '');
    const beat = { detailInterval: 10, frequency: 1 };
    this.inventory = new ProxmoxInventory(new Paths(roots), beat, this.lines.log);
    t.after(() => {
      this.inventory.close();
    });
  }

  start(vmid: number, pid: number, name = `vm${vmid}`): void {
    addPveVm(this.tree, vmid, pid, name);
  }

  names(): string[] {
    return this.inventory.guests().map(({ vmid, name }) => `${vmid} ${name}`);
  }
}

test('VMs run where pid file, command line and process agree, and come in the order of their vmids', (t) => {
  const node = new PveNode(t);
  assert.deepEqual(node.names(), []);
  node.start(1000, 10, 'late');
  node.start(200, 11, 'early');
  // The pid was taken by another program, another VM, or a zombie.
  node.start(300, 12);
  node.tree.write('proc/12/cmdline', 'sleep\0' + '60\0');
  node.start(400, 13);
  node.tree.write('run/qemu-server/400.pid', '11\n');
  node.start(500, 14);
  node.tree.write('proc/14/stat', '14 (kvm) Z 1 14 14 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4521 0 0\n');
  node.start(600, 15);
  node.tree.write('run/qemu-server/600.pid', 'no number\n');
  // A throw-away QEMU, and what is no pid file.
  node.tree.write('run/qemu-server/-1.pid', '11\n');
  node.tree.write('run/qemu-server/200.qmp', '');
  assert.deepEqual(node.names(), ['200 early', '1000 late']);
});

test('who a VM is, what it was given, and where its values come from', async (t) => {
  const node = new PveNode(t);
  node.start(100, 10, 'web');
  for (const tap of ['tap100i1', 'tap100i0', 'tap101i0'])
    node.tree.write(`sys/class/net/${tap}/mtu`, '1500\n');
  node.pve.write(100, 'name: web\nmemory: 128\ntags: a;b\nlock: backup\nscsi0: fast:vm-100-disk-0,size=1G\n');
  node.inventory.guests();
  await node.inventory.poll();
  const [guest] = node.inventory.guests();
  assert.ok(guest !== undefined);
  const { type, uuid, name, vmid, tags, lock, pid, vcpus, memory, disks, nics, sources } = guest;
  assert.deepEqual(
    { type, uuid, name, vmid, tags, lock, pid, vcpus, memory },
    {
      ...{ type: 'qemu', uuid: '526f6d42-dd79-4d81-8ff0-000000000100', name: 'web', vmid: '100' },
      ...{ tags: 'a;b', lock: 'backup', pid: 10, vcpus: 2, memory: 2 ** 27 },
    },
  );
  assert.deepEqual(disks, [{ device: 'scsi0', capacity: 2 ** 30, storage: 'fast' }]);
  assert.deepEqual(
    nics.map(({ device, end }) => [device, end]),
    [
      ['tap100i0', 'host'],
      ['tap100i1', 'host'],
    ],
  );
  const { cpu, memory: mem, storage, network, pressure } = sources;
  assert.deepEqual(
    [cpu.kind, mem.kind, storage.kind, network.kind],
    ['threads', 'process', 'process', 'host'],
  );
  assert.ok(cpu.kind === 'threads' && cpu.qemu.pid === 10 && cpu.cgroup === pressure);
  assert.match(pressure?.cpuPressure.text() ?? '', /^some avg10=1\.25/);
  assert.equal(node.inventory.guests()[0], guest, 'the object stays');
  node.at(3);
  node.pve.write(100, 'name: renamed\n');
  await node.inventory.poll();
  assert.deepEqual(node.names(), ['100 renamed']);
  assert.equal(node.inventory.guests()[0], guest);
});

test('a VM ends with its process or its pid file; one that is started again is another', (t) => {
  const node = new PveNode(t);
  node.start(100, 10);
  node.start(101, 11);
  const [first] = node.inventory.guests();
  const open = openUnder(node.tree.root).length;
  node.tree.write('proc/10/stat', '10 (kvm) Z 1 10 10 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4521 0 0\n');
  assert.deepEqual(node.names(), ['101 VM 101'], 'at once, whatever the clock says');
  assert.ok(openUnder(node.tree.root).length < open, 'its files are closed');
  node.tree.remove('proc/10');
  node.tree.remove('run/qemu-server/100.pid');
  node.start(100, 12);
  assert.deepEqual(node.names(), ['100 VM 100', '101 VM 101']);
  const [again] = node.inventory.guests();
  assert.notEqual(again, first);
  assert.notEqual(again?.key, first?.key);
  node.tree.remove('run/qemu-server/101.pid');
  assert.deepEqual(node.names(), ['100 VM 100'], 'the run directory changed');
});

test('the run directory is read when it changed, and every 2 s in any case', (t) => {
  const node = new PveNode(t);
  const directory = join(node.tree.root, 'run/qemu-server');
  utimesSync(directory, 1000, 1000);
  assert.deepEqual(node.names(), []);
  node.start(100, 10);
  // A clock that stands still within a change.
  utimesSync(directory, 1000, 1000);
  assert.deepEqual(node.names(), []);
  node.at(2);
  assert.deepEqual(node.names(), ['100 VM 100']);
});

test('a tap that comes or goes is seen within 2 s, and so is a VM whose pid file was written late', (t) => {
  const node = new PveNode(t);
  node.start(100, 10);
  const nics = (): string[] =>
    node.inventory.guests().flatMap((guest) => guest.nics.map(({ device }) => device));
  assert.deepEqual(nics(), []);
  node.at(2);
  assert.deepEqual(nics(), [], 'nothing has changed');
  node.tree.write('sys/class/net/tap100i0/mtu', '1500\n');
  node.at(4);
  assert.deepEqual(nics(), ['tap100i0']);
  node.tree.remove('sys/class/net/tap100i0');
  node.at(6);
  assert.deepEqual(nics(), []);
  node.start(101, 11);
  node.tree.write('run/qemu-server/101.pid', '');
  node.at(8);
  assert.deepEqual(node.names(), ['100 VM 100']);
  node.tree.write('run/qemu-server/101.pid', '11\n');
  node.at(10);
  assert.deepEqual(node.names(), ['100 VM 100', '101 VM 101'], 'the directory has the same names as before');
});

test('while /etc/pve is away the VMs run on with what is known; those without are named as they were started', async (t) => {
  const node = new PveNode(t);
  node.start(100, 10, 'started');
  assert.deepEqual(node.names(), ['100 started']);
  node.pve.write(100, 'name: configured\n');
  await node.inventory.poll();
  assert.deepEqual(node.names(), ['100 configured']);
  renameSync(node.pve.directory, `${node.pve.directory}.away`);
  node.start(101, 11, 'new');
  node.at(3);
  await node.inventory.poll();
  assert.deepEqual(node.names(), ['100 configured', '101 new']);
  assert.equal(node.lines.at('warn').filter((line) => line.includes('configuration')).length, 1);
  rmSync(`${node.pve.directory}.away`, { recursive: true });
});

test('a monitor that is not there is told by the VM and counted', async (t) => {
  const node = new PveNode(t);
  node.start(100, 10);
  node.inventory.guests();
  node.at(5);
  await node.inventory.poll(true);
  const [guest] = node.inventory.guests();
  assert.deepEqual([guest?.silence, guest?.detail], [{ reason: 'error', since: 5 }, undefined]);
  assert.equal(node.inventory.failures, 1);
  assert.equal(guest?.vcpus, 2, 'what /proc tells stays');
});
