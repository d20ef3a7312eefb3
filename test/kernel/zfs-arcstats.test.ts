import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { ArcStats, parseArcstats } from '../../src/kernel/sys/zfs/zfs-arcstats.ts';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { assertSafeCuts, cursorOf } from './support.ts';

// Written by hand after the layout of OpenZFS: neither captured kernel has ZFS.
const ARCSTATS = `9 1 0x01 147 39984 4117350243 1028173652743
name                            type data
hits                            4    3245123
hash_elements_max               4    31543
c_min                           4    1052876800
size                            4    1073741824
compressed_size                 4    973741824
data_size                       4    5
`;

function parse(cursor: Cursor): ArcStats {
  const stats = new ArcStats();
  parseArcstats(cursor, stats, '');
  return stats;
}

test('reads the size and no line with a similar name', () => {
  const { size, minimum } = parse(cursorOf(ARCSTATS));
  assert.deepEqual([size, minimum], [2 ** 30, 1052876800]);
  assertSafeCuts(ARCSTATS, parse);
  assert.equal(parse(cursorOf('size 4 5\n')).minimum, NaN);
});

test('refuses what has no size', () => {
  for (const content of ['', 'name type data\ndata_size 4 5\n', 'size\n', 'size 4\n', 'size 4 x\n']) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError, content);
  }
});
