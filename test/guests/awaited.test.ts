import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwaitedInventory } from '../../src/guests/awaited.ts';
import type { Inventory } from '../../src/guests/inventory.ts';
import { stoppedClock, testVm } from '../collectors/support.ts';

test('what is found after nobody wants it any more is closed, and not asked', async (t) => {
  const at = stoppedClock(t);
  const calls: string[] = [];
  let answer: (found: Inventory | undefined) => void = () => undefined;
  let looks = 0;
  const inventory = new AwaitedInventory(() => {
    looks++;
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  const found = {
    name: 'libvirt',
    hostname: 'far',
    failures: 0,
    guests: () => [testVm()],
    poll: () => Promise.resolve(void calls.push('poll')),
    close: () => calls.push('close'),
  } as const;
  at(30);
  const polls = [inventory.poll()];
  at(60);
  polls.push(inventory.poll());
  assert.equal(looks, 1, 'one look at a time');
  inventory.close();
  answer(found);
  await Promise.all(polls);
  assert.deepEqual(calls, ['close']);
  at(90);
  await inventory.poll();
  assert.deepEqual([looks, inventory.guests(), inventory.hostname], [1, [], undefined]);
});

test('a look that fails is made again, and the name of a host elsewhere is told', async (t) => {
  const at = stoppedClock(t);
  let looks = 0;
  const found: Inventory = {
    name: 'libvirt',
    hostname: 'far',
    failures: 0,
    guests: () => [],
    poll: () => Promise.resolve(),
    close: () => undefined,
  };
  const inventory = new AwaitedInventory(() =>
    ++looks < 2 ? Promise.reject(new Error('no such module')) : Promise.resolve(found),
  );
  at(30);
  await inventory.poll();
  assert.equal(inventory.hostname, undefined);
  at(60);
  await inventory.poll();
  assert.deepEqual([looks, inventory.hostname], [2, 'far']);
});

test('a service looks again every 30 s and takes what appears', async (t) => {
  const at = stoppedClock(t);
  let looks = 0;
  const calls: unknown[] = [];
  const vm = testVm();
  // Stands for a hypervisor that appears while we run, which takes as long as a node takes to boot.
  const found: Inventory = {
    name: 'proxmox',
    failures: 3,
    guests: () => [vm],
    poll: (everyone) => Promise.resolve(void calls.push(everyone)),
    close: () => calls.push('close'),
  };
  const inventory = new AwaitedInventory(() => Promise.resolve(++looks < 2 ? undefined : found));
  for (const [time, expected] of [
    [0, 0],
    [29, 0],
    [30, 1],
    [59, 1],
  ] as const) {
    at(time);
    await inventory.poll(true);
    assert.equal(looks, expected, `at ${time} s`);
    assert.deepEqual([inventory.guests(), inventory.failures], [[], 0]);
  }
  at(60);
  await inventory.poll(true);
  assert.deepEqual([inventory.guests(), inventory.failures], [[vm], 3]);
  at(200);
  await inventory.poll();
  inventory.close();
  assert.equal(looks, 2);
  assert.deepEqual(calls, [true, undefined, 'close']);
});
