import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ContainerInventory } from '../../src/guests/containers/containers.ts';
import type { Guest } from '../../src/guests/guest.ts';
import { stoppedClock } from '../collectors/support.ts';
import { logs } from '../delivery/helpers.ts';
import { hangingMount, threadsInStatfs } from '../lab/hanging-mount.ts';
import { until } from '../lab/processes.ts';
import { ContainerTree, stat } from './container-tree.ts';
import { hangingFile } from './support.ts';
import { openUnder } from '../lab/descriptors.ts';

function inventory(t: TestContext, tree: ContainerTree): ContainerInventory {
  const made = new ContainerInventory(tree.host, logs().log);
  t.after(() => {
    made.close();
  });
  return made;
}

const names = (guests: readonly Guest[]): string[] => guests.map(({ name }) => name);

test('containers of Proxmox VE, LXC and systemd-nspawn, and nothing that looks like one', (t) => {
  const tree = new ContainerTree(t);
  stoppedClock(t)(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  tree.run('/lxc/1001', '/lxc.monitor/1001', 402);
  tree.run('/lxc.payload.web', '/lxc.monitor.web', 502);
  const unit = '/machine.slice/machine-my\\x2dbox.scope';
  tree.run(unit, `${unit}/supervisor`, 602);
  tree.write(`sys/fs/cgroup${unit}/payload/cgroup.procs`, '602\n');
  // What is none: a stopped one, a VM of libvirt, a machine of something else, the cgroup of the monitors, a file.
  tree.write('sys/fs/cgroup/lxc/903/cgroup.events', 'populated 0\nfrozen 0\n');
  tree.write('sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/payload/cgroup.procs', '');
  tree.write('sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/cgroup.events', 'populated 1\n');
  tree.write('sys/fs/cgroup/machine.slice/libpod-0123.scope/cgroup.events', 'populated 1\n');
  tree.write('sys/fs/cgroup/lxc/abc/cgroup.events', 'populated 1\n');
  tree.write('sys/fs/cgroup/lxc/cgroup.events', 'populated 1\n');
  const guests = inventory(t, tree).guests();
  assert.deepEqual(
    guests.map(({ type, name, uuid, vmid, pid, key, state }) => ({
      type,
      name,
      uuid,
      vmid,
      pid,
      key,
      state,
    })),
    [
      { type: 'lxc', name: 'CT902', uuid: 'proxmox-902', vmid: '902', pid: 302 },
      { type: 'lxc', name: 'CT1001', uuid: 'proxmox-1001', vmid: '1001', pid: 402 },
      { type: 'nspawn', name: 'my-box', uuid: 'nspawn-my-box', vmid: undefined, pid: 602 },
      { type: 'lxc', name: 'web', uuid: 'lxc-web', vmid: undefined, pid: 502 },
    ].map((each) => ({ ...each, key: `${each.pid}:50000`, state: 'running' })),
  );
  // Booted 1000 s ago, started 500 s after that.
  assert.equal(guests[0]?.since, 100 - 500);
});

test('the first process is in the cgroup of the container and first in a namespace of its own', (t) => {
  const tree = new ContainerTree(t);
  const setTime = stoppedClock(t);
  setTime(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  tree.run('/lxc/903', '/lxc.monitor/903', 402);
  tree.write('proc/302/cgroup', '0::/lxc/9021/ns\n');
  tree.write('proc/402/status', 'Name:\tsh\nNSpid:\t402\t7\n');
  const containers = inventory(t, tree);
  assert.deepEqual(names(containers.guests()), [], 'they may have just started');
  setTime(106);
  const guests = containers.guests();
  assert.deepEqual(names(guests), ['CT902', 'CT903'], 'taken without, as nothing better comes');
  assert.deepEqual(
    guests.map(({ pid, since }) => [pid, since]),
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  );
  assert.match(guests[0]?.key ?? '', /^\/lxc\/902:\d+$/);
});

test('one that is frozen, stops, and is started again', (t) => {
  const tree = new ContainerTree(t);
  const setTime = stoppedClock(t);
  setTime(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  const containers = inventory(t, tree);
  const [first] = containers.guests();
  assert.equal(first?.state, 'running');
  tree.write('sys/fs/cgroup/lxc/902/cgroup.events', 'populated 1\nfrozen 1\n');
  assert.equal(containers.guests()[0], first);
  assert.equal(first.state, 'frozen');
  // Restarted within one cycle: another first process in cgroups of the same name.
  tree.run('/lxc/902', '/lxc.monitor/902', 352, 99_000);
  tree.write('proc/302/stat', stat(302, 50_000, 'Z'));
  const [second] = containers.guests();
  assert.equal(second?.key, '352:99000');
  assert.notEqual(second, first);
  tree.stop('/lxc/902', 352);
  assert.deepEqual(containers.guests(), []);
});

test('a container whose cgroup stays behind populated without a first process has ended', (t) => {
  const tree = new ContainerTree(t);
  stoppedClock(t)(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  const containers = inventory(t, tree);
  assert.equal(containers.guests().length, 1);
  tree.write('proc/302/stat', stat(302, 50_000, 'Z'));
  assert.deepEqual(containers.guests(), []);
});

test('NICs: of Proxmox VE the ends on the host, of others those that it was given', (t) => {
  const tree = new ContainerTree(t);
  stoppedClock(t)(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  tree.run('/lxc.payload.web', '/lxc.monitor.web', 502);
  for (const device of ['veth902i1', 'veth902i0', 'veth902i2p', 'veth9021i0', 'tap902i0', 'vethAbCdEf'])
    tree.write(`sys/class/net/${device}/mtu`, '1500\n');
  const [proxmox, lxc] = inventory(t, tree).guests();
  assert.deepEqual(
    proxmox?.nics.map(({ device, end }) => [device, end]),
    [
      ['veth902i0', 'host'],
      ['veth902i1', 'host'],
    ],
  );
  assert.equal(proxmox.sources.network.kind, 'host');
  assert.deepEqual(lxc?.nics, [{ device: 'eth0', end: 'guest' }], 'not lo, docker0 and veth1a2b');
  assert.equal(lxc.sources.network.kind, 'namespace');
});

test('a container in the network of the host has no NICs of its own', (t) => {
  const tree = new ContainerTree(t);
  stoppedClock(t)(100);
  tree.run('/lxc.payload.web', '/lxc.monitor.web', 502);
  tree.remove('proc/502/net/dev');
  const [lxc] = inventory(t, tree).guests();
  assert.deepEqual([lxc?.sources.network.kind, lxc?.nics], ['host', []]);
});

test('configuration: name, tags, lock and volumes, as they change', async (t) => {
  const tree = new ContainerTree(t);
  const setTime = stoppedClock(t);
  setTime(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  const conf = `pve/nodes/${hostname().split('.')[0] ?? ''}/lxc/902.conf`;
  tree.write(conf, 'hostname: web\ntags: prod\nlock: backup\nrootfs: local-lvm:vm-902-disk-0,size=8G\n');
  const containers = inventory(t, tree);
  const [container] = containers.guests();
  assert.equal(container?.name, 'CT902', 'not read yet');
  await containers.poll();
  assert.deepEqual([container.name, container.tags, container.lock], ['web', 'prod', 'backup']);
  assert.deepEqual(container.disks, [
    { device: 'rootfs', mountPoint: '/', capacity: 8 * 2 ** 30, storage: 'local-lvm' },
  ]);
  const { storage } = container.sources;
  assert.ok(storage.kind === 'cgroup');
  assert.deepEqual(storage.mounted, [{ volume: 'rootfs', device: '253:3', counted: true }]);
});

test('the limits of NICs are those of the configuration, as it changes', async (t) => {
  const tree = new ContainerTree(t);
  const setTime = stoppedClock(t);
  setTime(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  for (const device of ['veth902i0', 'veth902i1']) tree.write(`sys/class/net/${device}/mtu`, '1500\n');
  const conf = `pve/nodes/${hostname().split('.')[0] ?? ''}/lxc/902.conf`;
  tree.write(conf, 'net0: name=eth0,bridge=vmbr0\nnet1: name=eth1,bridge=vmbr0,rate=5\n');
  const containers = inventory(t, tree);
  const [container] = containers.guests();
  const limits = (): unknown[] => (container?.nics ?? []).map(({ device, limit }) => [device, limit]);
  await containers.poll();
  const MIB = 2 ** 20;
  const both = (bytes: number): unknown => ({ received: bytes, sent: bytes });
  assert.deepEqual(limits(), [
    ['veth902i0', undefined],
    ['veth902i1', both(5 * MIB)],
  ]);
  tree.write(conf, 'net0: name=eth0,bridge=vmbr0,rate=0.5\nnet1: name=eth1,bridge=vmbr0\n');
  tree.write('pve/.version', '{"starttime": 1, "vmlist": 2}');
  setTime(105);
  await containers.poll();
  assert.deepEqual(limits(), [
    ['veth902i0', both(MIB / 2)],
    ['veth902i1', undefined],
  ]);
});

test('how full the root is: only of one that is a file system of its own', async (t) => {
  const tree = new ContainerTree(t);
  const setTime = stoppedClock(t);
  setTime(100);
  const mounts = {
    902: '1 1 253:3 / / rw - ext4 /dev/mapper/pve-vm rw\n',
    903: '1 1 8:1 /var/lib/lxc/903/rootfs / rw - ext4 /dev/sda1 rw\n',
    904: '1 1 0:70 / / rw - fuse.evil /evil rw\n',
    905: '1 1 253:3 / / rw - ext4 /dev/mapper/pve-vm rw\n2 1 0:71 / / rw - fuse.evil /evil rw\n',
  };
  for (const [vmid, mountinfo] of Object.entries(mounts)) {
    const pid = Number(vmid) * 10;
    tree.run(`/lxc/${vmid}`, `/lxc.monitor/${vmid}`, pid);
    tree.write(`proc/${pid}/mountinfo`, mountinfo);
    tree.write(`proc/${pid}/root/etc/hostname`, 'a\n');
  }
  const containers = inventory(t, tree);
  const guests = containers.guests();
  await containers.poll();
  const roots = guests.map(({ sources: { storage } }) => storage.kind === 'cgroup' && storage.root);
  const [own, ...others] = roots;
  assert.ok(own !== undefined && own !== false && own.size > 0 && own.used > 0 && own.available <= own.size);
  assert.deepEqual(others, [undefined, undefined, undefined]);
  assert.equal(containers.failures, 0);
});

test('500 that start and stop in a loop leave no descriptor', (t) => {
  const tree = new ContainerTree(t);
  const setTime = stoppedClock(t);
  setTime(100);
  const containers = inventory(t, tree);
  containers.guests();
  const before = openUnder(tree.root);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 500; i++) tree.run(`/lxc/${1000 + i}`, `/lxc.monitor/${1000 + i}`, 10_000 + 2 * i);
    setTime(103 + round * 10);
    assert.equal(containers.guests().length, 500);
    for (let i = 0; i < 500; i++) tree.stop(`/lxc/${1000 + i}`, 10_000 + 2 * i);
    assert.equal(containers.guests().length, 0);
    assert.deepEqual(openUnder(tree.root), before);
  }
});

test('a configuration that hangs delays no container', async (t) => {
  const tree = new ContainerTree(t);
  const setTime = stoppedClock(t);
  setTime(100);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  const conf = `pve/nodes/${hostname().split('.')[0] ?? ''}/lxc`;
  tree.write(`${conf}/902.conf`, 'hostname: web\n');
  const containers = inventory(t, tree);
  const [container] = containers.guests();
  // What is known stays, and the next look is refused at once.
  await containers.poll();
  assert.equal(container?.name, 'web');
  const { answer } = hangingFile(t, join(tree.root, conf, '903.conf'));
  tree.write('pve/.version', '{"starttime": 1, "vmlist": 2}');
  setTime(105);
  const looking = containers.poll();
  assert.deepEqual(names(containers.guests()), ['web']);
  answer();
  await looking;
});

test(
  'a root file system that hangs costs one thread, and nobody but the roots waits',
  { skip: process.getuid?.() !== 0 && 'needs root' },
  async (t) => {
    const tree = new ContainerTree(t);
    const setTime = stoppedClock(t);
    setTime(100);
    for (const vmid of [902, 903]) {
      tree.run(`/lxc/${vmid}`, `/lxc.monitor/${vmid}`, 10 * vmid);
      tree.write(`proc/${10 * vmid}/root/etc/hostname`, 'a\n');
    }
    const mount = await hangingMount(join(tree.root, 'proc/9020/root'));
    const containers = inventory(t, tree);
    const guests = containers.guests();
    const sizes = (): unknown[] =>
      guests.map(({ sources: { storage } }) => storage.kind === 'cgroup' && storage.root?.size);
    try {
      for (let round = 0; round < 5; round++) {
        setTime(200 + 100 * round);
        const poll = containers.poll();
        await until('a thread hangs', () => threadsInStatfs(process.pid) === 1);
        assert.deepEqual(names(containers.guests()), ['CT902', 'CT903']);
        await poll;
        assert.equal(threadsInStatfs(process.pid), 1);
        assert.deepEqual(sizes(), [undefined, undefined]);
      }
      assert.equal(containers.failures, 10);
    } finally {
      await mount.end();
    }
    await until('the thread is free', () => threadsInStatfs(process.pid) === 0);
    // Its answer comes to the program a moment later; until then it is not asked again.
    const areKnown = (): boolean => sizes().every((size) => Number(size) > 0);
    for (let time = 1000; !areKnown() && time < 1e6; time += 100) {
      setTime(time);
      await containers.poll();
      await turn();
    }
    assert.ok(areKnown());
  },
);
