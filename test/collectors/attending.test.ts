import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCollectors } from '../../src/collectors/index.ts';
import { TestHost, Tree, testTarget } from './support.ts';

test('somebody who watches is attended to before each guest, by every collector that reads files of each', (t) => {
  const wanted = { verbose: true, devices: true };
  const names = ['cpu', 'mem', 'disk', 'net', 'io', 'pressure'] as const;
  const collectors = createCollectors(names, new Tree(t).paths, {
    wanted,
    netdev: undefined,
    storedev: undefined,
  });
  const guests = [testTarget().begin(), testTarget().begin(), testTarget().begin()];
  for (const collector of collectors) {
    t.after(() => {
      collector.close();
    });
    let looks = 0;
    collector.collect(new TestHost(), guests, () => looks++);
    assert.ok(looks >= guests.length, collector.name);
  }
});
