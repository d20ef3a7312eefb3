import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuListText, parseCpuList } from '../../src/kernel/sys/cpu-list.ts';

test('lists of CPUs are read and written as the kernel writes them', () => {
  for (const [text, cpus] of [
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0-1,8,10-11', [0, 1, 8, 10, 11]],
    ['', []],
  ] as const) {
    assert.deepEqual([...parseCpuList(text)], cpus);
    assert.equal(cpuListText(new Set(cpus)), text);
  }
  assert.equal(cpuListText(new Set([3, 1, 2])), '1-3');
});

test('a list that claims more CPUs than there can be', () => {
  assert.equal(parseCpuList('0-99999999999').size, 65536);
  assert.equal(parseCpuList('99999999999-99999999999999999999').size, 0);
  assert.equal(parseCpuList('0-65534,'.repeat(10_000)).size, 65535);
});
