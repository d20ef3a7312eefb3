import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LibvirtSession } from '../../src/guests/libvirt/libvirt-session.ts';
import type { Hypervisor } from '../../src/libvirt/hypervisor.ts';
import { stoppedClock } from '../collectors/support.ts';
import { logs } from '../delivery/helpers.ts';
import { until } from '../lab/processes.ts';
import { FakeLibvirtd } from '../libvirt/daemon.ts';
import { noDirectories } from '../libvirt/peer.ts';

/** A session with a daemon, and the clock by which it waits before it tries again. */
async function setUp(t: TestContext, opened?: (hypervisor: Hypervisor) => Promise<void>) {
  const at = stoppedClock(t);
  // The shortest wait: 250 ms.
  t.mock.method(Math, 'random', () => 0);
  const daemon = await FakeLibvirtd.start(t);
  const { log, at: lines } = logs();
  const session = new LibvirtSession(daemon.peer.uri, noDirectories, 60_000, log, opened);
  t.after(() => {
    session.close();
  });
  const connections = (): number => daemon.peer.requests.filter(({ procedure }) => procedure === 1).length;
  const isConnected = (): boolean => session.hypervisor !== undefined;
  return { at, daemon, session, lines, connections, isConnected };
}

test('one connection, whoever wants it; it is prepared before it is used', async (t) => {
  const seen: boolean[] = [];
  const { session, connections, isConnected } = await setUp(t, () => {
    seen.push(session.hypervisor === undefined);
    return Promise.resolve();
  });
  assert.ok(!isConnected());
  await Promise.all([session.ensure(), session.ensure()]);
  assert.ok(isConnected());
  await session.ensure();
  assert.deepEqual([connections(), seen], [1, [true]]);
});

test('a lost connection is made again after a wait; both are told', async (t) => {
  const { at, daemon, session, lines, connections, isConnected } = await setUp(t);
  await session.ensure();
  daemon.dropConnections();
  await until('it is lost', () => !isConnected());
  await session.ensure();
  assert.ok(!isConnected(), 'it is not time yet');
  assert.equal(lines('warn').length, 1);
  assert.match(lines('warn')[0] ?? '', /no connection to libvirt, its metrics are omitted: .*closed/);
  at(0.25);
  await session.ensure();
  assert.ok(isConnected());
  assert.deepEqual([connections(), lines('info').length], [2, 1]);
});

test('a failure is logged once, however often it comes, and anew when it is another one', async (t) => {
  let trouble = 'no events';
  const { at, daemon, session, lines } = await setUp(t, () => Promise.reject(new Error(trouble)));
  for (const time of [0, 1, 2]) {
    at(time);
    await session.ensure();
  }
  assert.equal(session.hypervisor, undefined);
  assert.equal(lines('warn').length, 1);
  trouble = 'no host name';
  at(10);
  await session.ensure();
  assert.deepEqual(
    lines('warn').map((line) => line.split(': ').at(-1)),
    ['no events', 'no host name'],
  );
  await until('no connection is left', () => daemon.peer.sockets.every(({ destroyed }) => destroyed));
});

test('a session that is closed while it connects has no connection and says nothing', async (t) => {
  const { daemon, session, lines } = await setUp(t, () => {
    session.close();
    return Promise.resolve();
  });
  await session.ensure();
  assert.deepEqual([session.hypervisor, lines('warn')], [undefined, []]);
  await until('no connection is left', () => daemon.peer.sockets.every(({ destroyed }) => destroyed));
  const { length } = daemon.peer.sockets;
  await session.ensure();
  assert.equal(daemon.peer.sockets.length, length, 'nor makes another');
});
