import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { loneCgroup, scopeCgroup } from '../../src/connectors/own-cgroup.ts';
import { Paths, defaultRoots } from '../../src/kernel/paths.ts';
import { cgroupMount } from '../lab/cgroup.ts';
import { until } from '../lab/processes.ts';

const mount = cgroupMount();
const paths = new Paths({ ...defaultRoots, cgroupfs: mount });
const top = `proxtop-test-${process.pid}.slice`;

function writable(): boolean {
  try {
    mkdirSync(join(mount, top));
    rmdirSync(join(mount, top));
    return true;
  } catch {
    return false;
  }
}

const skip = !writable() && 'needs a cgroup v2 that can be written';

const children: ChildProcess[] = [];
const directories = new Set<string>();

/** A process in a cgroup of its own making. */
async function sleeper(group: string): Promise<number> {
  const directory = join(mount, top, group);
  mkdirSync(directory, { recursive: true });
  for (let path = directory; path !== mount; path = dirname(path)) directories.add(path);
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  writeFileSync(join(directory, 'cgroup.procs'), String(child.pid));
  return child.pid ?? -1;
}

after(async () => {
  for (const child of children) child.kill('SIGKILL');
  const deepestFirst = [...directories].sort((a, b) => b.length - a.length);
  // A task counts in its cgroup for a moment after it has ended.
  for (const path of deepestFirst) await until(`${path} is gone`, () => removed(path));
});

function removed(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

const SCOPE = /^machine-qemu.*\.scope$/;

test('the scope of a VM is found above the group of its process', { skip }, async () => {
  const scope = 'machine-qemu\\x2d1\\x2dweb.scope';
  const pid = await sleeper(`${scope}/libvirt/emulator`);
  const file = (group: string): string => join(mount, top, group, 'memory.pressure');
  assert.equal(scopeCgroup(paths, pid, SCOPE)?.memoryPressure.path, file(scope));
  assert.equal(scopeCgroup(paths, pid, 'libvirt')?.memoryPressure.path, file(`${scope}/libvirt`));
  assert.equal(scopeCgroup(paths, pid, '100.scope'), undefined);
});

test('a group counts as a VM’s own only while no other process is in it', { skip }, async () => {
  const pid = await sleeper('shared');
  assert.equal(loneCgroup(paths, pid)?.memoryPressure.path, join(mount, top, 'shared/memory.pressure'));
  await sleeper('shared');
  assert.equal(loneCgroup(paths, pid), undefined);
});

test('a process that is gone, or in the root group, has none', () => {
  assert.equal(loneCgroup(paths, 2 ** 30), undefined);
  assert.equal(scopeCgroup(paths, 2 ** 30, SCOPE), undefined);
  assert.equal(loneCgroup(paths, 1)?.memoryPressure.path.startsWith(mount) ?? true, true);
});
