// What becomes of the records of a spool in the states that a disk, a directory and a clock can be in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpPeer, LinePeer } from './delivery-peers.ts';
import { delivered, outputRow, Rig, shapedNetwork } from './delivery-rig.ts';
import { num, PROXTOP, Program } from './program.ts';

const nowhere = '127.0.0.1:9';
const keys = { type: 'tcp', spool: 'true', spool_sync: 0.1 } as const;

/** What a replay of large samples needs, so that each is spooled at once. */
const large = { ...keys, queue_bytes: '64K' } as const;

/** Samples so many records while nothing listens; they are on disk then. */
async function outage(rig: Rig, records: number): Promise<void> {
  rig.configure({ stream: { ...keys, target: nowhere } });
  const run = rig.start();
  await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= records);
  await run.stop();
}

/** The segments of a spool, the oldest first. */
function segments(rig: Rig): string[] {
  const directory = join(rig.state, 'stream');
  return readdirSync(directory)
    .filter((file) => file.endsWith('.spool'))
    .sort()
    .map((file) => join(directory, file));
}

/** ms of CPU that a process has used. */
function cpu({ pid }: Program): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

describe('a spool', { concurrency: true }, () => {
  test('on a disk that is full at the start is delivered, which makes room', async (t) => {
    const rig = new Rig(t);
    const disk = rig.smallDisk('2m');
    await outage(rig, 15);
    const backlog = rig.sampled;
    disk.fill();
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: peer.target } });
    const run = rig.start();
    await peer.arrive(backlog);
    await run.stop();
    rig.assertAccounted(peer.records);
  });

  test('on a file system that is read-only at the start is delivered, at the latest when it can be written to', async (t) => {
    const rig = new Rig(t);
    const disk = rig.smallDisk('2m');
    await outage(rig, 15);
    const backlog = rig.sampled;
    disk.readOnly(true);
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: peer.target } });
    const run = rig.start();
    await peer.until('some samples', () => peer.records.length >= 5);
    disk.readOnly(false);
    await peer.arrive(backlog);
    await run.stop();
    rig.assertAccounted(peer.records);
  });

  test('whose directory is there only later is found', async (t) => {
    const rig = new Rig(t);
    await outage(rig, 15);
    const backlog = rig.sampled;
    const away = `${rig.state}.away`;
    renameSync(rig.state, away);
    // As where a file system is not mounted yet and its mount point cannot be written to.
    writeFileSync(rig.state, '');
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: peer.target } });
    const run = rig.start();
    await peer.until('some samples', () => peer.records.length >= 5);
    rmSync(rig.state);
    renameSync(away, rig.state);
    await peer.arrive(backlog);
    await run.stop();
    rig.assertAccounted(peer.records);
  });

  test('of megabytes: what a receiver that stalled had taken and not read is sent again', async (t) => {
    const network = shapedNetwork(t);
    // What a fast network makes of it by itself: more waits in the kernel than is kept to be sent again.
    network.setting('net.ipv4.tcp_wmem', '4096 16777216 16777216');
    const rig = new Rig(t);
    rig.configure({ stream: { ...large, target: nowhere } });
    await rig.backlog(300, 60_000);
    const peer = await LinePeer.create(t, network.address);
    peer.stall(20);
    rig.configure({ stream: { ...large, target: peer.target } });
    const run = rig.start({}, network.inside);
    await peer.until('a part of the backlog', () => peer.records.length >= 20);
    // Both kernels fill up meanwhile.
    await sleep(4000);
    const { port } = peer;
    await peer.die();
    const next = await LinePeer.create(t, network.address, port);
    await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
    await run.stop();
    const told = rig.assertAccounted([...peer.records, ...next.records]);
    assert.deepEqual(told, {});
  });

  for (const [what, code] of [
    ['a file in the place of its directory', 'ENOTDIR'],
    ['a directory in the place of a segment', 'EISDIR'],
  ] as const) {
    test(`with ${what} (${code}) costs neither CPU nor a flood of the log, and blocks nothing`, async (t) => {
      const rig = new Rig(t);
      const port = await reserved(t);
      rig.configure({ stream: { ...large, target: `127.0.0.1:${port}` } });
      await rig.backlog(150, 60_000);
      const run = rig.start();
      await run.next('it runs', (cycle) => Number(outputRow(cycle)['spooled']) >= 155);
      const path = code === 'ENOTDIR' ? join(rig.state, 'stream') : segments(rig)[2]!;
      renameSync(path, `${path}.away`);
      if (code === 'ENOTDIR') writeFileSync(path, '');
      else mkdirSync(path);
      const peer = await LinePeer.create(t, '127.0.0.1', port);
      await peer.until('new samples', () => peer.records.includes(rig.sampled.at(-1)!));
      const before = { cpu: cpu(run), log: run.stderr.length };
      await sleep(3000);
      const used = { cpu: cpu(run) - before.cpu, log: run.stderr.length - before.log };
      assert.ok(used.cpu < 2000 && used.log < 5000, JSON.stringify(used));
      if (code === 'EISDIR') await peer.until('the other segments', () => peer.records.length >= 100);
      rmSync(path, { recursive: true });
      renameSync(`${path}.away`, path);
      await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
      await run.stop();
      // What it gave up as damaged it may find again now that the files are back.
      await delivered(rig);
      rig.assertAccounted(peer.records);
    });
  }

  test('takes what waits also while the wall clock is set back', async (t) => {
    // So much that the kernels are full soon, and records wait.
    const rig = new Rig(t, 900);
    const library = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
      .map((directory) => join(directory, 'faketime/libfaketime.so.1'))
      .find((path) => existsSync(path));
    if (library === undefined) {
      t.skip('needs libfaketime');
      return;
    }
    const clock = join(rig.root, 'clock');
    writeFileSync(clock, '+0\n');
    const peer = await LinePeer.create(t);
    // Nor does the queue fill up to what is spooled in any case.
    rig.configure({ stream: { ...keys, target: peer.target, timeout: 60, queue_bytes: '1G' } });
    const run = rig.start({
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    });
    await peer.until('some samples', () => peer.records.length >= 5);
    peer.stall();
    await run.next('records that wait', (cycle) => num(outputRow(cycle), 'queued') >= 3);
    writeFileSync(clock, '-3600\n');
    await run.next('records on disk', (cycle) => num(outputRow(cycle), 'spooled') > 0);
    peer.goOn();
    await peer.until('the rest', () => peer.records.includes(rig.sampled.at(-1)!));
    await run.stop();
    rig.assertAccounted(peer.records);
  });

  test('has one user, also among containers', async (t) => {
    const rig = new Rig(t);
    rig.configure({ stream: { ...keys, target: nowhere } });
    const first = rig.start({}, ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']);
    await first.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 3);
    const again = [
      'unshare',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      PROXTOP,
      '--config',
      rig.config,
    ];
    const second = new Program(spawn(again[0]!, again.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] }));
    const { code, stderr } = await second.end();
    assert.equal(code, 1, stderr);
    assert.match(stderr, /is used by another proxtop/);
    await first.next('the first one goes on');
    first.child.kill('SIGKILL');
  });

  test('that is full and cannot drop keeps its order: the oldest records go first', async (t) => {
    const rig = new Rig(t);
    const disk = rig.smallDisk('2m');
    const port = await reserved(t);
    rig.configure({ stream: { ...keys, target: `127.0.0.1:${port}`, queue_bytes: '64K' } });
    const run = rig.start();
    await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 3);
    disk.fill();
    await run.next('a full queue', (cycle) => num(outputRow(cycle), 'dropped_queue_full') >= 20);
    disk.free();
    const peer = await LinePeer.create(t, '127.0.0.1', port);
    await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
    await run.stop();
    rig.assertAccounted(peer.records);
    const got = new Set(peer.records);
    const missing = rig.sampled.map((key) => !got.has(key));
    const gap = missing.slice(missing.indexOf(true), missing.lastIndexOf(true) + 1);
    assert.ok(gap.every(Boolean), `one gap, not ${missing.map(Number).join('')}`);
  });

  for (const [what, away] of [
    [
      'its directory deleted',
      (rig: Rig) => {
        rmSync(join(rig.state, 'stream'), { recursive: true });
      },
    ],
    [
      'the state directory deleted',
      (rig: Rig) => {
        rmSync(rig.state, { recursive: true });
      },
    ],
    [
      'a segment deleted',
      (rig: Rig) => {
        rmSync(segments(rig)[1]!);
      },
    ],
  ] as const) {
    test(`with ${what} while it is in use: what was in it is counted, what comes is kept`, async (t) => {
      const rig = new Rig(t);
      const port = await reserved(t);
      rig.configure({ stream: { ...large, target: `127.0.0.1:${port}` } });
      await rig.backlog(100, 60_000);
      const run = rig.start();
      await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 105);
      away(rig);
      const { seq } = await run.next();
      await run.next('new records on disk', (cycle) => cycle.seq > seq + 10);
      const peer = await LinePeer.create(t, '127.0.0.1', port);
      await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
      await run.stop();
      const told = rig.assertAccounted(peer.records);
      assert.deepEqual(Object.keys(told), ['damaged'], JSON.stringify(told));
    });
  }

  test('whose directory is moved away in an outage and comes back loses nothing', async (t) => {
    const rig = new Rig(t);
    const port = await reserved(t);
    rig.configure({ stream: { ...keys, target: `127.0.0.1:${port}` } });
    const run = rig.start();
    await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 5);
    const path = join(rig.state, 'stream');
    renameSync(path, `${path}.away`);
    const { seq } = await run.next();
    await run.next('some samples', (cycle) => cycle.seq >= seq + 15);
    rmSync(path, { recursive: true, force: true });
    renameSync(`${path}.away`, path);
    await run.next('some samples', (cycle) => cycle.seq >= seq + 30);
    const peer = await LinePeer.create(t, '127.0.0.1', port);
    await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
    await run.stop();
    rig.assertAccounted(peer.records);
  });

  test('that may not drop its oldest records keeps them, and what comes is counted', async (t) => {
    const rig = new Rig(t, 900);
    const port = await reserved(t);
    const full = { ...keys, spool_max: '16M', queue_bytes: '1M', when_full: 'drop_newest' } as const;
    rig.configure({ stream: { ...full, target: `127.0.0.1:${port}` } });
    await rig.backlog(50, 300_000);
    const run = rig.start();
    await run.next('a full queue', (cycle) => num(outputRow(cycle), 'dropped_queue_full') >= 10);
    const peer = await LinePeer.create(t, '127.0.0.1', port);
    await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
    await run.stop();
    const told = rig.assertAccounted(peer.records);
    assert.deepEqual(Object.keys(told), ['queue_full'], JSON.stringify(told));
    assert.ok(peer.records.includes(rig.sampled[0]!), 'the oldest record arrived');
  });

  test('of an HTTP output whose server hangs and dies is delivered to the next one', async (t) => {
    const rig = new Rig(t);
    const peer = await HttpPeer.create(t);
    peer.answer = () => undefined;
    rig.configure({ stream: { ...keys, type: 'http', target: peer.target, timeout: 1 } });
    const run = rig.start();
    await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 10);
    await peer.die();
    peer.answer = () => 204;
    await peer.listen();
    await run.next('an empty spool', (cycle) => Number(outputRow(cycle)['spooled']) === 0);
    await run.stop();
    assert.deepEqual(rig.assertAccounted(peer.records), {});
  });
});

/** A port on which nothing listens yet. */
async function reserved(t: TestContext): Promise<number> {
  const peer = await LinePeer.create(t);
  await peer.die();
  return peer.port;
}
