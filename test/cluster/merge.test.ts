import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Merger } from '../../src/cluster/merge.ts';
import type { ClusterSample } from '../../src/cluster/cluster-sample.ts';
import { guest, moment } from './nodes.ts';

/** Each guest with its node and its key. */
function places(merger: Merger, cluster: ClusterSample): readonly (readonly [string, string, string])[] {
  return merger
    .merge(cluster)
    .guests.map(({ guest: { name, key }, node }) => [name, node.name, key] as const)
    .sort();
}

test('guests of all nodes are in one list, each with its node', () => {
  const merged = new Merger().merge(moment(1, { pve1: [guest('a')], pve2: [guest('b'), guest('c')] }));
  assert.deepEqual(
    merged.guests.map(({ guest: { name }, node, ownKey }) => [name, node.name, ownKey]),
    [
      ['vm-a', 'pve1', 'a:1'],
      ['vm-b', 'pve2', 'b:1'],
      ['vm-c', 'pve2', 'c:1'],
    ],
  );
});

test('a guest that migrates is one row with one key, which changes its node when the other end runs', () => {
  const merger = new Merger();
  const running = guest('a', { vmid: '100', pid: '7', state: 'running' });
  const coming = guest('a', { vmid: '100', pid: '9', state: 'inmigrate' });
  const arrived = guest('a', { vmid: '100', pid: '9', state: 'running' });
  const left = guest('a', { vmid: '100', pid: '7', state: 'postmigrate' });
  const seen = [
    moment(1, { pve1: [running], pve2: [] }),
    moment(2, { pve1: [running], pve2: [coming] }),
    // A long one: no two copies as long as one end says that it migrates.
    moment(60, { pve1: [running], pve2: [coming] }),
    moment(61, { pve1: [left], pve2: [arrived] }),
    moment(62, { pve1: [], pve2: [arrived] }),
  ].map((each) => places(merger, each));
  assert.deepEqual(
    seen.map((rows) => rows.map(([, node]) => node)),
    [['pve1'], ['pve1'], ['pve1'], ['pve2'], ['pve2']],
  );
  assert.equal(new Set(seen.flat().map(([, , key]) => key)).size, 1);
});

test('what the cluster itself says of the place decides, whatever monitors told last', () => {
  let place = 'pve1';
  const merger = new Merger(({ vmid }) => (vmid === '100' ? place : undefined));
  const both = { pve1: [guest('a', { vmid: '100' })], pve2: [guest('a', { vmid: '100', pid: '9' })] };
  assert.deepEqual(
    places(merger, moment(1, both)).map(([, node]) => node),
    ['pve1'],
  );
  place = 'pve2';
  assert.deepEqual(
    places(merger, moment(2, both)).map(([, node]) => node),
    ['pve2'],
  );
});

test('copies that run on are two guests: at once where both were there from the beginning, else after a while', () => {
  const old = {
    pve1: [guest('proxmox-100', { vmid: '100' })],
    kvm2: [guest('proxmox-100', { vmid: '100' })],
  };
  const atOnce = places(new Merger(), moment(1, old));
  assert.deepEqual(
    atOnce.map(([, node]) => node),
    ['kvm2', 'pve1'],
  );
  assert.equal(new Set(atOnce.map(([, , key]) => key)).size, 2);

  const merger = new Merger();
  const one = guest('a', { state: 'running' });
  const two = guest('a', { pid: '9' });
  assert.equal(places(merger, moment(1, { pve1: [one], pve2: [] })).length, 1);
  assert.deepEqual(
    places(merger, moment(2, { pve1: [one], pve2: [two] })).map(([, node]) => node),
    ['pve1'],
  );
  assert.equal(places(merger, moment(20, { pve1: [one], pve2: [two] })).length, 2);
  assert.equal(places(merger, moment(21, { pve1: [one], pve2: [] })).length, 1);
});
