import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Inventory } from '../../src/guests/inventory.ts';
import type { Search } from '../../src/guests/detect.ts';
import { AwaitedInventory, detectInventory, lookedFor } from '../../src/guests/detect.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
import { stoppedClock, testVm } from '../collectors/support.ts';
import { commandLine, until } from '../lab/processes.ts';
import { directory, logs } from '../delivery/helpers.ts';

const beat = { detailInterval: 5, frequency: 1 };

/** Finds what is there below a directory; processes only where `procfs` says so. */
const search = (
  root: string,
  connector: Search['connector'],
  procfs = join(root, 'proc'),
): { paths: Paths; where: Search; detected: () => Promise<string | undefined> } => {
  const roots = { ...defaultRoots, procfs, rundir: join(root, 'run'), pvedir: join(root, 'pve') };
  const paths = new Paths(roots);
  const where = { connector, connection: 'qemu:///system' };
  const detected = async (): Promise<string | undefined> => {
    const found = await detectInventory(where, paths, beat, logs().log);
    found?.close();
    return found?.name;
  };
  return { paths, where, detected };
};

for (const connector of ['auto', 'proxmox'] as const) {
  test(`${connector}: Proxmox VE is there where one of its directories is`, async (t) => {
    const root = directory(t);
    const { paths, where, detected } = search(root, connector);
    assert.equal(await detected(), undefined);
    const places = lookedFor(where, paths);
    assert.ok(places.startsWith(`Proxmox VE (${root}/pve or ${root}/run/qemu-server)`), places);
    if (connector === 'auto')
      assert.ok(places.endsWith(`libvirt (qemu:///system), QEMU processes (in ${root}/proc)`));
    mkdirSync(join(root, 'run/qemu-server'), { recursive: true });
    assert.equal(await detected(), 'proxmox');
  });
}

test('libvirt and QEMU are waited for where they are asked for by name', async (t) => {
  const root = directory(t);
  mkdirSync(join(root, 'pve'));
  assert.equal(await search(root, 'libvirt').detected(), 'libvirt');
  assert.equal(await search(root, 'qemu').detected(), 'qemu');
});

test('auto: a libvirt socket counts when something answers there, even if it has no time', async (t) => {
  const root = directory(t);
  mkdirSync(join(root, 'run/libvirt'), { recursive: true });
  const { detected } = search(root, 'auto');
  const socket = join(root, 'run/libvirt/libvirt-sock-ro');
  writeFileSync(socket, '');
  assert.equal(await detected(), undefined, 'a file');
  rmSync(socket);
  // Stands for a libvirtd that is stopped: it accepts and says nothing.
  const silent = createServer().listen(socket);
  await once(silent, 'listening');
  assert.equal(await detected(), 'libvirt');
  silent.close();
  const other = createServer((client) => client.end('220 mail ESMTP\r\n')).listen(socket);
  await once(other, 'listening');
  assert.equal(await detected(), undefined, 'not libvirt');
  other.close();
});

test('auto: a QEMU process, where there is nothing else', async (t) => {
  const qemu = join(directory(t), 'qemu-system-x86_64');
  copyFileSync('/bin/sleep', qemu);
  const child = spawn(qemu, ['60'], { argv0: 'qemu-system-x86_64' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  await until('it has its name', () => commandLine(child.pid ?? -1)[0] === 'qemu-system-x86_64');
  assert.equal(await search(directory(t), 'auto', '/proc').detected(), 'qemu');
});

test('what is found after nobody wants it any more is closed, and not asked', async (t) => {
  const at = stoppedClock(t);
  const calls: string[] = [];
  let answer: (found: Inventory | undefined) => void = () => undefined;
  let looks = 0;
  const inventory = new AwaitedInventory(() => {
    looks++;
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  const found = {
    name: 'libvirt',
    hostname: 'far',
    failures: 0,
    guests: () => [testVm()],
    poll: () => Promise.resolve(void calls.push('poll')),
    close: () => calls.push('close'),
  } as const;
  at(30);
  const polls = [inventory.poll()];
  at(60);
  polls.push(inventory.poll());
  assert.equal(looks, 1, 'one look at a time');
  inventory.close();
  answer(found);
  await Promise.all(polls);
  assert.deepEqual(calls, ['close']);
  at(90);
  await inventory.poll();
  assert.deepEqual([looks, inventory.guests(), inventory.hostname], [1, [], undefined]);
});

test('a look that fails is made again, and the name of a host elsewhere is told', async (t) => {
  const at = stoppedClock(t);
  let looks = 0;
  const found: Inventory = {
    name: 'libvirt',
    hostname: 'far',
    failures: 0,
    guests: () => [],
    poll: () => Promise.resolve(),
    close: () => undefined,
  };
  const inventory = new AwaitedInventory(() =>
    ++looks < 2 ? Promise.reject(new Error('no such module')) : Promise.resolve(found),
  );
  at(30);
  await inventory.poll();
  assert.equal(inventory.hostname, undefined);
  at(60);
  await inventory.poll();
  assert.deepEqual([looks, inventory.hostname], [2, 'far']);
});

test('a service looks again every 30 s and takes what appears', async (t) => {
  const at = stoppedClock(t);
  let looks = 0;
  const calls: unknown[] = [];
  const vm = testVm();
  // Stands for a hypervisor that appears while we run, which takes as long as a node takes to boot.
  const found: Inventory = {
    name: 'proxmox',
    failures: 3,
    guests: () => [vm],
    poll: (everyone) => Promise.resolve(void calls.push(everyone)),
    close: () => calls.push('close'),
  };
  const inventory = new AwaitedInventory(() => Promise.resolve(++looks < 2 ? undefined : found));
  for (const [time, expected] of [
    [0, 0],
    [29, 0],
    [30, 1],
    [59, 1],
  ] as const) {
    at(time);
    await inventory.poll(true);
    assert.equal(looks, expected, `at ${time} s`);
    assert.deepEqual([inventory.guests(), inventory.failures], [[], 0]);
  }
  at(60);
  await inventory.poll(true);
  assert.deepEqual([inventory.guests(), inventory.failures], [[vm], 3]);
  at(200);
  await inventory.poll();
  inventory.close();
  assert.equal(looks, 2);
  assert.deepEqual(calls, [true, undefined, 'close']);
});
