import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProfileNode } from '../../src/profiler/profile.ts';
import { toProfile } from '../../src/profiler/profile.ts';
import { VmProfile } from '../../src/profiler/model/vm-profile.ts';
import { defaults, profileOf, rules, values } from './support.ts';

function rootOf(profile: VmProfile): ProfileNode {
  return toProfile({ name: 'x' }, profile).periodTree.root;
}

function periods(node: ProfileNode, metric = 'metric_0'): number {
  return node.txmatrix.find((matrix) => matrix.metric === metric)?.stats.count ?? 0;
}

test('the shape follows the sizes', () => {
  const root = rootOf(profileOf([], { periodSize: [2, 3, 4] }));
  assert.deepEqual([root.maxChilds, root.maxCounts, root.children.length], [2, 24, 2]);
  const [child] = root.children;
  assert.deepEqual([child!.maxChilds, child!.maxCounts, child!.children.length], [3, 12, 3]);
  const leaf = child!.children[2]!;
  assert.deepEqual([leaf.maxChilds, leaf.maxCounts, leaf.children], [0, 4, []]);
  const flat = rootOf(profileOf([], { periodSize: [5] }));
  assert.deepEqual([flat.maxChilds, flat.maxCounts, flat.children], [0, 5, []]);
});

test('without sizes there is no tree', () => {
  assert.deepEqual(rootOf(profileOf(values('0123'))), {
    maxChilds: 0,
    maxCounts: 0,
    children: [],
    txmatrix: [],
  });
});

test('each period counts in every span it falls into, and a finished cycle starts again', () => {
  // Two spans of two: a cycle is 0 1 | 2 3. Ten periods: two cycles and a half.
  const root = rootOf(profileOf(values('0123012301'), { periodSize: [2, 2] }));
  const [first, second] = root.children;
  assert.deepEqual(
    [root, first!, second!].map((node) => periods(node)),
    [10, 6, 4],
  );
  const rows = (node: ProfileNode): unknown =>
    Object.fromEntries(
      Object.entries(node.txmatrix[0]!.transitions).map(([key, row]) => [key, row.nextProbs]),
    );
  // The very first 0 follows the state 0 that stands for nothing.
  assert.deepEqual(rows(first!), { '0': [25, 75, 0, 0], '3': [100, 0, 0, 0] });
  assert.deepEqual(rows(second!), { '1': [0, 0, 100, 0], '2': [0, 0, 0, 100] });
});

test('metrics are told apart by name, also when they come in another order or not at all', () => {
  const settings = { ...defaults, periodSize: [2, 2] };
  const profile = new VmProfile(settings);
  const [a, b] = rules(2);
  profile.put([a!, b!], [0, 100]);
  profile.put([b!, a!], [100, 0]);
  profile.put([b!], [100]);
  const [first, second] = rootOf(profile).children;
  for (const [metric, means] of [
    ['metric_0', [0, undefined]],
    ['metric_1', [100, 100]],
  ] as const) {
    const found = [first!, second!].map(
      ({ txmatrix }) => txmatrix.find((matrix) => matrix.metric === metric)?.stats.avg,
    );
    assert.deepEqual(found, means, metric);
  }
});

test('bounds that grow move the counts of every span', () => {
  const root = rootOf(profileOf([0, 5, 10, 40], { fixedBound: false, periodSize: [2, 2] }));
  const [first] = root.children;
  assert.deepEqual(Object.keys(first!.txmatrix[0]!.transitions), ['0']);
  assert.deepEqual(first!.txmatrix[0]!.transitions['0']!.nextProbs, [50, 50, 0, 0]);
});
