import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LikelinessCollector } from '../../src/profiler/likeliness-collector.ts';
import { Follower } from '../../src/profiler/model/likeliness.ts';
import { plotProfile } from '../../src/profiler/plot.ts';
import { profileLine, toProfile } from '../../src/profiler/profile.ts';
import type { Profile } from '../../src/profiler/profile.ts';
import { ProfileSet, holdsProfiles, readProfiles } from '../../src/profiler/read/read-profiles.ts';
import { simulate } from '../../src/profiler/simulate.ts';
import { VmProfile } from '../../src/profiler/model/vm-profile.ts';
import { TargetRows } from '../../src/collectors/device-rows.ts';
import { columns } from '../../src/catalogue/catalogue.ts';
import { Target } from '../../src/sampling/targets.ts';
import { testVm } from '../collectors/support.ts';
import { set } from '../formats/sample.ts';
import { defaults, profileOf, values } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-likeliness-'));
after(() => {
  rmSync(directory, { recursive: true });
});
const file = join(directory, 'profile.json');

const uuid = '12345678-1234-1234-1234-123456789abc';
/** From 0 to 0 three times of four, else to 3; from 3 always to 0. */
const alternating = profileOf(values('0003000300030003000'));

function follow(profile: Profile, inputs: readonly number[]): number[] {
  const follower = new Follower(profile);
  return inputs.map((input) => follower.next(() => input));
}

test('each input is judged by the step from one period ago', () => {
  const profile = toProfile({ name: 'x' }, alternating);
  const { nextProbs } = profile.roottx[0]!.transitions['0']!;
  assert.deepEqual(nextProbs, [73, 0, 0, 27]);
  assert.deepEqual(follow(profile, values('00303')), [NaN, 0.73, 0.27, 1, 0.27]);
  // A state, and a step, that the profile never saw.
  assert.deepEqual(follow(profile, values('3312')), [NaN, 0, 0, 0]);
});

test('with a buffer the mean slides: an answer with each input once two periods are seen', () => {
  const trained = profileOf([0, 0, 0, 0, 100, 100, 0, 0], { buffersize: 2 });
  const profile = toProfile({ name: 'x' }, trained);
  // Means of two: 0 0 50 100 50 0, so states 0 0 2 3 2 0; steps over two inputs: 0-2 0-3 2-2 3-0.
  const rows = profile.roottx[0]!.transitions;
  const found = follow(profile, [0, 0, 0, 100, 100, 0, 0]);
  const expected = [
    NaN,
    NaN,
    NaN,
    rows['0']!.nextProbs[2]!,
    rows['0']!.nextProbs[3]!,
    0,
    rows['3']!.nextProbs[0]!,
  ];
  assert.deepEqual(
    found,
    expected.map((percent) => percent / 100),
  );
});

test('a history that was never seen is judged by its end', () => {
  const profile = toProfile({ name: 'x' }, profileOf(values('012012012'), { history: 2 }));
  const [, , likely] = follow(profile, values('212'));
  assert.equal(likely, 1);
});

test('what is not known is not judged', () => {
  const profile = toProfile({ name: 'x' }, alternating);
  assert.deepEqual(follow(profile, [0, NaN, 0, 0]), [NaN, NaN, NaN, 0.73]);
});

test('the mean slides without drift', () => {
  const profile = toProfile({ name: 'x' }, profileOf([0, 100], { buffersize: 1 }));
  const sliding = { ...profile, settings: { ...profile.settings, buffersize: 7 } };
  let seed = 7;
  const inputs = Array.from({ length: 5000 }, () => (seed = (seed * 48271) % 2147483647) / 2147483647);
  const found = follow(sliding, [...inputs.map((input) => input * 1e9), ...new Array<number>(20).fill(0)]);
  assert.equal(found.at(-1), profile.roottx[0]!.transitions['0']!.nextProbs[0]! / 100);
});

test('a VM has its own profile, or the one that is for all', () => {
  const own = toProfile({ name: uuid }, alternating);
  const common = toProfile({ name: 'load' }, alternating);
  const set = new ProfileSet([own, common, own], 'p.json');
  assert.equal(set.of({ name: uuid }), own);
  assert.equal(set.of({ name: 'other' }), common);
  assert.equal(new ProfileSet([own], 'p.json').of({ name: 'other' }), undefined);
  assert.throws(() => new ProfileSet([common, { ...common, name: 'b' }], 'p.json'), {
    name: 'InputError',
    message: 'p.json: "load" and "b" are not UUIDs; expected at most one profile for all VMs',
  });
});

test('of VMs with one UUID each has its own profile, never that of another', () => {
  const [one, two] = ['100', '101'].map((vmid) => toProfile({ name: uuid, vmid }, alternating));
  const set = new ProfileSet([one!, two!], 'p.json');
  assert.equal(set.of({ name: uuid, vmid: '100', pid: '7' }), one);
  assert.equal(set.of({ name: uuid, vmid: '101', pid: '8' }), two);
  assert.equal(set.of({ name: uuid, vmid: '102', pid: '9' }), undefined);
  const [first, second] = ['7', '8'].map((pid) => toProfile({ name: uuid, pid }, alternating));
  const twins = new ProfileSet([first!, second!], 'p.json');
  assert.equal(twins.of({ name: uuid, pid: '7' }), first);
  assert.equal(twins.of({ name: uuid, pid: '8' }), second);
  assert.equal(twins.of({ name: uuid, pid: '9' }), undefined);
  // A QEMU without UUID is one VM, and its profile not for all.
  const none = toProfile({ name: 'qemu-12-3456' }, alternating);
  assert.equal(new ProfileSet([none], 'p.json').of({ name: uuid, pid: '7' }), undefined);
});

test('a container is only compared with containers, a VM only with VMs', () => {
  // A vmid that was a VM's is a container's now: without a UUID both have one name.
  const name = 'proxmox-901';
  const ofVm = toProfile({ name, vmid: '901', guest_type: 'qemu' }, alternating);
  const ofContainer = toProfile({ name, vmid: '901', guest_type: 'lxc' }, alternating);
  const both = new ProfileSet([ofVm, ofContainer], 'p.json');
  assert.equal(both.of({ name, vmid: '901', guest_type: 'qemu' }), ofVm);
  assert.equal(both.of({ name, vmid: '901', guest_type: 'lxc' }), ofContainer);
  assert.equal(new ProfileSet([ofVm], 'p.json').of({ name, vmid: '901', guest_type: 'lxc' }), undefined);
  // One of 0.1.0 tells no kind, and is that of a VM; so is one of a file.
  const { guest_type: _, ...old } = ofVm;
  const common = toProfile({ name: 'load' }, alternating);
  const older = new ProfileSet([old, common], 'p.json');
  assert.equal(older.of({ name, vmid: '901', guest_type: 'qemu' }), old);
  assert.equal(older.of({ name: 'other', guest_type: 'qemu' }), common);
  assert.equal(older.of({ name, vmid: '901', guest_type: 'lxc' }), undefined);
  // Containers of plain LXC have no UUID: their profiles are their own, however many there are.
  const plain = ['lxc-a', 'lxc-b'].map((each) => toProfile({ name: each, guest_type: 'lxc' }, alternating));
  assert.equal(new ProfileSet(plain, 'p.json').of({ name: 'lxc-b', guest_type: 'lxc' }), plain[1]);
  assert.match(plotProfile(ofContainer, false), /^proxmox-901, container 901\n/);
  assert.match(plotProfile(ofVm, false), /^proxmox-901, VM 901\n/);
});

test('the metric is set in the row of the VM, from the second period on', () => {
  const trained = new VmProfile(defaults);
  for (const value of values('0003')) trained.put([{ name: 'cpu', min: 0, max: 100 }], [value]);
  const collector = new LikelinessCollector(new ProfileSet([toProfile({ name: uuid }, trained)], 'p.json'));
  const vm = testVm({ uuid, name: '' });
  const target = new Target(vm);
  const stranger = new Target({ ...vm, uuid: 'other' });
  set(stranger.row, { cpu_total: 1, cpu_steal: 1 });
  const host = new TargetRows('host');
  const slot = columns('vm').find(({ id }) => id === 'profile_likeliness')!.slot;
  const found = values('003').map((cpu) => {
    target.row.clear();
    set(target.row, { cpu_total: cpu, cpu_steal: 0 });
    collector.collect(host, [target, stranger]);
    return target.row.values[slot];
  });
  assert.deepEqual(found, [NaN, 0.75, 0.25]);
  assert.equal(stranger.row.values[slot], NaN);
});

test('profiles are read as lines, the last of a VM counts, and as a document', async () => {
  const line = profileLine({ name: uuid }, alternating);
  writeFileSync(file, profileLine({ name: uuid }, profileOf([])) + line);
  assert.ok(await holdsProfiles(file));
  const [first, last] = await readProfiles(file);
  assert.deepEqual([first!.roottx.length, last!.roottx.length], [0, 1]);
  assert.deepEqual(
    new ProfileSet([first!, last!], file).of({ name: uuid }),
    toProfile({ name: uuid }, alternating),
  );
  writeFileSync(file, JSON.stringify(JSON.parse(line), undefined, 2));
  assert.ok(await holdsProfiles(file));
  assert.deepEqual(await readProfiles(file), [toProfile({ name: uuid }, alternating)]);
});

test('what is no profile is refused', async () => {
  const profile = toProfile({ name: uuid }, alternating);
  const refuses = async (content: unknown, message: RegExp): Promise<void> => {
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify({ profile: content }));
    await assert.rejects(readProfiles(file), { name: 'InputError', message });
  };
  await refuses('', /^\S+profile\.json: it is empty, expected a profile$/);
  await refuses('{"a":1}', /^\S+profile\.json: expected \{"profile": \.\.\.\} as proxprofiler writes it$/);
  await refuses('{"profile":\nx', /^\S+profile\.json:1: expected \{"profile"/);
  await refuses({ ...profile, version: 2 }, /: found a profile of version 2, expected version 1$/);
  await refuses({ ...profile, version: undefined }, /: found a profile of no version, expected version 1$/);
  for (const damaged of [
    { ...profile, name: 5 },
    { ...profile, settings: { ...profile.settings, states: 5 } },
    { ...profile, settings: undefined },
    { ...profile, roottx: [{ metric: 'cpu' }] },
    { ...profile, roottx: [null] },
    { ...profile, roottx: 5 },
    { ...profile, settings: { ...profile.settings, states: 1e9 } },
    { ...profile, settings: { ...profile.settings, history: 1e9 } },
    { ...profile, settings: { ...profile.settings, buffersize: 1e9 } },
    { ...profile, roottx: profile.roottx.map((matrix) => ({ ...matrix, transitions: null })) },
    { ...profile, roottx: profile.roottx.map((matrix) => ({ ...matrix, stats: { min: 0, max: 1 } })) },
  ])
    await refuses(damaged, /: the profile is damaged: name, settings and roottx are inconsistent$/);
});

test('any profile is refused in one sentence or can be shown', async () => {
  const whole = { profile: toProfile({ name: uuid }, alternating) };
  const strange = [null, 5, -1, 1e308, 'x', [], {}, [null], true];
  /** Every copy of a value in which one part is another thing, or is missing. */
  function* mutants(value: unknown): Generator {
    yield* strange;
    if (typeof value !== 'object' || value === null) return;
    const entries = Object.entries(value);
    for (const [at, [key, part]] of entries.entries()) {
      const made = (changed: readonly (readonly [string, unknown])[]): unknown =>
        Array.isArray(value) ? changed.map(([, each]) => each) : Object.fromEntries(changed);
      yield made(entries.toSpliced(at, 1));
      for (const mutant of mutants(part)) yield made(entries.with(at, [key, mutant]));
    }
  }
  let shown = 0;
  let refused = 0;
  const bytes = JSON.stringify(whole);
  const truncated = Array.from({ length: 60 }, (_, part) => bytes.slice(0, (bytes.length * part) / 60));
  for (const text of [...truncated, ...[...mutants(whole)].map((each) => JSON.stringify(each))]) {
    writeFileSync(file, text);
    let profiles;
    try {
      profiles = await readProfiles(file);
    } catch (error) {
      assert.equal((error as Error).name, 'InputError', `${text}: ${String(error)}`);
      refused++;
      continue;
    }
    for (const profile of profiles) {
      plotProfile(profile, true);
      simulate(profile, 3, Math.random);
      new Follower(profile).next(() => 1);
    }
    shown++;
  }
  assert.ok(shown > 100 && refused > 100, `${shown} shown, ${refused} refused`);
});

test('a simulation walks as likely as the profile says, and only where it went', () => {
  let seed = 1;
  const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const { states, values: drawn, name } = simulate(toProfile({ name: uuid }, alternating), 10_000, random);
  const walk = states['metric_0']!;
  assert.equal(name, uuid);
  assert.equal(walk.length, 10_000);
  assert.ok(walk.every((state) => state === 0 || state === 3));
  // After a 3 always 0; after a 0 a 3 in 27 of 100.
  const threes = walk.filter((state) => state === 3).length;
  assert.ok(Math.abs(threes / 10_000 - 0.27 / 1.27) < 0.02, String(threes));
  assert.ok(walk.every((state, index) => state === 0 || walk[index + 1] !== 3));
  assert.equal(drawn['metric_0']![walk.indexOf(3)], 75);
});

test('a heat map has a row and a cell for each state, and no control characters of its own', () => {
  const plain = plotProfile(toProfile({ name: 'a\u001b[2Jb' }, alternating), false).split('\n');
  assert.equal(plain[0], 'a?[2Jb');
  assert.match(plain[2]!, /^metric_0: 19 inputs, mean 15\.8, deviation 0$/);
  assert.match(plain[4]!, /^ {2}0 {2}0 +▓▓73% +0% +0% +▒▒27% +79%$/u);
  assert.match(plain[5]!, /^ {2}1 {2}25 +\. +\. +\. +\. +never$/);
  assert.match(plain[7]!, /^ {2}3 {2}75 +██100% +0% +0% +0% +21%$/u);
  const colour = plotProfile(toProfile({ name: 'x' }, alternating), true);
  assert.match(colour, /\u001b\[48;5;178;38;5;255m {3}73% \u001b\[0m/);
});

test('a profile shows no control characters, whatever its VM is called', () => {
  const name = '\u001b]0;pwned\u0007\u009b2J\u202e\u2028';
  const line = profileLine({ name }, profileOf([]));
  assert.doesNotMatch(line.trimEnd(), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.equal((JSON.parse(line) as { profile: { name: string } }).profile.name, name);
});
