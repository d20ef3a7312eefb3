// What becomes of records when proxtop ends in order, whatever state its output is in: each arrived, waits on disk for
// the next start, or was given up and counted.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpPeer, LinePeer } from './delivery-peers.ts';
import { delivered, outputRow, Rig, shapedNetwork } from './delivery-rig.ts';

describe('an orderly end', { concurrency: true }, () => {
  test('while the receiver stalls: what it had not read when it died is counted', async (t) => {
    const rig = new Rig(t, 100);
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { type: 'tcp', target: peer.target } });
    const run = rig.start();
    await peer.until('some samples', () => peer.records.length >= 10);
    peer.stall();
    const { seq } = await run.next();
    await run.next('samples that are not read', (cycle) => cycle.seq >= seq + 15);
    await run.stop();
    await peer.die();
    const told = rig.assertAccounted(peer.records);
    assert.ok(Object.values(told).reduce((sum, count) => sum + count, 0) >= 15, JSON.stringify(told));
  });

  test('just after the receiver died: what it had not read is counted', async (t) => {
    const rig = new Rig(t);
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { type: 'tcp', target: peer.target } });
    const run = rig.start();
    await peer.until('some samples', () => peer.records.length >= 5);
    peer.stall();
    const { seq } = await run.next();
    await run.next('samples that are not read', (cycle) => cycle.seq >= seq + 8);
    await peer.die();
    await run.next('an outage', (cycle) => outputRow(cycle)['state'] === 'down');
    const { seq: down } = await run.next();
    await run.next('samples of the outage', (cycle) => cycle.seq >= down + 8);
    await run.stop();
    rig.assertAccounted(peer.records);
  });

  test('while the receiver never answered over HTTP: all is counted', async (t) => {
    const rig = new Rig(t);
    const peer = await HttpPeer.create(t);
    peer.answer = () => (peer.records.length < 5 ? 204 : undefined);
    rig.configure({ stream: { type: 'http', target: peer.target } });
    const run = rig.start();
    await peer.until('a request that is not answered', () => peer.records.length >= 5 && peer.requests >= 6);
    const { seq } = await run.next();
    await run.next('samples that wait', (cycle) => cycle.seq >= seq + 10);
    await run.stop();
    rig.assertAccounted(peer.records);
  });

  test('while the network swallows everything: all that got no acknowledgement is counted', async (t) => {
    const network = shapedNetwork(t);
    const rig = new Rig(t);
    const peer = await LinePeer.create(t, network.address);
    rig.configure({ stream: { type: 'tcp', target: peer.target } });
    const run = rig.start({}, network.inside);
    await peer.until('some samples', () => peer.records.length >= 5);
    network.swallow(1);
    const { seq } = await run.next();
    await run.next('samples that are lost', (cycle) => cycle.seq >= seq + 20);
    await run.stop();
    await peer.die();
    rig.assertAccounted(peer.records);
  });

  test('in an outage, with a spool: the last word says how many wait, and they are delivered', async (t) => {
    const rig = new Rig(t);
    const keys = { type: 'tcp', spool: 'true' } as const;
    rig.configure({ stream: { ...keys, target: '127.0.0.1:9' } });
    const run = rig.start();
    await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 10);
    const { stderr } = await run.stop();
    const waiting = rig.sampled;
    assert.match(stderr, new RegExp(`stream: ${waiting.length} records wait in .* for the next start`));
    assert.doesNotMatch(stderr, /dropped since the start/);
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: peer.target } });
    const { stderr: next } = await delivered(rig);
    assert.doesNotMatch(next, /for the next start|dropped since the start/);
    assert.deepEqual(rig.assertAccounted(peer.records), {});
  });

  test('while the receiver stalls, with a spool: what it may not have read waits for the next start', async (t) => {
    const rig = new Rig(t, 100);
    const keys = { type: 'tcp', spool: 'true' } as const;
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: peer.target } });
    const run = rig.start();
    await peer.until('some samples', () => peer.records.length >= 5);
    peer.stall();
    const { seq } = await run.next();
    await run.next('samples that are not read', (cycle) => cycle.seq >= seq + 15);
    const { stderr } = await run.stop();
    await peer.die();
    const [, waiting] = / (\d+) records wait in .* for the next start/.exec(stderr) ?? [];
    const read = new Set(peer.records).size;
    assert.ok(
      Number(waiting) >= rig.sampled.length - read,
      `${waiting} wait of ${rig.sampled.length}, ${read} were read`,
    );
    const next = await LinePeer.create(t);
    rig.configure({ stream: { ...keys, target: next.target } });
    await delivered(rig);
    assert.deepEqual(rig.assertAccounted([...peer.records, ...next.records]), {});
  });

  test('while the receiver stalls and the disk of the spool is full: all is counted', async (t) => {
    const rig = new Rig(t, 100);
    const disk = rig.smallDisk('2m');
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { type: 'tcp', target: peer.target, spool: 'true' } });
    const run = rig.start();
    await peer.until('some samples', () => peer.records.length >= 10);
    disk.fill();
    peer.stall();
    const { seq } = await run.next();
    await run.next('samples that are not read', (cycle) => cycle.seq >= seq + 15);
    const { code } = await run.stop();
    assert.equal(code, 0);
    await peer.die();
    rig.assertAccounted(peer.records);
  });

  for (const type of ['tcp', 'http'] as const) {
    test(`while records of a full spool are in flight over ${type}: what made room for others is counted`, async (t) => {
      const rig = new Rig(t, 900);
      rig.smallDisk('24m');
      const keys = { type, spool: 'true', spool_max: '16M', spool_sync: 0.1, queue_bytes: '512K' };
      rig.configure({ stream: { ...keys, target: type === 'tcp' ? '127.0.0.1:9' : 'http://127.0.0.1:9/' } });
      // More than the spool takes, in pieces that make the queue spool them at once.
      await rig.backlog(60, 300_000);
      const stalled = type === 'tcp' ? await LinePeer.create(t) : await HttpPeer.create(t);
      if (stalled instanceof LinePeer) stalled.stall();
      else stalled.answer = () => undefined;
      rig.configure({ stream: { ...keys, target: stalled.target } });
      // Its samples make the spool drop its oldest records, which the receiver was given and has not taken.
      const run = rig.start();
      const given = await run.next('records that are in flight', (cycle) => cycle.seq >= 5);
      const before = Number(outputRow(given)['dropped_spool_full']);
      await run.next('an overflow', (cycle) => Number(outputRow(cycle)['dropped_spool_full']) > before);
      await run.stop();
      await stalled.die();
      const good = type === 'tcp' ? await LinePeer.create(t) : await HttpPeer.create(t);
      // With room for all, so that nothing that is under way is dropped.
      rig.configure({ stream: { ...keys, target: good.target, spool_max: '64M', queue_bytes: '64M' } });
      await delivered(rig);
      const told = rig.assertAccounted([...stalled.records, ...good.records]);
      assert.ok(Number(told['spool_full']) > 0, JSON.stringify(told));
    });
  }
});
