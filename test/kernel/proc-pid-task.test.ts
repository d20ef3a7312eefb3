import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { MOST_THREADS, listThreads } from '../../src/kernel/pid/proc-pid-task.ts';

const paths = new Paths(defaultRoots);

test('lists the threads that ps lists', () => {
  const ps = execFileSync('ps', ['-L', '-o', 'lwp=', '-p', String(process.pid)], { encoding: 'utf8' });
  assert.deepEqual(listThreads(paths, process.pid), ps.trim().split(/\s+/).map(Number));
});

test('of thousands only the oldest are listed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-task-'));
  try {
    for (let tid = 1; tid <= MOST_THREADS + 10; tid++)
      mkdirSync(join(directory, '7/task', String(tid)), { recursive: true });
    assert.equal(listThreads(new Paths({ ...defaultRoots, procfs: directory }), 7)?.length, MOST_THREADS);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a process that is gone has none', () => {
  assert.deepEqual(listThreads(paths, 999999999), []);
});
