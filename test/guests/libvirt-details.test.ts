import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LibvirtDetails, unseenQuestions } from '../../src/guests/libvirt/libvirt-details.ts';
import { statsGroups } from '../../src/libvirt/hypervisor.ts';
import { logs } from '../delivery/helpers.ts';
import { FakeLibvirtd, fakeDomain } from '../libvirt/daemon.ts';
import { noDirectories } from '../libvirt/peer.ts';
import { eventually } from './support.ts';

const { balloon: BALLOON, vcpu: VCPU } = statsGroups;
/** Everything about all domains. */
const everyone = [{ groups: BALLOON | statsGroups.block, domains: [] }];
const fine = (): undefined => undefined;

async function setUp(t: TestContext): Promise<{ daemon: FakeLibvirtd; details: LibvirtDetails }> {
  const daemon = await FakeLibvirtd.start(t);
  daemon.domains = [fakeDomain('one', 1), fakeDomain('two', 2)];
  const details = new LibvirtDetails(daemon.peer.uri, noDirectories, logs().log);
  t.after(() => {
    details.close();
  });
  return { daemon, details };
}

/** What was told of each domain: its name and its resident size. */
function told(answer: Awaited<ReturnType<LibvirtDetails['ask']>>): unknown {
  if (typeof answer === 'string') return answer;
  return answer.stats.map(({ domain, parameters }) => [domain.name, parameters.get('balloon.rss')]).sort();
}

test('all domains in one call; of those whose processes cannot be seen, CPU time too', async (t) => {
  const { daemon, details } = await setUp(t);
  const everything = [
    ['one', 1024],
    ['two', 1024],
  ];
  const before = performance.now() / 1000;
  const answer = await details.ask(fine, everyone);
  assert.deepEqual(told(answer), everything);
  assert.ok(typeof answer === 'object' && answer.asked >= before && answer.took >= 0);
  assert.ok(answer.stats.every(({ time }) => time >= answer.asked));
  assert.deepEqual(told(await details.ask(fine, unseenQuestions)), everything);
  assert.deepEqual(
    daemon.calls.map(({ groups, names }) => [groups & VCPU, names]),
    [
      [0, []],
      [VCPU, []],
    ],
  );
});

test('a call that fails is made once more: a domain that just ends fails it for all', async (t) => {
  const { daemon, details } = await setUp(t);
  daemon.instead.push({ groups: BALLOON, how: 'fail' });
  assert.deepEqual(told(await details.ask(fine, everyone)), [
    ['one', 1024],
    ['two', 1024],
  ]);
  daemon.instead.push({ groups: BALLOON, how: 'fail' }, { groups: BALLOON, how: 'fail' });
  assert.equal(await details.ask(fine, everyone), 'error');
  assert.equal(daemon.calls.length, 4);
});

test('domains that were busy are asked again, and none but they', async (t) => {
  const { daemon, details } = await setUp(t);
  daemon.busy = () => (daemon.calls.length < 3 ? ['two'] : []);
  assert.deepEqual(told(await details.ask(fine, everyone)), [
    ['one', 1024],
    ['two', 1024],
  ]);
  assert.deepEqual(
    daemon.calls.map(({ names }) => names),
    [[], ['two'], ['two']],
  );
  daemon.busy = () => ['two'];
  const answer = await details.ask(fine, everyone);
  assert.deepEqual(told(answer), [
    ['one', 1024],
    ['two', undefined],
  ]);
  assert.equal(daemon.calls.length, 3 + 4, 'three times at most');
});

test('where libvirt as a whole is silent, or there is no connection, nothing is asked', async (t) => {
  const { daemon, details } = await setUp(t);
  assert.equal(await details.ask(() => 'timeout', everyone), 'timeout');
  assert.equal(daemon.calls.length, 0);
  details.close();
  assert.equal(await details.ask(fine, everyone), 'error');
  assert.equal(daemon.calls.length, 0);
});

test('a call that hangs is left to itself and made again; three may hang at a time', async (t) => {
  const { daemon, details } = await setUp(t);
  await details.ask(fine, everyone);
  // From here on the deadlines of calls are ours to end.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hangs = (count: number): void => {
    for (let n = 0; n < count; n++) daemon.instead.push({ groups: BALLOON, how: 'hang' });
  };
  const asked = async (calls: number): Promise<void> => {
    while (daemon.calls.length < calls) await new Promise(setImmediate);
  };
  hangs(1);
  const first = details.ask(fine, everyone);
  await asked(2);
  t.mock.timers.tick(5000);
  assert.deepEqual(told(await first), [
    ['one', 1024],
    ['two', 1024],
  ]);
  hangs(3);
  const second = details.ask(fine, everyone);
  for (const calls of [4, 5, 6]) {
    await asked(calls);
    t.mock.timers.tick(5000);
  }
  assert.equal(await second, 'timeout', 'with the one before there are four');
  assert.equal(await details.ask(fine, everyone), 'timeout');
  assert.equal(daemon.calls.length, 6, 'nothing more is sent');
  t.mock.timers.reset();
  daemon.wakeUp();
  await eventually(async () => typeof (await details.ask(fine, everyone)) === 'object');
});
