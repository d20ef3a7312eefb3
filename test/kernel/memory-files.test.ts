import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { parseKsmStat } from '../../src/kernel/pid/proc-pid-ksm.ts';
import { VmStat, parseVmStat } from '../../src/kernel/proc/proc-vmstat.ts';
import { assertSafeCuts, cursorOf, valuesOf } from './support.ts';

function parse(cursor: Cursor): VmStat {
  const stat = new VmStat();
  parseVmStat(cursor, stat, '/proc/vmstat');
  return stat;
}

test('pages swapped in and out', () => {
  const text = 'nr_free_pages 5\npswpin 4711\npswpout 42\npgalloc_dma 7\n';
  assert.deepEqual(valuesOf(parse(cursorOf(text)).counters), [4711, 42]);
  assertSafeCuts(text, parse);
  assert.throws(() => parse(cursorOf('nr_free_pages 5\n')), KernelFormatError);
});

test('agrees with awk about this machine', (t) => {
  const awk = execFileSync('awk', ['/^pswp(in|out) /{print $2}', '/proc/vmstat'], { encoding: 'utf8' });
  if (awk === '') t.skip('this kernel has no swap');
  else assert.equal(valuesOf(parse(cursorOf(readFileSync('/proc/vmstat'))).counters).length, 2);
});

test('pages that a process shares with others', () => {
  // Written by hand after kernel 6.18: a process whose pages are merged cannot be had everywhere.
  const text =
    'ksm_rmap_items 76\nksm_zero_pages 0\nksm_merging_pages 1024\nksm_process_profit -4864\nksm_merge_any: no\nksm_mergeable: yes\n';
  const ksm = (cursor: Cursor): number => parseKsmStat(cursor, '/proc/7/ksm_stat');
  assert.equal(ksm(cursorOf(text)), 1024);
  assertSafeCuts(text, ksm);
  assert.equal(ksm(cursorOf('')), NaN, 'the kernel has nothing to tell of a process that ends');
  for (const content of ['ksm_rmap_items 76\n', 'ksm_merging_pages x\n'])
    assert.throws(() => ksm(cursorOf(content)), KernelFormatError);
});
