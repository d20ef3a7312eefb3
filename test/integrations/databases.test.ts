/** Samples of real VMs in a real Prometheus and a real InfluxDB: every query of dashboards and documents gives data. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cycle, Row } from '../e2e/program.ts';
import { device, domain, num } from '../e2e/program.ts';
import { missingForLab } from '../lab/lab.ts';
import { installed } from '../delivery/daemon.ts';
import { startMonitoring } from './monitoring.ts';
import type { Monitoring } from './monitoring.ts';

const missing = [...missingForLab(), ...['prometheus', 'influxd'].filter((program) => !installed(program))];
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

/** Seconds over which rates are compared. */
const WINDOW = 15;
/** Cycles before that, in which everything starts up. */
const WARM_UP = 5;

interface Target {
  readonly expr?: string;
  readonly query?: string;
}
interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
  readonly panels: readonly { readonly title: string; readonly targets?: readonly Target[] }[];
}

const document = (path: string): string =>
  readFileSync(new URL(`../../docs/integrations/${path}`, import.meta.url), 'utf8');
const dashboard = (kind: string): Dashboard =>
  JSON.parse(document(`grafana/proxtop-${kind}.json`)) as Dashboard;

/** The queries of a dashboard under the titles of their panels. */
function queries({ panels }: Dashboard): [title: string, query: string][] {
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, query }): [string, string] => [title, expr ?? query ?? '']),
  );
}

/** What host and guests of the lab do not have: a balloon driver, limits, cgroups with controllers, ZFS, what only containers have. */
const unreported =
  /ram_used|ram_limit|ram_oom_kills|cpu_limit|disk_limit|net_limit|disk_root|cpu_contention|disk_[dk]avg|host_pool/;

test('real samples in real databases', { skip, timeout: 300_000 }, async (t) => {
  const monitoring = await startMonitoring(t);
  const { lab, vms, proxtop, prometheus, influx } = monitoring;
  const end = new AbortController();
  const traffic = (async () => {
    while (!end.signal.aborted) {
      await lab.sendToTap(vms.web, 20, 1000);
      await lab.sendFromGuest(vms.web, 20, 500);
      await sleep(200);
    }
  })();
  await proxtop.until('samples', () => proxtop.lines.length >= WARM_UP + WINDOW + 3, 120_000);
  const cycles = proxtop.lines.map((line) => JSON.parse(line) as Cycle);
  end.abort();
  await traffic;

  await t.test('Prometheus took every page and every type', async () => {
    const up = await prometheus.query('min_over_time(up[10s])');
    assert.equal(up[0]?.value[1], '1');
    const types = Object.entries(await prometheus.metadata());
    assert.ok(types.length > 80, `${types.length} metrics`);
    for (const [name, [first]] of types)
      if (name.startsWith('proxtop_'))
        assert.ok(['counter', 'gauge', 'info'].includes(first?.type ?? ''), name);
  });

  await t.test('rates of the counters are the values of the stream', () => compareRates(monitoring, cycles));

  await t.test('every query of the Prometheus dashboard gives data', async () => {
    for (const [title, query] of queries(dashboard('prometheus'))) {
      const concrete = query
        .replaceAll('$instance', '.+')
        .replaceAll('$vm', '.+')
        .replaceAll('$__rate_interval', '10s');
      assert.doesNotMatch(concrete, /\$/, title);
      const found = await prometheus.query(concrete);
      const known = found.filter(({ value }) => !Number.isNaN(Number(value[1])));
      assert.ok(known.length > 0 || unreported.test(query), `${title}: ${concrete}`);
    }
  });

  await t.test('every query of the InfluxDB dashboard gives data', async () => {
    const { templating } = dashboard('influxdb');
    const variables = templating.list
      .filter(({ name }) => name !== 'datasource')
      .map(({ name, query }): [string, string] => [name, query]);
    assert.equal(variables.length, 2);
    for (const [title, query] of [...queries(dashboard('influxdb')), ...variables]) {
      const concrete = query
        .replaceAll('$timeFilter', 'time > now() - 1m')
        .replaceAll('$__interval', '5s')
        .replaceAll(/\$(host|vm)\b/g, '.*');
      assert.doesNotMatch(concrete, /\$[a-z_]/, title);
      const found = await influx.query(concrete);
      assert.ok(found.length > 0 || unreported.test(query), `${title}: ${concrete}`);
    }
  });

  await t.test('the queries that influxdb.md shows give data', async () => {
    const blocks = [...document('influxdb.md').matchAll(/```sql\n([\s\S]*?)```/g)].map(([, text = '']) =>
      text.trim(),
    );
    const statements = blocks.flatMap((block) => block.split('\n'));
    for (const statement of statements) {
      const found = await influx.query(
        statement.replaceAll('ON proxtop', 'ON p').replaceAll('proxtop.', 'p.'),
      );
      if (statement.startsWith('SELECT')) assert.ok(found.length > 0, statement);
    }
    assert.equal(statements.filter((statement) => statement.startsWith('SELECT')).length, 3);
  });
});

/** What Prometheus makes of the counters over the last seconds, beside the mean of the stream over the same time. */
async function compareRates({ prometheus, vms }: Monitoring, cycles: readonly Cycle[]): Promise<void> {
  const last = cycles.at(-2)!;
  const time = Date.parse(last['@timestamp']) / 1000;
  const window = cycles.filter(({ seq }) => seq <= last.seq && seq > last.seq - WINDOW);
  const range = `[${WINDOW}s]`;
  const vm = (name: string, counter: string): string =>
    `sum(rate(proxtop_vm_${counter}_total{name="${name}"}${range}))`;
  const rows = (find: (cycle: Cycle) => Row | undefined, id: string, factor = 1): number => {
    const known = window.filter((cycle) => typeof find(cycle)?.[id] === 'number');
    assert.ok(known.length > WINDOW / 2, `${id} is known in ${known.length} cycles`);
    return (factor * known.reduce((sum, cycle) => sum + num(find(cycle), id), 0)) / known.length;
  };
  const busy = (cycle: Cycle): Row | undefined => domain(cycle, vms.busy);
  const data = (cycle: Cycle): Row | undefined => domain(cycle, vms.data);
  const web = (cycle: Cycle): Row | undefined => domain(cycle, vms.web);
  const percent = 1 / 100;
  const MIB = 2 ** 20;
  const mode = (name: string): string => `sum(rate(proxtop_host_cpu_seconds_total{mode="${name}"}${range}))`;
  const allModes = `sum(rate(proxtop_host_cpu_seconds_total${range}))`;
  /** What one cycle holds at most, over the window: the kernel writes back in bursts, and one may lie at either end. */
  const burst = (find: (cycle: Cycle) => Row | undefined, id: string, factor = 1): number =>
    (factor *
      Math.max(...window.map((cycle) => find(cycle)?.[id]).filter((value) => typeof value === 'number'))) /
    WINDOW;
  const cases: [what: string, promql: string, stream: number, slack: number][] = [
    ['cpu_total', vm('busy', 'cpu_seconds'), rows(busy, 'cpu_total', percent), 0.03],
    ['cpu_steal', vm('busy', 'cpu_steal_seconds'), rows(busy, 'cpu_steal', percent), 0.05],
    ['cpu_other_total', vm('data', 'cpu_other_seconds'), rows(data, 'cpu_other_total', percent), 0.03],
    ['disk_reads', vm('data', 'disk_reads'), rows(data, 'disk_reads'), 2],
    ['disk_write_mib', vm('data', 'disk_write_bytes'), rows(data, 'disk_write_mib', MIB), 8192],
    [
      'disk_lat_rd',
      `${vm('data', 'disk_read_seconds')} / ${vm('data', 'disk_reads')}`,
      rows(data, 'disk_lat_rd', 1e-3),
      0.002,
    ],
    ['net_rx_mbit', vm('web', 'net_rx_bytes'), rows(web, 'net_rx_mbit', 125000), 5000],
    ['net_tx_packets', vm('web', 'net_tx_packets'), rows(web, 'net_tx_packets'), 10],
    [
      'io_write_bytes',
      vm('data', 'io_write_bytes'),
      rows(data, 'io_write_mib', MIB),
      20000 + 1.2 * burst(data, 'io_write_mib', MIB),
    ],
    ['ram_minflt', vm('data', 'ram_minor_faults'), rows(data, 'ram_minflt'), 5],
    ['cpu_user', `${mode('user')} / ${allModes}`, rows(({ host }) => host, 'cpu_user', percent), 0.05],
    [
      'host reads',
      `sum(rate(proxtop_host_disk_reads_total{type="physical"}${range}))`,
      rows(({ host }) => host, 'disk_reads'),
      20 + 1.2 * burst(({ host }) => host, 'disk_reads'),
    ],
  ];
  for (const [what, promql, expected, slack] of cases) {
    const [found] = await prometheus.query(promql, time);
    assert.ok(found !== undefined, promql);
    const value = Number(found.value[1]);
    const near = Math.abs(value - expected) <= slack + 0.15 * expected;
    assert.ok(near, `${what}: ${value} in Prometheus, ${expected} in the stream`);
  }
  const devices = device(web(last)?.nics, vms.web.nics[0]!.tap);
  assert.ok(devices !== undefined, 'rows of devices are there');
}
