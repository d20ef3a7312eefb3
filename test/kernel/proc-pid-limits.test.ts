import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { readOnce } from '../../src/kernel/base/kernel-file.ts';
import { openFilesLimit } from '../../src/kernel/pid/proc-pid-limits.ts';

test('the soft limit of descriptors, as prlimit shows it', () => {
  const soft = execFileSync('prlimit', [
    '--pid',
    String(process.pid),
    '--nofile',
    '--output=SOFT',
    '--noheadings',
  ]);
  assert.equal(openFilesLimit(readOnce('/proc/self/limits') ?? ''), Number(soft));
});

test('no line, or no limit', () => {
  assert.equal(openFilesLimit(''), undefined);
  assert.equal(
    openFilesLimit('Max open files            unlimited            unlimited            files\n'),
    undefined,
  );
});
