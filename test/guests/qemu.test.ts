import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Guest } from '../../src/guests/guest.ts';
import { QemuInventory } from '../../src/guests/qemu/qemu.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { logs } from '../delivery/helpers.ts';
import { OtherClient, Qemu, blockdevDisks, removeImages } from '../qmp/qemu.ts';
import { eventually } from './support.ts';

const UUID = '526f6d42-dd79-4d81-8ff0-e90c09e9c8a5';

/** The VMs of this machine, of which the test has some: there may be others. */
function setUp(t: TestContext) {
  const { log, at } = logs();
  const inventory = new QemuInventory(new Paths(defaultRoots), { detailInterval: 10, frequency: 1 }, log);
  t.after(() => {
    inventory.close();
    removeImages();
  });
  const start = (...args: readonly string[]): Qemu => {
    const qemu = new Qemu(args);
    t.after(() => {
      qemu.stop();
    });
    return qemu;
  };
  /** The guest that a QEMU runs, as soon as it is listed. */
  const guestOf = async ({ pid }: Qemu): Promise<Guest> => {
    let found: Guest | undefined;
    await eventually(async () => {
      found = inventory.guests().find((guest) => guest.pid === pid);
      return Promise.resolve(found !== undefined);
    });
    return found!;
  };
  return { inventory, at, start, guestOf };
}

test('a QEMU that somebody started: who it is, its sources, and what its monitor tells', async (t) => {
  const { inventory, start, guestOf } = setUp(t);
  const guest = await guestOf(start('-name', 'web,debug-threads=on', '-uuid', UUID, ...blockdevDisks()));
  const { type, uuid, name, vmid, vcpus, nics, memory, disks, sources } = guest;
  assert.deepEqual(
    { type, uuid, name, vmid, vcpus, nics, memory },
    { ...{ type: 'qemu', uuid: UUID, name: 'web' }, vmid: undefined, vcpus: 1, nics: [], memory: 2 ** 25 },
  );
  assert.deepEqual(disks.map(({ device }) => device).sort(), ['scsi0', 'virtio0']);
  const { cpu, memory: mem, storage, network } = sources;
  assert.deepEqual(
    [cpu.kind, mem.kind, storage.kind, network.kind],
    ['threads', 'process', 'process', 'host'],
  );
  await inventory.poll(true);
  assert.equal(guest.state, 'prelaunch');
  assert.deepEqual(guest.detail?.disks.map(({ device }) => device).sort(), ['scsi0', 'virtio0']);
  assert.ok(inventory.guests().includes(guest), 'the object stays');
});

test('it ends with its process; the next one is another guest', async (t) => {
  const { inventory, start, guestOf } = setUp(t);
  const first = await guestOf(start('-machine', 'pc'));
  assert.match(first.uuid, /^qemu-\d+-\d+$/);
  process.kill(first.pid!, 'SIGKILL');
  await eventually(() => Promise.resolve(!inventory.guests().includes(first)));
  const second = await guestOf(start('-machine', 'pc'));
  assert.notEqual(second.key, first.key);
});

test('while another client is served the monitor is left alone, and the disks are known as it told last', async (t) => {
  const { inventory, start, guestOf } = setUp(t);
  const qemu = start(...blockdevDisks());
  const guest = await guestOf(qemu);
  await inventory.poll(true);
  const told = guest.detail?.disks;
  const other = new OtherClient(qemu.path);
  await other.negotiate();
  await inventory.poll(true);
  assert.deepEqual([guest.silence?.reason, guest.detail], ['held', undefined]);
  assert.equal(guest.disks, told);
  other.close();
  await eventually(async () => {
    await inventory.poll(true);
    return guest.detail !== undefined;
  });
  assert.equal(guest.silence, undefined);
});

test('two with one UUID are both listed, and told', async (t) => {
  const { at, start, guestOf } = setUp(t);
  const [one, other] = [start('-uuid', UUID), start('-uuid', UUID)];
  assert.notEqual((await guestOf(one)).key, (await guestOf(other)).key);
  const lines = at('warn').filter((line) => line.includes(UUID));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /outputs distinguish them by pid/);
});
