// What becomes of records that go to a file, over UDP, or out of a process that the system gives nothing more.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { LinePeer } from './delivery-peers.ts';
import { keyOf, outputRow, Rig } from './delivery-rig.ts';
import { num, type Stream } from './program.ts';

/** The records of a file and of those that were put aside before it. */
function recordsOf(path: string): string[] {
  const read = (file: string): string =>
    (file.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString();
  return archives(path)
    .concat(existsSync(path) ? [path] : [])
    .flatMap((file) => keysIn(read(file)));
}

/** The same while files are put aside: one may get another name meanwhile. */
async function settledRecords(path: string): Promise<string[]> {
  for (;;) {
    try {
      return recordsOf(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function keysIn(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(keyOf);
}

/** The files that were put aside, the oldest first. */
function archives(path: string): string[] {
  const directory = join(path, '..');
  const names = readdirSync(directory).filter((file) => /\.\d+(\.gz)?$/.test(file));
  const number = (file: string): number => Number(/\.(\d+)(\.gz)?$/.exec(file)![1]);
  return names.sort((a, b) => number(b) - number(a)).map((file) => join(directory, file));
}

/** Waits for so many samples more. */
async function samples(run: Stream, count: number): Promise<void> {
  const { seq } = await run.next();
  await run.next(`${count} samples`, (cycle) => cycle.seq >= seq + count);
}

describe('a file', { concurrency: true }, () => {
  for (const [what, take] of [
    [
      'deleted',
      (path: string) => {
        rmSync(path);
      },
    ],
    [
      'moved away',
      (path: string) => {
        renameSync(path, `${path}-away`);
      },
    ],
    [
      'replaced',
      (path: string) => {
        rmSync(path);
        writeFileSync(path, '');
      },
    ],
  ] as const) {
    test(`with rotation that was ${what} by somebody else: no archive goes with it`, async (t) => {
      const rig = new Rig(t);
      const directory = join(rig.root, 'files');
      execFileSync('mkdir', [directory]);
      const path = join(directory, 'samples.json');
      rig.configure({ file: { type: 'file', target: path, rotate_size: '8K', rotate_keep: 20 } });
      const run = rig.start();
      await run.next('archives', () => existsSync(`${path}.4.gz`));
      const before = await settledRecords(path);
      const open = openSync(path, 'r');
      t.after(() => {
        closeSync(open);
      });
      take(path);
      // Enough for several files more.
      await samples(run, 30);
      await run.stop();
      const all = new Set([...recordsOf(path), ...keysIn(readFileSync(open, 'utf8'))]);
      assert.deepEqual(
        before.filter((key) => !all.has(key)),
        [],
        'what was in the archives is still there',
      );
      assert.deepEqual(
        rig.sampled.filter((key) => !all.has(key)),
        [],
        'and all else',
      );
      assert.ok(archives(path).length >= 6, archives(path).join());
    });
  }

  for (const what of ['deleted', 'moved away'] as const) {
    test(`without rotation that was ${what} is made anew, and the log says so`, async (t) => {
      const rig = new Rig(t);
      const path = join(rig.root, 'samples.json');
      rig.configure({ file: { type: 'file', target: path } });
      const run = rig.start();
      await samples(run, 5);
      const open = openSync(path, 'r');
      t.after(() => {
        closeSync(open);
      });
      if (what === 'deleted') rmSync(path);
      else renameSync(path, `${path}.1`);
      await run.next('a new file', () => existsSync(path));
      await samples(run, 5);
      await run.stop();
      const all = new Set([...recordsOf(path), ...keysIn(readFileSync(open, 'utf8'))]);
      assert.deepEqual(
        rig.sampled.filter((key) => !all.has(key)),
        [],
      );
      assert.match(run.stderr, /samples\.json/);
    });
  }

  test('on a full disk: what could not be written is counted, at the end too', async (t) => {
    const rig = new Rig(t, 20);
    const disk = rig.smallDisk('2m');
    const path = join(rig.state, 'samples.json');
    rig.configure({ file: { type: 'file', target: path, queue_bytes: '64K' } });
    const run = rig.start();
    await samples(run, 5);
    disk.fill();
    await run.next('a full queue', (cycle) => num(outputRow(cycle, 'file'), 'dropped_queue_full') >= 5);
    disk.free();
    await run.next('it is written again', (cycle) => outputRow(cycle, 'file')['state'] === 'up');
    await samples(run, 5);
    disk.fill();
    await run.next('it is full again', (cycle) => outputRow(cycle, 'file')['state'] === 'down');
    await samples(run, 5);
    await run.stop();
    disk.free();
    const whole = readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.endsWith('}'));
    rig.assertAccounted(whole.map(keyOf), 'file');
  });
});

describe('datagrams', { concurrency: true }, () => {
  test('that nobody took are counted, as dropped or as unconfirmed', async (t) => {
    const rig = new Rig(t);
    const listener = createSocket('udp4');
    listener.bind(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address();
    const got: string[] = [];
    const listen = (socket: Socket): void => {
      socket.on('message', (datagram) => got.push(...keysOf(datagram)));
    };
    listen(listener);
    rig.configure({ stream: { type: 'udp', target: `127.0.0.1:${port}`, max_datagram: 60_000 } });
    const run = rig.start();
    await samples(run, 5);
    listener.close();
    await samples(run, 20);
    const again = createSocket('udp4');
    listen(again);
    t.after(() => again.close());
    again.bind(port, '127.0.0.1');
    await once(again, 'listening');
    await samples(run, 20);
    await run.stop();
    await samplesRead();
    const sent = num(outputRow(run.cycles.at(-1)!), 'sent');
    assert.ok(got.length >= sent, `${got.length} arrived, ${sent} are said to have been sent`);
  });
});

/** Datagrams that are in the kernel are read meanwhile. */
function samplesRead(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** One key for each row: what identifies it. */
function keysOf(datagram: Buffer): string[] {
  return datagram
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

test('a process without descriptors left goes on, and delivers when it has some again', async (t: TestContext) => {
  const rig = new Rig(t);
  const peer = await LinePeer.create(t);
  rig.configure({ stream: { type: 'tcp', target: peer.target, spool: 'true', spool_sync: 0.1 } });
  const run = rig.start();
  await peer.until('some samples', () => peer.records.length >= 5);
  const limit = (files: string): void => {
    execFileSync('prlimit', [`--pid=${run.pid}`, `--nofile=${files}`]);
  };
  limit('5:1024');
  const { port } = peer;
  await peer.die();
  // The agent reads its own memory every 5 s.
  await samples(run, 55);
  limit('1024:1024');
  const again = await LinePeer.create(t, '127.0.0.1', port);
  await again.until('new samples', () => again.records.includes(rig.sampled.at(-2)!));
  const { code } = await run.stop();
  assert.equal(code, 0);
  rig.assertAccounted([...peer.records, ...again.records]);
});
