// What becomes of records when the configuration is reloaded, in any state and any spacing.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { freePort } from '../delivery/helpers.ts';
import { LinePeer } from './delivery-peers.ts';
import { delivered, outputRow, pending, Rig, type SmallDisk } from './delivery-rig.ts';
import { num, type Stream } from './program.ts';

type Keys = Readonly<Record<string, string | number>>;

/** A proxtop whose receiver has read some records and reads no further, and has been sent some more. */
async function stalled(t: TestContext, rig: Rig, keys: Keys = {}): Promise<{ run: Stream; peer: LinePeer }> {
  const peer = await LinePeer.create(t);
  rig.configure({ stream: { type: 'tcp', target: peer.target, ...keys } });
  const run = rig.start();
  await peer.until('some samples', () => peer.records.length >= 5);
  peer.stall();
  await samples(run, 15);
  return { run, peer };
}

/** Waits for so many samples more. */
async function samples(run: Stream, count: number): Promise<void> {
  const { seq, run: id } = await run.next();
  await run.next(`${count} samples`, (cycle) => cycle.run !== id || cycle.seq >= seq + count);
}

describe('a reload', { concurrency: true }, () => {
  test('and another one before the first output has left: nothing is lost', async (t) => {
    const rig = new Rig(t, 100);
    const { run, peer } = await stalled(t, rig);
    rig.configure({ stream: { type: 'tcp', target: `127.0.0.1:${await freePort()}` } });
    await rig.reload(run);
    await samples(run, 5);
    const good = await LinePeer.create(t);
    rig.configure({ stream: { type: 'tcp', target: good.target } });
    await rig.reload(run);
    await good.until('samples there', () => good.records.length >= 1);
    await run.next('nothing else waits', (cycle) => pending(cycle) <= 60);
    await samples(run, 30);
    await run.stop();
    await peer.die();
    rig.assertAccounted([...peer.records, ...good.records]);
  });

  test('and the end before the first output has left: all is counted', async (t) => {
    const rig = new Rig(t, 100);
    const { run, peer } = await stalled(t, rig);
    rig.configure({ stream: { type: 'tcp', target: `127.0.0.1:${await freePort()}` } });
    await rig.reload(run);
    await run.stop();
    await peer.die();
    rig.assertAccounted(peer.records);
  });

  test('many in a row, and the end in the middle of the last one: all is counted', async (t) => {
    const rig = new Rig(t, 20);
    const { run, peer } = await stalled(t, rig, { spool: 'true' });
    const others = [await LinePeer.create(t), await LinePeer.create(t)];
    for (let round = 0; round < 6; round++) {
      const target = [others[0]!.target, peer.target, others[1]!.target][round % 3]!;
      const spool = round % 2 === 0 ? 'false' : 'true';
      rig.configure({ stream: { type: 'tcp', target, spool, timeout: 2 + round } });
      if (round < 5) await rig.reload(run);
      else run.child.kill('SIGHUP');
    }
    await run.stop();
    await peer.die();
    rig.configure({ stream: { type: 'tcp', target: others[0]!.target, spool: 'true' } });
    await delivered(rig);
    rig.assertAccounted([peer, ...others].flatMap(({ records }) => records));
  });

  test('to another target: what the receiver before had not confirmed goes to the new one', async (t) => {
    const rig = new Rig(t, 100);
    const { run, peer } = await stalled(t, rig);
    const good = await LinePeer.create(t);
    rig.configure({ stream: { type: 'tcp', target: good.target } });
    await rig.reload(run);
    await samples(run, 30);
    await run.stop();
    await peer.die();
    const told = rig.assertAccounted([...peer.records, ...good.records]);
    assert.deepEqual(told, {});
  });

  for (const how of ['spool turned off', 'output renamed', 'output removed'] as const) {
    test(`in an outage, ${how}: what is on disk is delivered, or told and kept`, async (t) => {
      const rig = new Rig(t);
      const port = await freePort();
      const target = `127.0.0.1:${port}`;
      const before = { stream: { type: 'tcp', target, spool: 'true' } };
      const after = {
        'spool turned off': { stream: { type: 'tcp', target } },
        'output renamed': { other: { type: 'tcp', target, spool: 'true' } },
        'output removed': {},
      }[how];
      rig.configure(before);
      const run = rig.start();
      await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 10);
      rig.configure(after);
      await rig.reload(run);
      if (how !== 'spool turned off')
        await run.until('word of what is left', () =>
          /\d+ records of output stream .*are kept, but no output delivers them/.test(run.stderr),
        );
      const peer = await LinePeer.create(t, '127.0.0.1', port);
      await samples(run, 10);
      await run.stop();
      rig.configure(before);
      await delivered(rig);
      // Whatever was sampled while there was another output, or none, belongs to that one.
      const stream = rig.sampledBy('stream');
      const got = new Set(peer.records);
      assert.deepEqual(
        stream.filter((key) => !got.has(key)),
        [],
        rig.runs.map(({ stderr }) => stderr).join('\n---\n'),
      );
    });
  }

  test('to another format: no receiver gets a record in a format that it does not take', async (t) => {
    const rig = new Rig(t);
    const json = { stream: { type: 'tcp', target: '127.0.0.1:9', spool: 'true' } };
    rig.configure(json);
    const run = rig.start();
    await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 10);
    const influx = await LinePeer.create(t);
    rig.configure({ stream: { type: 'tcp', target: influx.target, printer: 'influx', spool: 'true' } });
    await rig.reload(run);
    await influx.until('points', () => influx.records.length >= 20);
    await run.until('word of what is left', () => /\d+ records.*json|json.*\d+ records/.test(run.stderr));
    await run.stop();
    assert.deepEqual(
      influx.records.filter((line) => !line.startsWith('proxtop_')),
      [],
    );
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...json.stream, target: peer.target } });
    await delivered(rig);
    // Those that were printed before the reload.
    const first = rig.sampled.slice(0, 10);
    const got = new Set(peer.records);
    assert.deepEqual(
      first.filter((key) => !got.has(key)),
      [],
      rig.runs.map(({ stderr }) => stderr).join('\n---\n'),
    );
  });

  test('while the disk is full: what waits goes on waiting', async (t) => {
    const rig = new Rig(t, 20);
    const disk: SmallDisk = rig.smallDisk('2m');
    const keys = { type: 'tcp', spool: 'true' };
    rig.configure({ stream: { ...keys, target: '127.0.0.1:9' } });
    const run = rig.start();
    await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 5);
    disk.fill();
    await run.next('records in memory', (cycle) => Number(outputRow(cycle)['queued']) >= 20);
    const good = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: good.target } });
    await rig.reload(run);
    await good.until('samples', () => good.records.length >= 10);
    await samples(run, 20);
    disk.free();
    await run.stop();
    const told = rig.assertAccounted(good.records);
    assert.deepEqual(told, {});
  });

  test('keeps the counts of the output: what its predecessor dropped is in every row', async (t) => {
    const rig = new Rig(t, 100);
    rig.configure({ stream: { type: 'tcp', target: '127.0.0.1:9', queue_bytes: '64K' } });
    const run = rig.start();
    const full = await run.next('a full queue', (cycle) => num(outputRow(cycle), 'dropped') >= 5);
    rig.configure({ stream: { type: 'tcp', target: '127.0.0.1:9', queue_bytes: '64K', timeout: 5 } });
    await rig.reload(run);
    const after = await run.next();
    assert.equal(after.run, full.run);
    assert.ok(num(outputRow(after), 'dropped') >= num(outputRow(full), 'dropped'));
    assert.ok(num(outputRow(after), 'dropped_queue_full') >= num(outputRow(full), 'dropped_queue_full'));
    await run.stop();
    rig.assertAccounted([]);
  });

  test('in a row of samples the account never misses a record', async (t) => {
    const rig = new Rig(t, 50);
    const { run, peer } = await stalled(t, rig, { spool: 'true', spool_sync: 0.1, timeout: 1 });
    await samples(run, 10);
    peer.reset();
    await samples(run, 10);
    rig.configure({ stream: { type: 'tcp', target: peer.target, timeout: 2 } });
    await rig.reload(run);
    await peer.die();
    await samples(run, 10);
    await run.stop();
    for (const cycle of run.cycles) {
      const row = outputRow(cycle);
      // A sample is printed before it is pushed: it knows of those before it.
      assert.equal(
        pending(cycle) + num(row, 'sent') + num(row, 'dropped'),
        cycle.seq - 1,
        JSON.stringify(row),
      );
    }
  });
});
