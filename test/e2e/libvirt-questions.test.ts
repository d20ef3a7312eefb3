import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LibvirtHost, named, skip } from './libvirt-host.ts';
import { EVERYTHING, Stream } from './program.ts';

/** Samples, each after a question. */
const SAMPLES = 10;

describe('what libvirtd asks QEMU for us, by its own log of the monitor', { skip, timeout: 240_000 }, () => {
  let host: LibvirtHost;
  let log: string;

  before(async () => {
    host = await LibvirtHost.start();
    log = join(host.lab.root, 'monitor.log');
    await host.lab.stop();
    await host.lab.start(['log_filters="1:qemu.qemu_monitor"', `log_outputs="1:file:${log}"`]);
    await host.lab.startDomain({ name: 'quiet', paused: true });
  });
  after(() => {
    host.close();
  });

  test('the disks every time, the balloon and the report of its guest once', async () => {
    const before = readFileSync(log, 'latin1').length;
    const stream = Stream.start([...host.flags, '--frequency=0.5', '--detail-interval=0.5', ...EVERYTHING]);
    const last = await stream.next('some samples', ({ seq }) => seq >= SAMPLES);
    await stream.stop();
    const row = named(last, 'quiet');
    assert.equal(row?.['ram_actual'], 32 * 2 ** 20, 'what is known of the balloon stands');
    assert.ok(Number(row['detail_age']) < 5);
    const sent = readFileSync(log, 'latin1')
      .slice(before)
      .matchAll(/QEMU_MONITOR_SEND_MSG: .*?"execute":"([^"]+)"/g);
    const counts = new Map<string, number>();
    for (const [, command = ''] of sent) counts.set(command, (counts.get(command) ?? 0) + 1);
    assert.ok(Number(counts.get('query-blockstats')) >= SAMPLES, JSON.stringify([...counts]));
    // Asked twice before the first sample, as long as it is not known that nothing comes of it.
    assert.ok(Number(counts.get('query-balloon')) <= 2, JSON.stringify([...counts]));
    assert.ok(Number(counts.get('qom-get')) <= 2, JSON.stringify([...counts]));
    const usual = ['query-blockstats', 'query-named-block-nodes', 'query-balloon', 'qom-get', 'qom-list'];
    assert.deepEqual(
      [...counts.keys()].filter((command) => !usual.includes(command)),
      [],
    );
  });
});
