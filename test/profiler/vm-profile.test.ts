import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toProfile } from '../../src/profiler/profile.ts';
import type { Profile, ProfileMatrix } from '../../src/profiler/profile.ts';
import { VmProfile } from '../../src/profiler/model/vm-profile.ts';
import { defaults, fixture, profileOf, reference, rules, values } from './support.ts';

/** Counts of the only metric's root matrix. */
function counts(profile: VmProfile): unknown {
  return profile.state.root['metric_0']?.counts;
}

function root(profile: VmProfile): ProfileMatrix {
  return toProfile({ name: 'x' }, profile).roottx[0]!;
}

function profiled(inputs: readonly (readonly number[])[], profile: VmProfile): VmProfile {
  for (const input of inputs) profile.put(rules(3), input);
  return profile;
}

test('the root matrix of the reference is equal, statistics to 1e-9', () => {
  const expected = JSON.parse(
    readFileSync(fixture('states4-history1-buffer10-fixed.json'), 'utf8'),
  ) as Profile;
  const profile = toProfile(
    { name: 'x' },
    profiled(reference, new VmProfile({ ...defaults, buffersize: 10 })),
  );
  assert.deepEqual(profile.settings, expected.settings);
  assert.equal(profile.roottx.length, 3);
  for (const [index, { metric, transitions, stats }] of expected.roottx.entries()) {
    const found = profile.roottx[index]!;
    assert.equal(found.metric, metric);
    assert.deepEqual(found.transitions, transitions);
    for (const name of Object.keys(stats) as (keyof typeof stats)[]) {
      const error = Math.abs(found.stats[name] - stats[name]);
      assert.ok(error <= 1e-9, `${metric} ${name} differs by ${error}`);
    }
  }
});

test('transitions are counted from state 0 on', () => {
  assert.deepEqual(counts(profileOf(values('1230'))), {
    '0': [0, 1, 0, 0],
    '1': [0, 0, 1, 0],
    '2': [0, 0, 0, 1],
    '3': [1, 0, 0, 0],
  });
});

test('every suffix of a history is counted', () => {
  assert.deepEqual(counts(profileOf(values('121'), { history: 2 })), {
    '0-0': [0, 1, 0, 0],
    '0': [0, 1, 0, 0],
    '0-1': [0, 0, 1, 0],
    '1': [0, 0, 1, 0],
    '1-2': [0, 1, 0, 0],
    '2': [0, 1, 0, 0],
  });
  const three = counts(profileOf(values('0123'), { history: 3 })) as Record<string, number[]>;
  assert.deepEqual(three['0-1-2'], [0, 0, 0, 1]);
  assert.deepEqual(three['1-2'], [0, 0, 0, 1]);
  assert.deepEqual(three['2'], [0, 0, 0, 1]);
});

test('percentages round half away from zero', () => {
  // From state 0: seven times to 0, once to 1: 87.5 and 12.5 percent.
  const { transitions } = root(profileOf(values('00000001')));
  assert.deepEqual(transitions['0'], { nextProbs: [88, 13, 0, 0], probability: 100 });
});

test('levels: half a step around each, the last one takes everything above', () => {
  const levelOf = (value: number): number => {
    const [state] = profileOf([value]).state.tracks['metric_0']!.history;
    return state!;
  };
  const table = [
    [-5, 0],
    [0, 0],
    [12.4999, 0],
    [12.5, 1],
    [37.4999, 1],
    [37.5, 2],
    [62.4999, 2],
    [62.5, 3],
    [100, 3],
    [250, 3],
  ];
  for (const [value, level] of table) assert.equal(levelOf(value!), level, String(value));
});

test('bounds that grow move what was counted, and the state it goes on from', () => {
  // Steps of 2.5 from 0 to 10: 5 is in level 2, though it was in level 3 when it was the largest. Steps of 10 from 0 to
  // 40: 5 and 10 are both in level 1.
  const before = profileOf([0, 5, 10], { fixedBound: false });
  assert.deepEqual(counts(before), { '0': [1, 0, 1, 0], '2': [0, 0, 0, 1] });
  const after = profileOf([0, 5, 10, 40], { fixedBound: false });
  assert.deepEqual(after.state.tracks['metric_0']!.bounds, { min: 0, max: 40 });
  assert.deepEqual(counts(after), { '0': [1, 1, 0, 0], '1': [0, 1, 0, 1] });
});

test('bounds that grow in small steps move counts all the same', () => {
  const rising = Array.from({ length: 91 }, (_, index) => 10 + index);
  const profile = profileOf([0, ...new Array<number>(50).fill(10), ...rising], { fixedBound: false });
  // 10 is in the first level of 0..100 (below 12.5), whatever it was at first.
  const row = (counts(profile) as Record<string, number[]>)['0']!;
  assert.ok(row[0]! >= 50, row.join());
});

test('bounds that are open at the top start from what is given', () => {
  const profile = new VmProfile({ ...defaults, buffersize: 2 });
  const io = [{ name: 'io', min: 0, max: undefined }];
  for (const value of [100, 300, 900, 1100]) profile.put(io, [value]);
  assert.deepEqual(profile.state.tracks['io']!.bounds, { min: 0, max: 1100 });
});

test('an outlier is left out, unless no spread is known yet', () => {
  const noise = [40, 60, 40, 60, 40, 60];
  const kept = profileOf([...noise, 90, 50], { buffersize: 2, filterStdDevs: 10 });
  const filtered = profileOf([...noise, 90, 50], { buffersize: 2, filterStdDevs: 3 });
  assert.equal(root(kept).stats.count, 8);
  assert.equal(root(filtered).stats.count, 7);
  assert.equal(root(profileOf([5, 5, 5, 90], { filterStdDevs: 1 })).stats.count, 4);
});

test('what is not known is no input', () => {
  const profile = new VmProfile({ ...defaults, buffersize: 2 });
  const input = (a: number, b: number): void => {
    profile.put(rules(2), [a, b]);
  };
  input(NaN, NaN);
  input(50, NaN);
  assert.ok(profile.empty);
  input(50, NaN);
  assert.deepEqual(Object.keys(profile.state.root), ['metric_0']);
  input(50, 100);
  input(NaN, 100);
  assert.equal(profile.state.root['metric_0']!.stats.count, 3);
  assert.equal(profile.state.root['metric_1']!.stats.count, 2);
});

test('a profile that JSON carried over goes on exactly', () => {
  const settings = {
    ...defaults,
    buffersize: 7,
    history: 2,
    filterStdDevs: 3,
    fixedBound: false,
    periodSize: [2, 3],
    phaseChangeLikeliness: 0.3,
    phaseChangeHistory: 3,
  };
  const feed = (profile: VmProfile, from: number, to: number): VmProfile => {
    for (const input of reference.slice(from, to)) profile.put(rules(3, false), input);
    return profile;
  };
  const whole = feed(new VmProfile(settings), 0, reference.length);
  for (const cut of [1, 250, 599]) {
    const first = feed(new VmProfile(settings), 0, cut);
    const state = JSON.parse(JSON.stringify(first.state)) as VmProfile['state'];
    const second = feed(new VmProfile(settings, state), cut, reference.length);
    assert.deepEqual(second.state, whole.state);
    assert.deepEqual(toProfile({ name: 'x' }, second), toProfile({ name: 'x' }, whole));
  }
});
