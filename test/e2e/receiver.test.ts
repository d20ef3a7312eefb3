import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, missingForLab } from '../lab/lab.ts';
import { LineReceiver } from '../lab/receiver.ts';
import type { Cycle } from './program.ts';
import { EVERYTHING, Stream, num, timeOf } from './program.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

describe('a TCP receiver', { skip, concurrency: true }, () => {
  const lab = skip === false ? Lab.create() : undefined;
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-e2e-'));
  before(async () => {
    await lab?.startMany(3, { guest: 'idle', cores: 2, nics: [{ model: 'rtl8139' }] });
  });
  after(async () => {
    await lab?.close();
    rmSync(directory, { recursive: true });
  });

  function start(target: string, ...args: string[]): Stream {
    return Stream.start([...lab!.flags(), ...EVERYTHING, '--output=tcp', `--target=${target}`, ...args]);
  }

  test('killed and restarted ten times gets every sample whole', async () => {
    const receiver = await LineReceiver.create();
    const proxtop = start(receiver.target, '--frequency=0.1');
    await receiver.nth(3);
    for (let restart = 0; restart < 10; restart++) {
      await receiver.kill();
      await sleep(50 * (restart % 4)); // some outages span samples, some none
      await receiver.restart();
      await receiver.next();
      // A connection that lasts a second ends an outage, and the waits between attempts start again.
      const end = Date.now() + 1100;
      await receiver.next((line) => timeOf(JSON.parse(line) as Cycle) > end);
    }
    const { code, stderr } = await proxtop.stop();
    assert.equal(code, 0, stderr);
    await receiver.kill();
    assert.ok(receiver.connections >= 11, `${receiver.connections} connections`);

    const cycles = receiver.lines.map((line) => JSON.parse(line) as Cycle); // none is cut, none are glued
    for (const [index, { domains, agent }] of cycles.entries()) {
      assert.equal(domains.length, 3);
      assert.ok(num(agent, 'sent') >= 0);
      assert.ok(receiver.lines[index]!.endsWith('}}'));
    }
    const seqs = new Set(cycles.map(({ seq }) => seq));
    const last = Math.max(...seqs);
    const lost = Array.from({ length: last }, (_, index) => index + 1).filter((seq) => !seqs.has(seq));
    assert.deepEqual(lost, [], `of ${last} samples`);
    // What came twice is the same twice.
    const texts = new Map<number, string>();
    for (const line of receiver.lines) {
      const known = texts.get(seqOf(line));
      if (known !== undefined) assert.equal(line, known);
      texts.set(seqOf(line), line);
    }
    assert.equal(new Set(cycles.map(({ run }) => run)).size, 1);
    // What comes again may come last.
    const newest = cycles.find(({ seq }) => seq === last)!;
    assert.ok(num(newest.agent, 'reconnects') >= 10);
    assert.equal(num(newest.agent, 'dropped'), 0);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  test('that is down at the start gets all that was sampled until it came', async () => {
    const receiver = await LineReceiver.create();
    await receiver.kill();
    const proxtop = start(receiver.target, '--frequency=0.2');
    await proxtop.until('a complaint', () => /no connection to .*ECONNREFUSED/.test(proxtop.stderr));
    await sleep(1000);
    await receiver.restart();
    const seqs = [1, 2, 3, 4, 5].map(async (number) => seqOf(await receiver.nth(number)));
    assert.deepEqual(await Promise.all(seqs), [1, 2, 3, 4, 5]);
    const { code } = await proxtop.stop();
    assert.equal(code, 0);
    await receiver.kill();
  });

  test('that never reads holds up nothing, not even the end', async () => {
    const sockets = new Set<Socket>();
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const file = join(directory, 'two.conf');
    writeFileSync(
      file,
      [
        'verbose = true',
        'devices = true',
        '[output.stalled]',
        'type = tcp',
        `target = 127.0.0.1:${(server.address() as AddressInfo).port}`,
        '[output.here]',
        'type = stdout',
        'printer = json',
      ].join('\n'),
    );
    const flags = EVERYTHING.filter((flag) => flag !== '--verbose' && flag !== '--devices');
    const stream = Stream.spawn([...lab!.flags(), ...flags, '--config', file, '--frequency=0.1']);
    const first = await stream.next();
    const last = await stream.next('some seconds', (cycle) => timeOf(cycle) - timeOf(first) >= 4000);
    const cycles = stream.between(first, last);
    assert.deepEqual(
      cycles.map(({ seq }) => seq),
      cycles.map((_, index) => first.seq + 1 + index),
    );
    const asked = performance.now();
    const { code } = await stream.stop();
    assert.equal(code, 0);
    assert.ok(performance.now() - asked < 10_000, 'the flush has a deadline');
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

function seqOf(line: string): number {
  return Number(/"seq":(\d+),/.exec(line)?.[1]);
}
