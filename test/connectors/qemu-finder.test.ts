import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { QemuFinder } from '../../src/connectors/qemu-finder.ts';
import { Paths, defaultRoots } from '../../src/kernel/paths.ts';
import { commandLine, hasEnded, until } from '../lab/processes.ts';

const UUID = '0B0F7E6C-8A3F-4E8E-9C52-0D2A4A4B1C5F';
const paths = new Paths(defaultRoots);
const SLEEP = ['-c', 'sleep 60; :'];

/** A real process with these arguments; what it really runs is a shell that sleeps. */
async function start(t: TestContext, argv0: string, ...rest: string[]): Promise<number> {
  const child = spawn('/bin/sh', [...SLEEP, ...rest], { argv0, stdio: 'ignore', detached: true });
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
  const vm = await start(t, '/opt/qemu/bin/qemu-system-x86_64', '-name', 'a', '-uuid', UUID);
  const kvm = await start(t, 'kvm');
  const tool = await start(t, 'qemu-img');
  const probe = await start(t, 'qemu-system-x86_64', '-machine', 'none');
  const finder = new QemuFinder(paths);
  assert.deepEqual(found(finder, 0, [vm, kvm, tool, probe]).toSorted(), [vm, kvm].toSorted());
  assert.equal(finder.find(1).find(({ pid }) => pid === vm)?.args.uuid, UUID.toLowerCase());
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
  const script = 'read -r _; exec -a qemu-system-x86_64 sleep 60';
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
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

test('without procfs there is none', () => {
  assert.deepEqual(new QemuFinder(new Paths({ ...defaultRoots, procfs: '/dev/null' })).find(0), []);
});
