import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Search } from '../../src/guests/detect.ts';
import { detectInventory, lookedFor } from '../../src/guests/detect.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
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
