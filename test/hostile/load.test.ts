import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { EVERYTHING, Stream } from '../e2e/program.ts';
import type { Cycle } from '../e2e/program.ts';
import { freePort } from '../delivery/helpers.ts';
import { MemoryLimit, evilVms, peak } from './attackers.ts';

const skip = process.getuid?.() !== 0 && 'needs root, to have processes of others';
const MIB = 2 ** 20;
const LIMIT = 512 * MIB;

/** Samples for half a minute in 512 MiB; the samples, and how it ended. */
async function survive(t: TestContext, args: readonly string[]): Promise<readonly Cycle[]> {
  const limit = MemoryLimit.make(t, LIMIT);
  if (limit === undefined) t.diagnostic('no memory controller: without a limit');
  const stream = Stream.start([...args, ...EVERYTHING]);
  t.after(() => stream.child.kill('SIGKILL'));
  limit?.hold(stream.pid);
  const first = await stream.next();
  const last = await stream.first('thirty samples', ({ seq }) => seq >= first.seq + 30);
  const size = peak(stream.pid);
  const cycles = stream.between(first, last);
  const latest = Math.max(...cycles.map(({ interval }) => interval));
  t.diagnostic(`longest interval ${latest} s, largest size ${size.toFixed(0)} MiB`);
  assert.ok(size < 320, `${size} MiB`);
  // No sample comes more than one tick late. The machine may be busy with other tests: few may.
  assert.ok(cycles.filter(({ interval }) => interval > 2.1).length < 3, `${latest} s`);
  const { code, stderr } = await stream.stop();
  assert.equal(code, 0, stderr);
  return cycles;
}

test('64 monitors that are hostile in one way each', { skip, timeout: 300_000 }, async (t) => {
  await evilVms(t, 64);
  const cycles = await survive(t, ['--qemu', '--detail-interval=1']);
  const rows = cycles.flatMap(({ domains }) => domains);
  assert.ok(rows.some(({ disks }) => disks?.length === 256));
  for (const row of rows) {
    const names = (row.disks ?? []).map(({ device }) => device as string);
    assert.equal(new Set(names).size, names.length, 'no disk is there twice');
    assert.ok(
      names.every(({ length }) => length <= 255),
      'no name is longer than a name',
    );
  }
  // There may be VMs of other tests beside them.
  const evil = (cycles.at(-1)?.domains ?? [])
    .map(({ name }) => name as string)
    .filter((name) => /^evil\d+$/.test(name));
  assert.equal(new Set(evil).size, 64, 'every process has its row');
});

test('64 scrapers that send requests and read no answers', { skip, timeout: 300_000 }, async (t) => {
  const port = await freePort();
  const end = new AbortController();
  const sockets = new Set<ReturnType<typeof connect>>();
  const attack = (): void => {
    if (end.signal.aborted) return;
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    const more = (): void => {
      while (socket.writable && socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(500)));
    };
    socket.on('connect', more).on('drain', more).pause();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      setTimeout(attack, 10).unref();
    });
  };
  for (let n = 0; n < 64; n++) attack();
  t.after(() => {
    end.abort();
    for (const socket of sockets) socket.destroy();
  });
  await survive(t, ['--qemu', `--prometheus=127.0.0.1:${port}`]);
});
