import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toProfile } from '../../src/profiler/profile.ts';
import { profileOf, values } from './support.ts';

const settings = { phaseChangeLikeliness: 0.5, phaseChangeHistory: 3 };
const night = '0'.repeat(30);
const day = '32'.repeat(15);

test('without a threshold there are no phases', () => {
  const { phases } = toProfile({ name: 'x' }, profileOf(values(night + day)));
  assert.deepEqual(phases, { phases: [], tx: { metric: 'phase', transitions: {} } });
});

test('two ways of behaving are two phases, found again when they come back', () => {
  const profile = profileOf(values(night + day + night + day + night), settings);
  const { list, current } = profile.state.phases;
  assert.equal(list.length, 2);
  assert.equal(current, 0);
  const [first, second] = toProfile({ name: 'x' }, profile).phases.phases;
  // At night 0 follows 0; by day 3 and 2 take turns. A change is noticed within the three transitions judged.
  assert.ok(first![0]!.transitions['0']!.nextProbs[0]! >= 95);
  assert.ok(second![0]!.transitions['3']!.nextProbs[2]! >= 90);
  assert.ok(second![0]!.transitions['2']!.nextProbs[3]! >= 90);
  assert.ok(Math.abs(first![0]!.stats.count - 90) <= 6, String(first![0]!.stats.count));
});

test('changes between phases are counted', () => {
  const profile = profileOf(values(night + day + night + day + night), settings);
  const { counts } = profile.state.phases;
  assert.equal(counts['0']![1], 2);
  assert.equal(counts['1']![0], 2);
  const { transitions } = toProfile({ name: 'x' }, profile).phases.tx;
  assert.deepEqual(transitions['0']!.nextProbs, [98, 2]);
  assert.equal(transitions['0']!.probability + transitions['1']!.probability, 100);
});

test('one steady way of behaving stays one phase', () => {
  for (const sequence of [night, day, '0123'.repeat(20)])
    assert.equal(profileOf(values(sequence), settings).state.phases.list.length, 1);
});

test('with a history of one each change is judged at once', () => {
  const profile = profileOf(values('0000033333000003333300000'), {
    phaseChangeLikeliness: 0.5,
    phaseChangeHistory: 1,
  });
  assert.equal(profile.state.phases.list.length, 2);
  assert.deepEqual(profile.state.phases.list[0]!['metric_0']!.stats.count, 15);
});

test('a load that no threshold fits does not open phases for ever', () => {
  let seed = 1;
  const random = Array.from({ length: 2000 }, () => {
    seed = (seed * 48271) % 2147483647;
    return (seed % 4) * 25;
  });
  const profile = profileOf(random, { phaseChangeLikeliness: 0.9, phaseChangeHistory: 2 });
  assert.equal(profile.state.phases.list.length, 16);
});
