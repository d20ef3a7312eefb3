import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Paths, defaultRoots } from '../../src/kernel/paths.ts';
import { listThreads } from '../../src/kernel/proc-pid-task.ts';

const paths = new Paths(defaultRoots);

test('lists the threads that ps lists', () => {
  const ps = execFileSync('ps', ['-L', '-o', 'lwp=', '-p', String(process.pid)], { encoding: 'utf8' });
  assert.deepEqual(listThreads(paths, process.pid), ps.trim().split(/\s+/).map(Number));
});

test('a process that is gone has none', () => {
  assert.deepEqual(listThreads(paths, 999999999), []);
});
