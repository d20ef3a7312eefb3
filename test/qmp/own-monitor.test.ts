import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { QmpError } from '../../src/qmp/errors.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import { OwnMonitor } from '../../src/qmp/own/own-monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { queryStatus } from '../../src/qmp/replies.ts';
import { OtherClient, Qemu, bare, blockdevDisks, removeImages } from './qemu.ts';

const prepared = new PreparedQueries([queryStatus]);
const patient = 10_000;

/** A real QEMU with a second monitor, whose socket lies in its directory. */
async function withTwo(body: (qemu: Qemu, own: string) => Promise<void>, args = bare): Promise<void> {
  // Its path is relative to the directory that QEMU starts in.
  const qemu = new Qemu([...args, '-qmp', 'unix:proxtop.qmp,server=on,wait=off']);
  try {
    await body(qemu, join(qemu.directory, 'proxtop.qmp'));
  } finally {
    qemu.stop();
  }
}

function ownMonitor(qemu: Qemu, own: string, deadline = patient): OwnMonitor {
  return new OwnMonitor(own, undefined, new Monitor(qemu.path, patient), deadline);
}

async function statusOf(monitor: Monitor): Promise<string | undefined> {
  const outcome = await monitor.ask(prepared);
  if (outcome instanceof QmpError) throw outcome;
  return outcome[0].value?.status;
}

/** Counts the connections to a monitor on their way, and can cut them. */
async function relay(qemu: Qemu, to: string): Promise<{ path: string; taken: Socket[]; close: () => void }> {
  const path = join(qemu.directory, 'relay-proxtop');
  const taken: Socket[] = [];
  const server = createServer((socket) => {
    taken.push(socket);
    const behind = connect(to);
    socket.on('error', () => undefined).on('close', () => behind.destroy());
    behind.on('error', () => undefined).on('close', () => socket.destroy());
    socket.pipe(behind).pipe(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    taken,
    close: () => {
      server.close();
      for (const socket of taken) socket.destroy();
    },
  };
}

test('one connection serves all visits, while others come and go at the monitor of the tools', async () => {
  await withTwo(async (qemu, own) => {
    const way = await relay(qemu, own);
    const monitor = ownMonitor(qemu, way.path);
    const tool = new OtherClient(qemu.path);
    await tool.negotiate();
    for (let visit = 0; visit < 20; visit++) assert.equal(await statusOf(monitor), 'prelaunch');
    assert.equal(way.taken.length, 1);
    // A second client of the same monitor is not greeted: that it is held shows that the connection stands.
    const second = new Monitor(own, 50);
    assert.ok((await second.ask(prepared)) instanceof QmpError);
    second.close();
    tool.close();
    monitor.close();
    way.close();
  });
});

test('events that come between two visits are passed over, and what they tell of is seen', async () => {
  await withTwo(async (qemu, own) => {
    const monitor = ownMonitor(qemu, own);
    const tool = new OtherClient(qemu.path);
    await tool.negotiate();
    assert.equal(await statusOf(monitor), 'prelaunch');
    for (let round = 0; round < 10; round++) {
      await tool.ask('cont');
      assert.equal(await statusOf(monitor), 'running');
      await tool.ask('stop');
      assert.equal(await statusOf(monitor), 'paused');
    }
    tool.close();
    monitor.close();
  }, blockdevDisks());
  removeImages();
});

test('a connection that breaks is made anew', async () => {
  await withTwo(async (qemu, own) => {
    const way = await relay(qemu, own);
    const monitor = ownMonitor(qemu, way.path);
    for (let round = 1; round <= 3; round++) {
      // Each visit is answered, by the other monitor as long as this one is given a rest.
      while (way.taken.length < round) {
        assert.equal(await statusOf(monitor), 'prelaunch');
        await sleep(20);
      }
      assert.equal(await statusOf(monitor), 'prelaunch');
      way.taken.at(-1)?.destroy();
    }
    assert.equal(await statusOf(monitor), 'prelaunch');
    monitor.close();
    way.close();
  });
});

test('the monitor of the tools is asked where the own one is not there, or is held', async () => {
  await withTwo(async (qemu, own) => {
    const away = ownMonitor(qemu, join(qemu.directory, 'none-proxtop'));
    for (let visit = 0; visit < 3; visit++) assert.equal(await statusOf(away), 'prelaunch');
    away.close();

    const holder = new OtherClient(own);
    await holder.negotiate();
    const monitor = ownMonitor(qemu, own, 50);
    const outcome = await monitor.ask(prepared);
    assert.ok(outcome instanceof QmpError);
    assert.equal(outcome.reason, 'timeout');
    assert.equal(monitor.due(performance.now() / 1000), true);
    assert.equal(await statusOf(monitor), 'prelaunch');
    monitor.close();
    assert.equal(monitor.due(performance.now() / 1000 + 1000), false);
    holder.close();
  });
});
