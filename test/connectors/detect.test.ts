import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Connector } from '../../src/connectors/connector.ts';
import { AwaitedConnector, detectConnector, lookedFor } from '../../src/connectors/detect.ts';
import { defaultRoots, Paths } from '../../src/kernel/paths.ts';
import { stoppedClock, testVm } from '../collectors/support.ts';
import { directory, logs } from '../outputs/helpers.ts';

const beat = { detailInterval: 5, frequency: 1 };

test('Proxmox VE is there where one of its directories is', (t) => {
  const root = directory(t);
  const paths = new Paths({ ...defaultRoots, rundir: join(root, 'run'), pvedir: join(root, 'pve') });
  const detected = (): string | undefined => {
    const connector = detectConnector(paths, beat, logs().log);
    connector?.close();
    return connector?.name;
  };
  assert.equal(detected(), undefined);
  assert.equal(lookedFor(paths), `Proxmox VE (${root}/pve or ${root}/run/qemu-server)`);
  mkdirSync(join(root, 'run/qemu-server'), { recursive: true });
  assert.equal(detected(), 'proxmox');
});

test('a service looks again every 30 s and takes what appears', async (t) => {
  const at = stoppedClock(t);
  let looks = 0;
  const calls: unknown[] = [];
  const vm = testVm();
  // Stands for a hypervisor that appears while we run, which takes as long as a node takes to boot.
  const found: Connector = {
    name: 'proxmox',
    failures: 3,
    inventory: () => [vm],
    poll: (everyone) => Promise.resolve(void calls.push(everyone)),
    close: () => calls.push('close'),
  };
  const connector = new AwaitedConnector(() => (++looks < 2 ? undefined : found));
  for (const [time, expected] of [
    [0, 0],
    [29, 0],
    [30, 1],
    [59, 1],
  ] as const) {
    at(time);
    await connector.poll(true);
    assert.equal(looks, expected, `at ${time} s`);
    assert.deepEqual([connector.inventory(), connector.failures], [[], 0]);
  }
  at(60);
  await connector.poll(true);
  assert.deepEqual([connector.inventory(), connector.failures], [[vm], 3]);
  at(200);
  await connector.poll();
  connector.close();
  assert.equal(looks, 2);
  assert.deepEqual(calls, [true, undefined, 'close']);
});
