import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cgroupMount } from './cgroup.ts';
import { ContainerHost } from './container-host.ts';
import { cycleTable } from './demo-view.ts';
import { missingForLab } from './lab.ts';
import { missingForContainer } from './plain-container.ts';

const program = fileURLToPath(new URL('demo.ts', import.meta.url));
const loader = import.meta.resolve('tsx');
const missing = missingForLab();
if (!existsSync(new URL('../../dist/proxtop', import.meta.url))) missing.push('dist/proxtop (npm run build)');

test('a cycle is shown as a table; what is missing is a dash', () => {
  const table = cycleTable({
    '@timestamp': '2026-11-22T12:00:00.000Z',
    host: { cpu_idle: 75, net_rx_mbit: 0 },
    domains: [
      { name: 'cache', guest_type: 'lxc', cpu_total: 5 },
      { name: 'web', vmid: '101', cpu_total: 0.25, net_rx_mbit: 1.5 },
      { name: 'db', vmid: '100', disk_reads: 12, disk_lat_wr: 0.75, ram_rss: 3 * 2 ** 20 },
    ],
  });
  const cells = table.split('\n').map((line) => line.trim().split(/ +/));
  assert.deepEqual(cells.slice(1, 5), [
    ['cache', 'lxc', '5.0', '-', '-', '-', '-', '-', '-', '-'],
    ['db', '100', '-', '-', '12.0', '-', '0.8', '-', '-', '3.0'],
    ['web', '101', '0.3', '-', '-', '-', '-', '1.5', '-', '-'],
    ['host', '25.0', '-', '-', '-', '-', '0.0', '-', '-'],
  ]);
});

test(
  'the demo shows its three VMs, a container where LXC is there, and ends by itself',
  { skip: missing.length > 0 && `needs ${missing.join(', ')}` },
  async () => {
    // Other tests that run now must not see its container.
    const host = await ContainerHost.create(cgroupMount());
    const [command = '', ...args] = host.inside(
      process.execPath,
      '--import',
      loader,
      program,
      '--seconds',
      '5',
    );
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, complaints, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]).finally(() => host.close());
    assert.equal(complaints, '');
    assert.equal(code, 0);
    for (const name of ['busy', 'database', 'web'])
      assert.match(output, new RegExp(`^${name} +\\d{6} +\\d+\\.\\d`, 'm'));
    if (missingForContainer().length === 0) assert.match(output, /^cache-\d+ +lxc +\d+\.\d/m);
    else assert.match(output, /^No container is shown: it needs /m);
    assert.match(output, /are gone\.\n$/);
  },
);

test('a wrong argument is one clear error', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', program, '--seconds', 'long'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [complaints, [code]] = await Promise.all([
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  assert.equal(complaints, 'demo: --seconds: expected a number above 0, found long\n');
  assert.equal(code, 1);
});
