import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LibvirtInventory } from '../../src/guests/libvirt/libvirt.ts';
import { netDevCounters } from '../../src/kernel/proc/proc-net-dev.ts';
import { Tree } from '../collectors/support.ts';
import { logs } from '../delivery/helpers.ts';
import { until } from '../lab/processes.ts';
import { FakeLibvirtd, fakeDomain } from '../libvirt/daemon.ts';
import { noDirectories } from '../libvirt/peer.ts';

const beat = { detailInterval: 10, frequency: 1 };

async function setUp(t: TestContext, local: boolean) {
  const daemon = await FakeLibvirtd.start(t);
  const tree = new Tree(t);
  mkdirSync(join(tree.root, 'proc'));
  const { log, at } = logs();
  const inventory = new LibvirtInventory(daemon.peer.uri, noDirectories, tree.paths, beat, log, local);
  t.after(() => {
    inventory.close();
  });
  const names = (): string[] => inventory.guests().map(({ name }) => name);
  return { daemon, tree, inventory, at, names };
}

/** The QEMU that libvirt started for a domain, in a scope of its own. */
function addProcess(tree: Tree, pid: number, { name, id }: { name: string; id: number }): void {
  tree.process(pid, ['qemu-system-x86', 'CPU 0/KVM', 'CPU 1/KVM']);
  const secret = `secret,id=masterKey0,file=/var/lib/libvirt/qemu/domain-${id}-${name}/master-key.aes`;
  const argv = ['/usr/bin/qemu-system-x86_64', '-name', `guest=${name}`, '-object', secret, ''];
  tree.write(`proc/${pid}/cmdline`, argv.join('\0'));
  tree.write(`proc/${pid}/comm`, 'qemu-system-x86\n');
  tree.write(
    `proc/${pid}/cgroup`,
    `0::/machine.slice/machine-qemu\\x2d${id}\\x2d${name}.scope/libvirt/emulator\n`,
  );
}

const taps = `<domain><devices>
<interface type='bridge'><target dev='vnet0'/></interface>
<interface type='direct'><target dev='macvtap0'/></interface>
</devices></domain>`;

test('a domain here: its process, its interfaces by their ends, and what its monitor tells', async (t) => {
  const { daemon, tree, inventory } = await setUp(t, true);
  const web = {
    ...fakeDomain('web', 3, { 'balloon.current': 1024, 'balloon.maximum': 2048, 'block.count': 0 }),
    xml: taps,
  };
  daemon.domains = [web];
  addProcess(tree, 77, web);
  await inventory.poll(true);
  const [guest] = inventory.guests();
  assert.ok(guest !== undefined);
  const { type, uuid, pid, vcpus, state, memory, nics, detail, sources } = guest;
  assert.deepEqual(
    { type, uuid, pid, vcpus, state, memory },
    { ...{ type: 'qemu', uuid: web.uuid, pid: 77 }, vcpus: 2, state: 'running', memory: 2 ** 21 },
  );
  assert.deepEqual(nics, [
    { device: 'vnet0', end: 'host' },
    { device: 'macvtap0', end: 'guest' },
  ]);
  assert.deepEqual(detail?.disks, []);
  assert.deepEqual(
    [sources.cpu.kind, sources.memory.kind, sources.storage.kind, sources.network.kind],
    ['threads', 'process', 'process', 'host'],
  );
  assert.ok(sources.pressure !== undefined);
  assert.equal(inventory.guests()[0], guest, 'the object stays');
  daemon.domains = [{ ...web, id: 4 }];
  addProcess(tree, 78, { ...web, id: 4 });
  await inventory.poll(true);
  assert.deepEqual(
    inventory.guests().map(({ pid, key }) => [pid, key === guest.key]),
    [[78, false]],
    'started anew',
  );
});

test('a process that ends takes its domain along, before libvirt tells', async (t) => {
  const { daemon, tree, inventory, names } = await setUp(t, true);
  daemon.domains = [fakeDomain('a', 1), fakeDomain('b', 2)];
  for (const domain of daemon.domains) addProcess(tree, 70 + domain.id, domain);
  await inventory.poll(true);
  assert.deepEqual(names(), ['a', 'b']);
  tree.write('proc/71/stat', '71 (kvm) Z 1 71 71 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4521 0 0\n');
  assert.deepEqual(names(), ['b']);
});

test('a domain of another host: everything is told, traffic in the directions of the guest', async (t) => {
  const { daemon, inventory } = await setUp(t, false);
  const traffic = { 'net.count': 1, 'net.0.name': 'vnet7', 'net.0.rx.bytes': 70, 'net.0.tx.bytes': 5 };
  const vcpus = { 'vcpu.maximum': 1, 'vcpu.0.time': 1e9, 'vcpu.0.delay': 5, 'cpu.time': 2e9 };
  daemon.domains = [fakeDomain('far', 1, { ...traffic, ...vcpus })];
  await inventory.poll(true);
  assert.equal(inventory.hostname, 'far');
  const [guest] = inventory.guests();
  assert.ok(guest !== undefined);
  const { sources, nics, detail, pid } = guest;
  assert.deepEqual(
    [pid, sources.cpu.kind, sources.memory.kind, sources.storage.kind, sources.pressure],
    [undefined, 'told', 'told', 'told', undefined],
  );
  assert.deepEqual([guest.vcpus, detail?.vcpus], [1, [{ number: 0, run: 1e9, wait: 5 }]]);
  const { network } = sources;
  assert.ok(network.kind === 'told' && network.time > 0);
  assert.deepEqual(
    network.nics.map(({ device, end, counters }) => [device, end, counters.value(netDevCounters.rxBytes)]),
    [['vnet7', 'guest', 70]],
  );
  assert.equal(nics, network.nics);
});

test('an event has the states asked at once', async (t) => {
  const { daemon, inventory } = await setUp(t, false);
  daemon.domains = [fakeDomain('a', 1)];
  await inventory.poll(true);
  daemon.domains = [fakeDomain('a', 1, { 'state.state': 3 })];
  daemon.announce();
  await until('it is paused', () => inventory.guests()[0]?.state === 'paused');
});

test('a libvirtd that fails or hangs: what only it tells goes, what /proc tells stays', async (t) => {
  for (const local of [false, true]) {
    const { daemon, tree, inventory, names } = await setUp(t, local);
    daemon.domains = [fakeDomain('a', 1)];
    if (local) addProcess(tree, 71, { name: 'a', id: 1 });
    await inventory.poll(true);
    assert.deepEqual([names(), inventory.failures], [['a'], 0]);
    daemon.instead.push({ groups: 1, how: 'fail' });
    await inventory.poll(true);
    const [guest] = inventory.guests();
    assert.deepEqual([names(), guest?.state], [local ? ['a'] : [], undefined]);
    assert.ok(inventory.failures > 0);
    if (local) assert.equal(guest?.silence?.reason, 'error');
    await inventory.poll(true);
    assert.deepEqual([names(), inventory.guests()[0]?.state], [['a'], 'running'], 'and comes back');
    assert.equal(inventory.guests()[0]?.silence, undefined);
  }
});

test('a domain whose monitor does not answer says so, once in the log', async (t) => {
  const { daemon, inventory, at } = await setUp(t, false);
  daemon.domains = [fakeDomain('a', 1), fakeDomain('b', 2)];
  daemon.busy = () => ['a'];
  await inventory.poll(true);
  await inventory.poll(true);
  assert.deepEqual(
    inventory.guests().map(({ silence }) => silence?.reason),
    ['timeout', undefined],
  );
  assert.deepEqual(at('warn').length, 1);
  assert.match(at('warn')[0] ?? '', /^VM a: QMP values are omitted \(timeout\)/);
  daemon.busy = () => [];
  await inventory.poll(true);
  assert.deepEqual(at('info'), ['VM a: the monitor answers again']);
});
