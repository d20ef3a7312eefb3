import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DirectoryLock } from '../../../src/delivery/ledger/spool/lock.ts';
import { directory } from '../helpers.ts';
import { open, smallDisk } from './helpers.ts';

const program = join(import.meta.dirname, 'writer-program.ts');

/** A process that holds the directory. */
async function holder(t: TestContext, path: string, ...command: string[]): Promise<ChildProcess> {
  const [file, ...args] = [...command, process.execPath, '--import', 'tsx', program, path];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  return child;
}

function holders(path: string): string[] {
  return readdirSync(path).filter((name) => name.startsWith('holder.'));
}

test('one holder at a time; the next one takes over where the one before let go', async (t) => {
  const path = directory(t);
  const first = await DirectoryLock.take(path);
  assert.ok(await first.holds());
  await assert.rejects(DirectoryLock.take(path), { name: 'SpoolBusyError' });
  await first.release();
  assert.deepEqual(holders(path), []);
  const second = await DirectoryLock.take(path);
  await second.release();
});

test('a process in other namespaces is seen', async (t) => {
  const path = directory(t);
  const child = await holder(t, path, 'unshare', '--pid', '--fork', '--kill-child', '--net', '--mount-proc');
  if (child.exitCode !== null) {
    t.skip('needs the right to make namespaces');
    return;
  }
  await assert.rejects(DirectoryLock.take(path), {
    name: 'SpoolInUseError',
    // Its number is that of its own namespace.
    message: `the spool ${path} is used by another proxtop, process 1: give this one a state_dir of its own`,
  });
  child.kill('SIGKILL');
  await once(child, 'close');
});

test('one that is stopped holds on, and need not say who it is', async (t) => {
  const path = directory(t);
  const child = await holder(t, path);
  child.kill('SIGSTOP');
  await assert.rejects(DirectoryLock.take(path), /is used by another proxtop: give/);
  child.kill('SIGKILL');
  await once(child, 'close');
  const lock = await DirectoryLock.take(path);
  assert.deepEqual(holders(path), ['holder.2']);
  await lock.release();
});

test('a directory that was replaced is no longer held, and is not touched at the end', async (t) => {
  const path = join(directory(t), 'spool');
  mkdirSync(path);
  const lock = await DirectoryLock.take(path);
  renameSync(path, `${path}.old`);
  mkdirSync(path);
  const other = await holder(t, path);
  assert.equal(await lock.holds(), false);
  await lock.release();
  assert.equal(holders(path).length, 1);
  await assert.rejects(DirectoryLock.take(path), { name: 'SpoolInUseError' });
  other.kill('SIGKILL');
});

test('a path longer than that of a socket may be', async (t) => {
  const path = join(directory(t), 'x'.repeat(200));
  mkdirSync(path);
  const lock = await DirectoryLock.take(path);
  assert.equal(holders(path).length, 1);
  await lock.release();
});

test('a full disk can be taken, and what lock files 0.1.0 left goes', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  writeFileSync(join(disk, 'lock.5'), `${process.pid} 1 another-boot`);
  writeFileSync(join(disk, 'draft.7'), '');
  assert.throws(
    () => {
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(2 << 20));
    },
    { code: 'ENOSPC' },
  );
  const spool = await open(disk);
  assert.equal(holders(disk).length, 1);
  rmSync(join(disk, 'ballast'));
  assert.ok(await spool.append(1, 3));
  assert.deepEqual(
    readdirSync(disk).filter((name) => /^(lock|draft)/.test(name)),
    [],
  );
  await spool.close();
});
