import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
import { innermostPid } from '../../src/kernel/pid/proc-pid-status.ts';
import { childrenOf } from '../../src/kernel/pid/proc-pid-task.ts';

const paths = new Paths(defaultRoots);

test('the children of a process, and their pids in a namespace of their own', async () => {
  // unshare waits for the one child that is the first process of the namespace.
  const child = spawn('unshare', ['--pid', '--fork', '--kill-child', 'sh', '-c', 'echo; read -r line'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const [init = 0, ...others] = childrenOf(paths, child.pid ?? 0);
  assert.deepEqual(others, []);
  assert.equal(innermostPid(readFileSync(`/proc/${init}/status`, 'utf8')), 1);
  child.stdin.end('\n');
  await once(child, 'exit');
  assert.deepEqual(childrenOf(paths, init), [], 'of a process that is gone');
});

test('without a namespace, or with several, the innermost pid', () => {
  assert.equal(innermostPid('Name:\tsh\nNSpid:\t812\n'), undefined);
  assert.equal(innermostPid('Name:\tsh\nNSpid:\t812\t14\t1\nNSpgid:\t9\t9\n'), 1);
  assert.equal(innermostPid('Name:\tNSpid:\t1\t1\n'), undefined, 'a name that looks like it');
});
