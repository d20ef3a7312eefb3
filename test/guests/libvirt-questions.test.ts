import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionsAbout } from '../../src/guests/libvirt/libvirt-details.ts';
import { LibvirtVm } from '../../src/guests/libvirt/libvirt-vm.ts';
import { readDevices } from '../../src/guests/libvirt/libvirt-xml.ts';
import { toldSources } from '../../src/guests/sources.ts';
import { statsGroups } from '../../src/libvirt/hypervisor.ts';

const BOTH = statsGroups.block | statsGroups.balloon;
const disks = { 'block.count': 1, 'block.0.name': 'vda', 'block.0.rd.reqs': 5 };
const balloon = {
  'balloon.current': 1024,
  'balloon.maximum': 2048,
  'balloon.last-update': 0,
  'balloon.rss': 900,
};

function vm(name: string, devices: Partial<LibvirtVm['devices']> = {}): LibvirtVm {
  const made = new LibvirtVm({ name, uuid: name, id: 1 }, toldSources({ kind: 'host' }));
  made.devices = { ...readDevices(''), ...devices };
  return made;
}

function take(of: LibvirtVm, time: number, parameters: Record<string, number | string>): void {
  of.takeDetail(new Map(Object.entries(parameters)), time);
}

/** The names of the domains that each call is about, by its groups. */
function asked(vms: readonly LibvirtVm[], time: number): Record<number, string[]> {
  const questions = questionsAbout(vms, time);
  return Object.fromEntries(
    questions.map(({ groups, domains }) => [groups, domains.map(({ name }) => name)]),
  );
}

test('about a balloon that tells nothing new is asked once a minute', () => {
  const one = vm('one');
  assert.deepEqual(asked([one], 0), { [BOTH]: ['one'] }, 'of a new domain everything');
  take(one, 0, { ...disks, ...balloon });
  assert.deepEqual(asked([one], 10), { [statsGroups.block]: ['one'] });
  take(one, 10, disks);
  assert.deepEqual(one.detail?.balloon, { actual: 2 ** 20, max: 2 ** 21 }, 'what is known stands');
  assert.equal(one.detail.time, 10);
  assert.deepEqual(asked([one], 59), { [statsGroups.block]: ['one'] });
  assert.deepEqual(asked([one], 60), { [BOTH]: ['one'] });
});

test('about one that changed, or through which the guest reports, at once and always', () => {
  const [quiet, configured, reporting] = [
    vm('quiet'),
    vm('configured', { balloonStats: true }),
    vm('reporting'),
  ];
  const all = [quiet, configured, reporting];
  asked(all, 0);
  for (const each of all)
    take(each, 0, { ...disks, ...balloon, 'balloon.last-update': each === reporting ? 1e9 : 0 });
  assert.deepEqual(asked(all, 10), { [BOTH]: ['configured', 'reporting'], [statsGroups.block]: ['quiet'] });
  quiet.balloonChanged = true;
  assert.deepEqual(asked([quiet], 20), { [BOTH]: ['quiet'] });
  assert.deepEqual(asked([quiet], 20), { [statsGroups.block]: ['quiet'] }, 'one question for one change');
});

test('of a domain without disks the balloon tells whether its monitor answers', () => {
  const diskless = vm('diskless');
  asked([diskless], 0);
  take(diskless, 0, { 'block.count': 0, ...balloon });
  assert.equal(diskless.silence, undefined);
  assert.deepEqual(asked([diskless], 10), { [BOTH]: ['diskless'] });
});

test('after a silence everything is asked', () => {
  const one = vm('one');
  asked([one], 0);
  take(one, 0, { ...disks, ...balloon });
  take(one, 10, { 'block.count': 1, 'block.0.name': 'vda' });
  assert.equal(one.silence?.reason, 'timeout');
  assert.deepEqual(asked([one], 20), { [BOTH]: ['one'] });
});

test('without domains nothing is asked: no names would mean all', () => {
  assert.deepEqual(questionsAbout([], 0), []);
});
