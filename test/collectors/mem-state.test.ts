import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostMem } from '../../src/collectors/mem/mem-host.ts';
import { memoryState } from '../../src/collectors/mem/mem-state.ts';
import { Row } from '../../src/catalogue/row.ts';
import { Tree, countersIn, pick, stoppedClock } from './support.ts';

const MIB = 2 ** 20;

test('tight where little is left, or not much and somebody waits; swapping where it is read back', () => {
  const state = (obtainable: number, pressure = 0, swapIn = 0): unknown =>
    memoryState({ total: 100, obtainable, swapIn, pressure });
  assert.equal(state(50), 'ok');
  assert.equal(state(4), 'tight');
  assert.equal(state(4.1), 'ok');
  assert.equal(state(10, 10), 'tight');
  assert.equal(state(10, NaN), 'ok');
  assert.equal(state(11, 99), 'ok');
  assert.equal(state(50, 0, MIB), 'swapping');
  assert.equal(state(NaN, 0, NaN), undefined);
});

test('the ZFS cache above its minimum can be had; pages swapped are told in bytes', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const row = new Row('host');
  const host = new HostMem(tree.paths, { verbose: false, devices: false }, 4096);
  t.after(() => {
    host.close();
  });
  const cycle = (time: number, pages: number): unknown[] => {
    at(time);
    tree.write('proc/vmstat', `nr_free_pages 1\npswpin ${pages}\npswpout ${2 * pages}\n`);
    row.clear();
    host.collect(row, 0);
    return pick(row, 'ram_obtainable', 'ram_state', 'ram_pswpin', 'ram_pswpout');
  };
  tree.write('proc/meminfo', 'MemTotal:     102400 kB\nMemAvailable:   3072 kB\n');
  assert.deepEqual(cycle(10, 100), [3 * MIB, 'tight', undefined, undefined]);
  tree.write('proc/spl/kstat/zfs/arcstats', `name type data\nc_min 4 ${MIB}\nsize 4 ${8 * MIB}\n`);
  at(100);
  assert.deepEqual(cycle(101, 100), [10 * MIB, 'ok', 0, 0]);
  assert.deepEqual(cycle(103, 612), [10 * MIB, 'swapping', MIB, 2 * MIB]);
  assert.equal(countersIn(row)['ram_pswpin'], 612 * 4096);
});
