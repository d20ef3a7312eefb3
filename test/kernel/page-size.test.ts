import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { pageSize, parsePageSize } from '../../src/kernel/sys/page-size.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { fixture, kernels, read } from './support.ts';

test('agrees with getconf', () => {
  const bytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
  assert.equal(pageSize(new Paths(defaultRoots)), bytes);
});

test('reads the captured kernels; without procfs it is not known', () => {
  for (const kernel of kernels) assert.equal(pageSize(fixture(kernel)), 4096);
  assert.equal(pageSize(new Paths({ ...defaultRoots, procfs: '/nowhere' })), NaN);
});

test('refuses a vector without the entry, or cut before it', () => {
  const auxv = read(fixture('linux-6.1').proc('self/auxv'));
  for (let length = 0; length < auxv.length; length++) {
    try {
      assert.equal(parsePageSize(auxv.subarray(0, length), 'auxv'), 4096);
    } catch (error) {
      assert.ok(error instanceof KernelFormatError);
    }
  }
  assert.throws(() => parsePageSize(Buffer.alloc(32), 'auxv'), KernelFormatError);
});
