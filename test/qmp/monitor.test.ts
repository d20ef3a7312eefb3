import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { QmpError } from '../../src/qmp/errors.ts';
import { Monitor, retryDelay } from '../../src/qmp/monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { queryBalloon, queryStatus } from '../../src/qmp/replies.ts';
import { OtherClient, bare, until, withQemu } from './qemu.ts';

const prepared = new PreparedQueries([queryStatus, queryBalloon]);
const patient = 10_000;
const seconds = (): number => performance.now() / 1000;

async function assertAnswers(monitor: Monitor): Promise<void> {
  const outcome = await monitor.ask(prepared);
  if (outcome instanceof QmpError) throw outcome;
  assert.equal(outcome[0].value?.status, 'prelaunch');
}

async function assertTimeout(monitor: Monitor): Promise<void> {
  const outcome = await monitor.ask(prepared);
  assert.ok(outcome instanceof QmpError);
  assert.equal(outcome.reason, 'timeout');
}

test('the delay doubles up to a minute', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 5000].map(retryDelay), [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test('a failure delays the next visit, an answer makes it due again', async () => {
  await withQemu(bare, async (qemu) => {
    const away = new Monitor(join(qemu.directory, 'none'));
    assert.equal(away.due(seconds()), true);
    for (const delay of [1, 2, 4]) {
      const outcome = await away.ask(prepared);
      assert.ok(outcome instanceof QmpError);
      assert.equal(outcome.reason, 'error');
      assert.match(outcome.message, /none: .*ENOENT/);
      assert.equal(away.due(seconds() + delay - 0.5), false);
      assert.equal(away.due(seconds() + delay), true);
    }
    const monitor = new Monitor(qemu.path, patient);
    await assertAnswers(monitor);
    assert.equal(monitor.due(seconds()), true);
    monitor.close();
    assert.equal(monitor.due(seconds() + 100), false);
    assert.ok((await monitor.ask(prepared)) instanceof QmpError);
  });
});

test('held by another client: one connection of ours waits, and takes nothing when its turn comes', async () => {
  await withQemu(bare, async (qemu) => {
    const holder = new OtherClient(qemu.path);
    await holder.negotiate();
    const monitor = new Monitor(qemu.path, 50);
    for (let i = 0; i < 20; i++) {
      await assertTimeout(monitor);
      assert.equal(monitor.due(seconds() + 1000), false, 'not due while it waits');
      assert.equal(qemu.queued(), 1);
    }
    // There is room for a third, who is served at once when the holder leaves although we are before it.
    const third = new OtherClient(qemu.path);
    holder.close();
    assert.match(await third.next(), /^\{"QMP"/);
    await until(() => !monitor.connected);
    third.close();
    await assertAnswers(new Monitor(qemu.path, patient));
    assert.equal(monitor.due(seconds() + 1), true);
  });
});

test('SIGSTOP: never more than one connection in the queue; SIGCONT: everybody is served', async () => {
  await withQemu(bare, async (qemu) => {
    const monitor = new Monitor(qemu.path, 50);
    const steady = new Monitor(qemu.path, patient);
    await assertAnswers(steady);
    qemu.freeze();
    for (let i = 0; i < 20; i++) {
      await assertTimeout(monitor);
      assert.equal(qemu.queued(), 1);
    }
    const other = new OtherClient(qemu.path);
    const greeting = other.next();
    qemu.signal('SIGCONT');
    assert.match(await greeting, /^\{"QMP"/);
    other.close();
    await until(() => !monitor.connected);
    await assertAnswers(steady);
  });
});

test('a full queue (EAGAIN) is a timeout', async () => {
  await withQemu(bare, async (qemu) => {
    qemu.freeze();
    const others = [new OtherClient(qemu.path), new OtherClient(qemu.path)];
    await until(() => qemu.queued() === 2);
    const monitor = new Monitor(qemu.path, patient);
    const outcome = await monitor.ask(prepared);
    assert.ok(outcome instanceof QmpError);
    assert.equal(outcome.reason, 'timeout');
    assert.match(outcome.message, /EAGAIN/);
    assert.equal(monitor.connected, false);
    for (const other of others) other.close();
  });
});

test('killed while we wait for its greeting', async () => {
  await withQemu(bare, async (qemu) => {
    qemu.freeze();
    const early = new Monitor(qemu.path, 50);
    await assertTimeout(early);
    const waiting = new Monitor(qemu.path, patient);
    const outcome = waiting.ask(prepared);
    await until(() => qemu.queued() === 2);
    qemu.signal('SIGKILL');
    const failure = await outcome;
    assert.ok(failure instanceof QmpError);
    assert.equal(failure.reason, 'error');
    await until(() => !early.connected);
    await until(() => !waiting.connected);
    // The socket file of a killed QEMU stays behind.
    const refused = await new Monitor(qemu.path).ask(prepared);
    assert.ok(refused instanceof QmpError);
    assert.match(refused.message, /ECONNREFUSED/);
  });
});

test('killed between its greeting and the replies', async () => {
  await withQemu(bare, async (qemu) => {
    // A fake relay, because nothing else can stop a real QEMU at exactly this point.
    const path = join(qemu.directory, 'relay');
    const relay = createServer((socket) => {
      const real = new OtherClient(qemu.path);
      void real.next().then((greeting) => {
        socket.write(`${greeting}\n`);
        socket.once('data', () => {
          qemu.signal('SIGKILL');
          void real.next().catch(() => socket.destroy());
        });
      });
    }).listen(path);
    await once(relay, 'listening');
    const outcome = await new Monitor(path, patient).ask(prepared);
    relay.close();
    assert.ok(outcome instanceof QmpError);
    assert.equal(outcome.reason, 'error');
    assert.match(outcome.message, /after 0 of 3 replies/);
  });
});

test('closing ends a visit and a connection that waits', async () => {
  await withQemu(bare, async (qemu) => {
    qemu.freeze();
    const late = new Monitor(qemu.path, 50);
    await assertTimeout(late);
    const waiting = new Monitor(qemu.path, patient);
    const outcome = waiting.ask(prepared);
    late.close();
    waiting.close();
    assert.equal(late.connected || waiting.connected, false);
    assert.ok((await outcome) instanceof QmpError);
  });
});

test('another client is greeted quickly while we ask every 50 ms', async () => {
  await withQemu(bare, async (qemu) => {
    const monitor = new Monitor(qemu.path, patient);
    let asking = true;
    const visits = (async () => {
      let count = 0;
      for (; asking; count++) {
        await assertAnswers(monitor);
        await sleep(50);
      }
      return count;
    })();
    let slowest = 0;
    for (let i = 0; i < 40; i++) {
      const start = performance.now();
      const other = new OtherClient(qemu.path);
      await other.negotiate();
      slowest = Math.max(slowest, performance.now() - start);
      other.close();
      await sleep(i % 7);
    }
    asking = false;
    assert.ok((await visits) > 3);
    assert.ok(slowest < 1000, `${slowest} ms`);
  });
});
