import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { loneCgroup, scopeCgroup } from '../../src/kernel/sys/cgroup/own-cgroup.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { cgroupTrouble } from '../../src/kernel/pid/proc-pid-cgroup.ts';
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

test('the hierarchy is found in the directory, or in its unified/', { skip }, async () => {
  const pid = await sleeper('100.scope');
  // On a hybrid host the directory is that of the controllers of v1, made here in its place.
  const hybrid = mkdtempSync(join(tmpdir(), 'proxtop-hybrid-'));
  symlinkSync(mount, join(hybrid, 'unified'));
  const around = new Paths({ ...defaultRoots, cgroupfs: hybrid });
  const file = scopeCgroup(around, pid, '100.scope')?.cpuStat;
  assert.match(file?.text() ?? '', /^usage_usec/);
  file?.close();
  assert.equal(cgroupTrouble(around), undefined);
  rmSync(hybrid, { recursive: true });
  const nothing = new Paths({ ...defaultRoots, cgroupfs: '/mnt/nosuch' });
  assert.match(cgroupTrouble(nothing) ?? '', /^no cgroup v2 is mounted on \/mnt\/nosuch: /);
});

/** What a process in a cgroup namespace of its own, made in a group beside, finds of another one's cgroup and is told. */
async function fromContainer(pid: number, cgroupfs: string): Promise<unknown> {
  const source = join(import.meta.dirname, '../../src');
  const inside = join(mount, `${top}box`);
  mkdirSync(inside, { recursive: true });
  directories.add(inside);
  const script = `
    import { scopeCgroup } from '${source}/kernel/sys/cgroup/own-cgroup.ts';
    import { cgroupTrouble } from '${source}/kernel/pid/proc-pid-cgroup.ts';
    import { Paths, defaultRoots } from '${source}/kernel/base/paths.ts';
    const paths = new Paths({ ...defaultRoots, cgroupfs: '${cgroupfs}' });
    const file = scopeCgroup(paths, ${pid}, '100.scope')?.cpuStat;
    console.log(JSON.stringify([file?.path ?? null, file?.text() !== undefined, cgroupTrouble(paths) ?? null]));`;
  const node = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    '--input-type=module',
    '-e',
    script,
  ];
  const shell = `echo $$ >'${inside}/cgroup.procs' && exec unshare --cgroup "$@"`;
  const child = spawn('sh', ['-ec', shell, 'sh', ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await text(child.stdout)) as unknown;
}

test(
  'in a cgroup namespace of our own the groups of the host are found from its root',
  { skip },
  async () => {
    const pid = await sleeper('100.scope');
    const path = join(mount, top, '100.scope/cpu.stat');
    assert.deepEqual(await fromContainer(pid, mount), [path, true, null]);
    const [file, , trouble] = (await fromContainer(pid, join(mount, `${top}box`))) as (string | null)[];
    assert.equal(file, null);
    assert.match(trouble ?? '', /has only the cgroups of a container: mount those of the host/);
  },
);

test('a process that is gone, or in the root group, has none', () => {
  assert.equal(loneCgroup(paths, 2 ** 30), undefined);
  assert.equal(scopeCgroup(paths, 2 ** 30, SCOPE), undefined);
  assert.equal(loneCgroup(paths, 1)?.memoryPressure.path.startsWith(mount) ?? true, true);
});
