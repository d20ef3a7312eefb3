import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { catalogue, collectorNames, columns, countedColumns } from '../../src/catalogue/catalogue.ts';
import { families } from '../../src/formats/prometheus/families.ts';
import { PrometheusPage } from '../../src/formats/prometheus/page.ts';
import type { PageFormat } from '../../src/formats/prometheus/page.ts';
import type { Row } from '../../src/catalogue/row.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { installed } from '../delivery/daemon.ts';
import { completeSample, row, sampleOf, vmRows } from './sample.ts';

const all = { verbose: true, devices: true };
const sums = { verbose: true, devices: false };

function page(sample: Sample, extent = all, format: PageFormat = 'text'): string[] {
  return new PrometheusPage(extent).print(sample, format).toString().split('\n').slice(0, -1);
}

/** The lines of samples, by name and labels. */
function samples(lines: readonly string[]): Map<string, string> {
  const pairs = lines
    .filter((line) => !line.startsWith('#'))
    .map((line): [string, string] => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), line.slice(end + 1)];
    });
  const found = new Map(pairs);
  assert.equal(found.size, pairs.length, 'each sample is there once');
  return found;
}

/** Sets counters by the ids of the metrics they are behind. */
function count(into: Row, counts: Readonly<Record<string, number>>): Row {
  for (const [id, value] of Object.entries(counts)) {
    const metric = countedColumns(into.scope).find((counted) => counted.id === id);
    assert.ok(metric !== undefined, id);
    into.counters[metric.slot] = value;
  }
  return into;
}

/** What the samples of a histogram have behind its name; no other family ends so. */
const PARTS = /_(?:bucket|sum|count)$/;

/** A sample of which everything is known. */
function full(): Sample {
  const sample = completeSample(
    (slot) => slot + 0.5,
    (id) => `text of ${id}`,
  );
  const rows = [
    sample.host.row,
    ...sample.host.disks,
    ...sample.host.pools,
    ...sample.host.numa,
    ...sample.host.nics,
    ...sample.host.zones,
    ...sample.guests.flatMap(({ row: vm, vcpus, disks, nics }) => [vm, ...vcpus, ...disks, ...nics]),
    sample.agent.row,
    ...sample.agent.outputs,
    ...sample.agent.verdicts,
  ];
  for (const each of rows) each.counters.fill(1234567890123);
  for (const each of rows) each.histograms = distributions(each);
  return sample;
}

/** The same distribution behind every metric of a row that has one. */
function distributions({ scope }: Row): Row['histograms'] {
  const counts = Float64Array.of(4, 0, 2, 1);
  const histogram = { bounds: [0.00005, 0.25, 1], counts, sum: 3.75 };
  const metrics = columns(scope).filter((metric) => metric.histogram !== undefined);
  return metrics.length === 0 ? undefined : new Map(metrics.map(({ slot }) => [slot, histogram]));
}

test(
  'promtool has nothing to say against any name',
  { skip: !installed('promtool') && 'no promtool' },
  () => {
    for (const extent of [all, { verbose: false, devices: false }]) {
      const input = `${page(full(), extent).join('\n')}\n`;
      const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
        input,
        encoding: 'utf8',
      });
      assert.deepEqual([stdout, stderr, status], ['', '', 0]);
    }
  },
);

test('each family is there once, with help and type, and its samples in one group', () => {
  const lines = page(full());
  const names = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]);
  assert.equal(new Set(names).size, names.length);
  let current = '';
  for (const line of lines) {
    if (line.startsWith('# HELP ')) current = line.split(' ')[2] ?? '';
    else if (!line.startsWith('#')) assert.equal(/^\w+/.exec(line)?.[0].replace(PARTS, ''), current);
  }
  for (const { name, type } of families)
    assert.ok(names.includes(type === 'counter' ? `${name}_total` : name), name);
});

test('a distribution has buckets that count all up to their ends, in both formats alike', () => {
  const { guests } = full();
  const [guest] = guests;
  const [disk] = guest?.disks ?? [];
  assert.ok(guest !== undefined && disk !== undefined);
  for (const format of ['text', 'openmetrics'] as const) {
    const lines = page(sampleOf({ guests: [{ ...guest, disks: [disk] }] }), all, format);
    const name = 'proxtop_vm_disk_read_latency_seconds';
    assert.ok(lines.includes(`# TYPE ${name} histogram`), format);
    const own = lines.filter((line) => line.startsWith(`${name}_`));
    const told = own.map((line) => line.replace(/\{.*?(?:(le=".*?"))?\}/, ' $1').slice(name.length));
    assert.deepEqual(told, [
      '_bucket le="0.00005" 4',
      '_bucket le="0.25" 4',
      '_bucket le="1.0" 6',
      '_bucket le="+Inf" 7',
      '_sum  3.75',
      '_count  7',
    ]);
    const labels = own.map((line) => /device="(.*?)"/.exec(line)?.[1]);
    assert.deepEqual(new Set(labels), new Set(['text of device']));
  }
});

test('what is not published as it is, a query has from counters', () => {
  const published = new Set(families.flatMap(({ sources }) => sources.map(({ metric }) => metric)));
  const left = catalogue.filter((metric) => metric.kind !== 'text' && !published.has(metric));
  for (const { scope, id, kind } of left) {
    const isSum = scope === 'agent' || `${scope} ${id}` === 'agent_output dropped';
    const isLatency = id.startsWith('disk_lat_');
    assert.ok(kind !== 'gauge' || isSum || isLatency, `${scope} ${id} is a level`);
  }
  // The kernel's averages of pressure are averages of what the counters tell.
  const rates = left.filter(({ kind }) => kind === 'rate').map(({ id }) => id);
  const twice = /_mbit$|_mib$|_sectors_(read|written)$|^disk_commands$/;
  assert.deepEqual(
    rates.filter((id) => !twice.test(id)),
    [],
  );
});

test('counters are the readings, in base units and to the last digit', () => {
  const vm = count(row('vm', { UUID: 'u', name: 'n', vmid: '100' }), {
    cpu_total: 31536000123456789,
    cpu_throttled: 1500000,
    disk_reads: 7,
    disk_blkio_delay: 101,
    io_read_bytes: 0,
  });
  const host = { row: count(row('host'), { cpu_user: 12345, disk_read_mib: 3, disk_time_io: 1005 }) };
  const found = samples(page(sampleOf({ host, guests: [vmRows(vm)] }), sums));
  const labels = '{uuid="u",name="n",vmid="100"}';
  // A double holds a nanosecond in 104 days; here the last digit is even.
  assert.equal(found.get(`proxtop_vm_cpu_seconds_total${labels}`), '31536000.123456788');
  assert.equal(found.get(`proxtop_vm_cpu_throttled_seconds_total${labels}`), '1.500000');
  assert.equal(found.get(`proxtop_vm_disk_reads_total${labels}`), '7');
  assert.equal(found.get(`proxtop_vm_disk_blkio_delay_seconds_total${labels}`), '1.01');
  assert.equal(found.get(`proxtop_vm_io_read_bytes_total${labels}`), '0');
  assert.equal(found.get('proxtop_host_cpu_seconds_total{mode="user"}'), '123.45');
  assert.equal(found.get('proxtop_host_disk_read_bytes_total'), '1536');
  assert.equal(found.get('proxtop_host_disk_io_seconds_total'), '1.005');
  assert.ok(![...found.keys()].some((name) => name.includes('writes')), 'what is not known is not there');
});

test('levels are in base units', () => {
  const host = {
    row: row('host', { cpu_curfreq: 2400, net_speed: 1000, ram_overcommit: 1.5, host_uptime: 3 }),
  };
  const vm = row('vm', {
    UUID: 'u',
    disk_util: 25,
    ram_total: 4096,
    qmp: 'timeout',
    qmp_age: 7.5,
    state: 'paused',
  });
  const found = samples(
    page(sampleOf({ host, guests: [vmRows(vm)], agent: { row: row('agent', { cycle_ms: 4 }) } }), sums),
  );
  assert.equal(found.get('proxtop_host_cpu_curfreq_hertz'), '2400000000');
  assert.equal(found.get('proxtop_host_net_speed_bytes_per_second'), '125000000');
  assert.equal(found.get('proxtop_host_ram_overcommit_ratio'), '1.5');
  assert.equal(found.get('proxtop_host_uptime_seconds'), '3');
  assert.equal(found.get('proxtop_vm_disk_util_ratio{uuid="u"}'), '0.25');
  assert.equal(found.get('proxtop_vm_ram_total_bytes{uuid="u"}'), '4096');
  assert.equal(found.get('proxtop_vm_qmp_age_seconds{uuid="u"}'), '7.5');
  assert.equal(found.get('proxtop_vm_state{uuid="u",state="paused",qmp="timeout"}'), '1');
  assert.equal(found.get('proxtop_agent_cycle_seconds'), '0.004');
});

test('names of tenants are escaped, without what a terminal obeys, and change nothing else', () => {
  const names = ['a"b', 'back\\slash\\', 'two\nlines', 'é\u{1f600}', '"} 1\nproxtop_evil 1', '\u202eabc'];
  const vms = names.map((name, index) =>
    vmRows(row('vm', { UUID: `u${index}`, name, vmid: '1', cpu_cores: 2, tags: name })),
  );
  const found = samples(page(sampleOf({ guests: vms })));
  const cores = [...found.keys()].filter((name) => name.startsWith('proxtop_vm_cpu_cores{'));
  const read = cores.map((line) => {
    const text = /name="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? '';
    return text.replace(/\\(.)/g, '$1');
  });
  assert.deepEqual(
    read,
    names.map((name) => name.replace(/[\n\u202e]/, '?')),
  );
  assert.ok(![...found.keys()].some((name) => name.startsWith('proxtop_evil')));
});

test('with devices there is a sample for each, and no sum beside them', () => {
  const vm = count(row('vm', { UUID: 'u' }), { disk_reads: 12, cpu_other_total: 5e9 });
  const disks = [
    count(row('vm_disk', { device: 'scsi0' }), { disk_reads: 100 }),
    count(row('vm_disk', { device: 'scsi1' }), { disk_reads: 200 }),
  ];
  const host = {
    disks: [
      count(row('host_disk', { device: 'dm-0', disk_type: 'lvm', disk_dmname: 'v' }), { disk_reads: 1 }),
    ],
  };
  const sample = sampleOf({ host, guests: [vmRows(vm, { disks })] });
  const reads = (devices: boolean): [string, string][] =>
    [...samples(page(sample, { verbose: false, devices }))].filter(([name]) => name.includes('_disk_reads_'));
  assert.deepEqual(reads(true), [
    ['proxtop_vm_disk_reads_total{uuid="u",device="scsi0"}', '100'],
    ['proxtop_vm_disk_reads_total{uuid="u",device="scsi1"}', '200'],
    ['proxtop_host_disk_reads_total{device="dm-0",type="lvm",dmname="v"}', '1'],
  ]);
  assert.deepEqual(reads(false), [['proxtop_vm_disk_reads_total{uuid="u"}', '12']]);
});

test('with devices a guest whose devices do not tell a count has its own', () => {
  const counts = { cpu_total: 4e9, cpu_steal: 1e9, disk_reads: 5, net_rx_bytes: 6 };
  const guest = (UUID: string): Row => count(row('vm', { UUID, disk_capacity: 1 }), counts);
  const vcpus = [
    count(row('vm_vcpu', { device: '0' }), { cpu_total: 1e9 }),
    count(row('vm_vcpu', { device: '1' }), { cpu_total: 2e9 }),
  ];
  const nics = [
    count(row('vm_nic', { device: 'net0' }), { net_rx_bytes: 60 }),
    count(row('vm_nic', { device: 'net1' }), {}),
  ];
  // Of a disk that was never asked about only the name is known.
  const disks = [row('vm_disk', { device: 'scsi0' })];
  const host = { row: count(row('host'), { disk_reads: 8, net_rx_bytes: 9 }) };
  const guests = [
    vmRows(guest('vm'), { vcpus, disks, nics }),
    vmRows(guest('container'), { nics: [nics[0]!] }),
    vmRows(guest('bare')),
  ];
  const found = samples(page(sampleOf({ host, guests })));
  const of = (family: string): Record<string, string> =>
    Object.fromEntries(
      [...found]
        .filter(([name]) => name.startsWith(`${family}{`) || name === family)
        .map(([name, value]) => [name.slice(family.length).replace(/[{}"]|uuid=|device=/g, ''), value]),
    );
  assert.deepEqual(of('proxtop_vm_cpu_seconds_total'), {
    container: '4.000000000',
    bare: '4.000000000',
    'vm,0': '1.000000000',
    'vm,1': '2.000000000',
  });
  // The vCPUs do not tell how long they waited.
  assert.deepEqual(Object.keys(of('proxtop_vm_cpu_steal_seconds_total')), ['vm', 'container', 'bare']);
  assert.deepEqual(of('proxtop_vm_disk_reads_total'), { vm: '5', container: '5', bare: '5' });
  assert.deepEqual(Object.keys(of('proxtop_vm_disk_capacity_bytes')), ['vm', 'container', 'bare']);
  // One NIC with a value is enough.
  assert.deepEqual(of('proxtop_vm_net_rx_bytes_total'), {
    bare: '6',
    'vm,net0': '60',
    'container,net0': '60',
  });
  assert.deepEqual(
    [of('proxtop_host_disk_reads_total'), of('proxtop_host_net_rx_bytes_total')],
    [{ '': '8' }, { '': '9' }],
  );
});

test('verbose metrics, and those of collectors that did not run, are left out', () => {
  const names = (extent: typeof all, sample: Sample): string =>
    page(sample, extent)
      .filter((line) => line.startsWith('# TYPE'))
      .join('\n');
  const some = names({ verbose: false, devices: true }, full());
  assert.doesNotMatch(some, /ram_vsize|net_rx_frame/);
  assert.match(some, /net_rx_bytes/);
  const cpu = names(all, { ...full(), collectors: ['cpu'], runs: [] });
  assert.match(cpu, /proxtop_vm_cpu_seconds_total/);
  assert.doesNotMatch(cpu, /_ram_total|_net_|_io_|_disk_|collector_duration/);
  assert.ok(collectorNames.length > 1);
});

test('OpenMetrics: the same samples under names without suffix, units, and an end', () => {
  const [text, openmetrics] = (['text', 'openmetrics'] as const).map((format) => page(full(), all, format));
  assert.deepEqual([...samples(openmetrics!)], [...samples(text!)]);
  assert.equal(openmetrics!.at(-1), '# EOF');
  assert.ok(openmetrics!.includes('# TYPE proxtop_vm_cpu_seconds counter'));
  assert.ok(openmetrics!.includes('# UNIT proxtop_vm_cpu_seconds seconds'));
  assert.ok(openmetrics!.includes('# TYPE proxtop_vm info'));
  assert.ok(text!.includes('# TYPE proxtop_vm_cpu_seconds_total counter'));
  assert.ok(text!.includes('# TYPE proxtop_vm_info gauge'));
});

test('how outputs and collectors fare', () => {
  const sample = sampleOf({
    seq: 7,
    agent: {
      outputs: [
        row('agent_output', { name: 'a', state: 'up' }),
        row('agent_output', { name: 'b', state: 'down' }),
      ],
    },
    runs: [
      { name: 'pressure', duration: 2.5, failed: false },
      { name: 'net', duration: 1, failed: true },
    ],
  });
  count(sample.agent.outputs[1]!, { dropped_queue_full: 3, sent: 9 });
  const found = samples(page(sample));
  assert.equal(found.get('proxtop_output_up{output="a"}'), '1');
  assert.equal(found.get('proxtop_output_up{output="b"}'), '0');
  assert.equal(found.get('proxtop_output_sent_records_total{output="b"}'), '9');
  assert.equal(found.get('proxtop_output_dropped_records_total{output="b",reason="queue_full"}'), '3');
  assert.equal(found.get('proxtop_collector_duration_seconds{collector="pressure"}'), '0.0025');
  assert.equal(found.get('proxtop_collector_success{collector="pressure"}'), '1');
  assert.equal(found.get('proxtop_collector_success{collector="net"}'), '0');
  assert.equal(found.get('proxtop_agent_samples_total'), '7');
});
