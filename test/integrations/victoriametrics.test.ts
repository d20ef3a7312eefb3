/** Points in a real VictoriaMetrics, as docs/integrations/influxdb.md says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { proxtop } from '../e2e/program.ts';
import { until } from '../lab/processes.ts';
import { Daemon, installed } from '../delivery/daemon.ts';
import { directory, freePort } from '../delivery/helpers.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';
import { file, printed } from '../recording/files.ts';

const skip = !installed('victoria-metrics') && 'needs victoria-metrics';
const COUNT = 80;
/** The last sample is old enough for queries to show it. */
const first = Math.floor(Date.now() / 1000) * 1000 - (COUNT + 40) * 1000;
const last = first + (COUNT - 1) * 1000;

const written = Array.from({ length: COUNT }, (_, index) =>
  sampleOf({
    time: first + index * 1000,
    seq: index + 1,
    interval: 1,
    host: { row: row('host', { host_name: 'pve1', cpu_idle: 40 }) },
    guests: [1, 2].map((n) =>
      vmRows(
        row('vm', {
          UUID: `u${n}`,
          name: `vm${n}`,
          vmid: `10${n}`,
          state: 'running',
          cpu_steal: 5 * n + (index % 2),
          disk_write_mib: 2 * n,
        }),
        { disks: [row('vm_disk', { device: 'scsi0', disk_lat_wr: n })] },
      ),
    ),
    collectors: ['cpu', 'disk'],
  }),
);

interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

test('points, names, labels and the queries of the document', { skip, timeout: 300_000 }, async (t) => {
  const document = readFileSync(new URL('../../docs/integrations/influxdb.md', import.meta.url), 'utf8');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const flag = /`(-dedup\.\S+)`/.exec(document)?.[1] ?? assert.fail('no flag against duplicates');
  const args = [flag, `-storageDataPath=${directory(t)}`, `-httpListenAddr=127.0.0.1:${port}`];
  await new Daemon(t, 'victoria-metrics', args, `${url}/health`).start();

  const target =
    /^target = http:\/\/victoria\.example:8428(\S+)$/m.exec(document)?.[1] ?? assert.fail('no target');
  const path = file('victoria.json', printed(written, 'json'));
  const flags = [
    '--replay',
    path,
    '-o',
    'http',
    '--target',
    url + target,
    '-p',
    'influx',
    '--devices',
    '--verbose',
  ];
  // Twice, as after a disturbance.
  for (let time = 0; time < 2; time++) {
    const { code, stderr } = await proxtop(flags);
    assert.deepEqual([code, stderr], [0, '']);
  }

  const query = async (text: string): Promise<readonly Found[]> => {
    const body = new URLSearchParams({ query: text, time: String(last / 1000), nocache: '1' });
    const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body });
    const { data, error } = (await response.json()) as { error?: string; data?: { result: Found[] } };
    return data?.result ?? assert.fail(error);
  };
  const count = async (): Promise<number> =>
    Number((await query('count_over_time(proxtop_vm_cpu_steal{vmid="101"}[5m])'))[0]?.value[1] ?? 0);
  await until('every point is stored, once', async () => {
    await fetch(`${url}/internal/force_flush`);
    return (await count()) === COUNT;
  });
  const [found] = await query('proxtop_vm_disk_disk_lat_wr{vmid="102"}');
  const { __name__, db, uuid, name, device, host } = found?.metric ?? {};
  assert.deepEqual(
    [__name__, db, uuid, name, device, host],
    ['proxtop_vm_disk_disk_lat_wr', 'proxtop', 'u2', 'vm2', 'scsi0', 'pve1'],
  );
  assert.deepEqual((await query('proxtop_vm_state{vmid="101"}'))[0]?.value[1], '0', 'texts become 0');

  const block = /```promql\n([\s\S]*?)```/.exec(document)?.[1] ?? assert.fail('no queries');
  const queries = block.trim().split('\n');
  const expected = [
    { vm1: 5.5, vm2: 10.5 },
    { vm1: 1, vm2: 2 },
    { vm1: 2 * 86_400, vm2: 4 * 86_400 },
  ];
  assert.equal(queries.length, expected.length);
  for (const [index, text] of queries.entries()) {
    const answer: Readonly<Record<string, number>> = Object.fromEntries(
      (await query(text)).map(({ metric, value }) => [metric['name'] ?? '', Number(value[1])] as const),
    );
    assert.deepEqual(answer, expected[index], text);
  }
});
