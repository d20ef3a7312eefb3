import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stackOf } from '../../src/kernel/sys/block-stack.ts';
import { blockTree } from '../collectors/block-tree.ts';

test('a thin volume lies on the data of its pool, a mirror, a partition and its disk', (t) => {
  const { paths } = blockTree(t, {
    'dm-4': { numbers: '253:4', on: ['dm-3'] },
    'dm-3': { numbers: '253:3', on: ['dm-1', 'dm-2'] },
    'dm-2': { numbers: '253:2', on: ['md0'] },
    'dm-1': { numbers: '253:1', on: ['md0'] },
    md0: { numbers: '9:0', on: ['sda3', 'nvme0n1p1'] },
    sda: { numbers: '8:0' },
    sda3: { numbers: '8:3', diskOf: 'sda' },
    nvme0n1: { numbers: '259:0' },
    nvme0n1p1: { numbers: '259:1', diskOf: 'nvme0n1' },
    loop0: { numbers: '7:0' },
  });
  const { name, below } = stackOf(paths, '253:4');
  assert.equal(name, 'dm-4');
  assert.deepEqual([...below].sort(), ['253:1', '253:2', '253:3', '259:0', '8:0', '9:0']);
  assert.deepEqual(stackOf(paths, '7:0'), { name: 'loop0', below: new Set() });
  assert.deepEqual(stackOf(paths, '8:77'), { name: undefined, below: new Set() }, 'one that is gone');
});

test('devices that claim to lie on each other end', (t) => {
  const { paths } = blockTree(t, {
    'dm-0': { numbers: '253:0', on: ['dm-1'] },
    'dm-1': { numbers: '253:1', on: ['dm-0'] },
  });
  assert.deepEqual([...stackOf(paths, '253:0').below].sort(), ['253:0', '253:1']);
});
