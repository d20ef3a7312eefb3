import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Node } from '../../src/guests/node.ts';
import { Attempts } from '../../src/base/pacing/attempts.ts';
import { testVm } from '../collectors/support.ts';
import { logs } from '../delivery/helpers.ts';
import { TestInventory } from '../sampling/support.ts';

/** A node whose inventories do what the test says: real ones do not fail and hang on demand. */
function nodeOf(...members: readonly TestInventory[]) {
  const { log, at } = logs();
  const counts = { errors: 0 };
  return { node: new Node(members, new Attempts(log, counts)), at, counts };
}

const [a, b, c] = [testVm({ name: 'a' }), testVm({ name: 'b' }), testVm({ name: 'c' })] as const;

test('the guests of all inventories, in their order; the same list while nothing changed', () => {
  const [vms, containers] = [new TestInventory([a, b]), new TestInventory([c])];
  const { node } = nodeOf(vms, containers);
  const first = node.guests();
  assert.deepEqual(first, [a, b, c]);
  assert.equal(node.guests(), first);
  vms.vms = [b];
  assert.deepEqual(node.guests(), [b, c]);
  containers.vms = [];
  assert.deepEqual(node.guests(), [b]);
});

test('an inventory that fails costs its own guests alone; told when it begins and when it ends', (t) => {
  const [vms, containers] = [new TestInventory([a, b]), new TestInventory([c], 'containers')];
  const { node, at, counts } = nodeOf(vms, containers);
  assert.equal(node.guests().length, 3);
  const failing = t.mock.method(vms, 'guests', () => {
    throw new Error('EIO: i/o error, scandir');
  });
  assert.deepEqual(node.guests(), [c]);
  assert.deepEqual(node.guests(), [c]);
  assert.deepEqual([at('error'), counts.errors], [['inventory proxmox failed'], 2]);
  failing.mock.restore();
  assert.deepEqual(node.guests(), [a, b, c]);
  assert.deepEqual(at('info'), ['inventory proxmox works again']);
});

test('an inventory that hangs or rejects does not keep the others from being asked', async (t) => {
  const [hanging, rejecting, sound] = [
    new TestInventory([], 'a'),
    new TestInventory([], 'b'),
    new TestInventory([c]),
  ];
  const { node } = nodeOf(hanging, rejecting, sound);
  const answers: (() => void)[] = [];
  t.mock.method(hanging, 'poll', () => new Promise<void>((resolve) => answers.push(resolve)));
  t.mock.method(rejecting, 'poll', () => {
    throw new Error('no monitor');
  });
  let ended = 0;
  const polls = [node.poll(true), node.poll()].map((poll) => poll.finally(() => ended++));
  assert.deepEqual(sound.polls, [true, false]);
  assert.deepEqual(node.guests(), [c]);
  await setImmediate();
  assert.equal(ended, 0, 'one of them still hangs');
  for (const answer of answers) answer();
  for (const poll of polls) await assert.rejects(poll, /no monitor/);
});

test('host name, failures and the end are those of all', () => {
  const [here, far] = [new TestInventory(), new TestInventory()];
  Object.assign(far, { hostname: 'far', failures: 3 });
  here.failures = 4;
  const { node } = nodeOf(here, far);
  assert.deepEqual([node.hostname, node.failures], ['far', 7]);
  node.close();
  assert.ok(here.closed && far.closed);
});
