import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { QemuFinder } from '../../src/guests/qemu/qemu-finder.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { commandLine, hasEnded, until } from '../lab/processes.ts';
import { Tree } from '../collectors/support.ts';
import { directory } from '../delivery/helpers.ts';

const paths = new Paths(defaultRoots);
const UUID = '15e85af9-eb2c-4d5c-a7fb-53929ebb6634';
const SLEEP = ['-c', 'sleep 60; :'];

/** A program under another name; what it really is sleeps. */
function renamed(t: TestContext, program: string, name: string): string {
  const path = join(directory(t), basename(name));
  copyFileSync(program, path);
  return path;
}

/** A real process with these arguments, whose program has the name of the first; what it runs is a shell that sleeps. */
async function start(t: TestContext, argv0: string, ...rest: string[]): Promise<number> {
  const program = renamed(t, '/bin/sh', argv0);
  const child = spawn(program, [...SLEEP, ...rest], { argv0, stdio: 'ignore', detached: true });
  t.after(() => {
    end(child);
  });
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  await until('it has its arguments', () => commandLine(pid)[0] === argv0);
  return pid;
}

function end({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid ?? NaN), 'SIGKILL');
  } catch {
    // The test has ended it.
  }
}

/** The processes of this test among all that were found. */
const found = (finder: QemuFinder, time: number, pids: readonly number[]): number[] =>
  finder
    .find(time)
    .map(({ pid }) => pid)
    .filter((pid) => pids.includes(pid));

test('finds QEMU by its arguments, and nothing else', async (t) => {
  const vm = await start(t, '/opt/qemu/bin/qemu-system-x86_64', '-name', 'a', '-uuid', UUID.toUpperCase());
  const kvm = await start(t, 'kvm');
  const tool = await start(t, 'qemu-img');
  const probe = await start(t, 'qemu-system-x86_64', '-machine', 'none');
  const finder = new QemuFinder(paths);
  assert.deepEqual(found(finder, 0, [vm, kvm, tool, probe]).toSorted(), [vm, kvm].toSorted());
  assert.equal(finder.find(1).find(({ pid }) => pid === vm)?.args.uuid, UUID);
});

test('a process that ended is not found again', async (t) => {
  const pid = await start(t, 'kvm');
  const finder = new QemuFinder(paths);
  assert.deepEqual(found(finder, 0, [pid]), [pid]);
  process.kill(-pid, 'SIGKILL');
  await until('it has ended', () => hasEnded(pid));
  await until('it is gone', () => commandLine(pid).length <= 1 && found(finder, 1, [pid]).length === 0);
});

test('a process that becomes QEMU is found: who starts QEMU forks first', async (t) => {
  const script = 'read -r _; exec -a qemu-system-x86_64 "$0" 60';
  const qemu = renamed(t, '/bin/sleep', 'qemu-system-x86_64');
  const child = spawn('bash', ['-c', script, qemu], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  t.after(() => {
    end(child);
  });
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  await until('it runs bash', () => commandLine(pid)[0] === 'bash');
  const early = new QemuFinder(paths);
  const late = new QemuFinder(paths);
  for (const finder of [early, late]) assert.deepEqual(found(finder, 0, [pid]), []);
  assert.deepEqual(found(late, 6, [pid]), []);
  child.stdin.end('\n');
  await until('it runs QEMU', () => commandLine(pid)[0] === 'qemu-system-x86_64');
  assert.deepEqual(found(early, 4, [pid]), [pid]);
  // One that was another program for long is looked at again only once a minute.
  assert.deepEqual(found(late, 7, [pid]), []);
  assert.deepEqual(found(late, 61, [pid]), [pid]);
});

test('a program of another name is none, whatever it calls itself', async (t) => {
  const child = spawn('/bin/sleep', ['60'], { argv0: 'kvm', stdio: 'ignore', detached: true });
  t.after(() => {
    end(child);
  });
  await once(child, 'spawn');
  await until('it has its arguments', () => commandLine(child.pid ?? -1)[0] === 'kvm');
  assert.deepEqual(found(new QemuFinder(paths), 0, [child.pid ?? -1]), []);
});

test('a command line that makes its readers wait holds us up only if it may be that of QEMU', (t) => {
  const tree = new Tree(t);
  tree.write('proc/7/comm', 'postgres\n');
  // Stands for a process that waits for a dead disk with its mmap lock held, before which ps hangs: a pipe without writer.
  execFileSync('mkfifo', [join(tree.root, 'proc/7/cmdline')]);
  tree.write('proc/8/comm', 'qemu-system-x86\n');
  tree.write('proc/8/cmdline', 'qemu-system-x86_64\0');
  assert.deepEqual(
    new QemuFinder(tree.paths).find(0).map(({ pid }) => pid),
    [8],
  );
});

test('without procfs there is none', () => {
  assert.deepEqual(new QemuFinder(new Paths({ ...defaultRoots, procfs: '/dev/null' })).find(0), []);
});
