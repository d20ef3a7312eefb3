import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopes } from '../../src/catalogue/define.ts';
import { catalogue, columns } from '../../src/catalogue/catalogue.ts';
import { createPrinter } from '../../src/formats/index.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { parseLine } from './line-protocol.ts';
import { completeSample, row, sampleOf, settings, vmRows } from './sample.ts';

const lines = (sample: Sample, changed: Partial<PrinterSettings> = {}) =>
  createPrinter('influx', { ...settings, layout: 'event', ...changed })
    .print(sample)
    .map(String);
/** Each record must be one line with its end. */
const points = (sample: Sample, changed: Partial<PrinterSettings> = {}) =>
  lines(sample, changed).map((line) => parseLine(/^([^\n]+)\n$/.exec(line)?.[1] ?? ''));

const small = () =>
  sampleOf({
    host: {
      row: row('host', { host_name: 'pve1', cpu_cores: 64, cpu_load1: 2, cpu_user: 12.5 }),
      disks: [row('host_disk', { device: 'sda', disk_type: 'physical', disk_reads: 3 })],
    },
    guests: [
      vmRows(
        row('vm', { UUID: 'u-1', name: 'web 1', vmid: '100', tags: 'a;b', qmp: 'timeout', cpu_total: 5 }),
        {
          vcpus: [row('vm_vcpu', { device: '0', cpu_total: 25 }), row('vm_vcpu', { device: '1' })],
        },
      ),
    ],
    agent: { row: row('agent', { cycle_ms: 4.1, queued: 7 }) },
  });

test('a point a row, with tags that say whose it is', () => {
  const time = '1795348800000000000';
  assert.deepEqual(lines(small()), [
    `proxtop_host,host=pve1 cpu_cores=64i,cpu_user=12.5,cpu_load1=2 ${time}\n`,
    `proxtop_host_disk,device=sda,host=pve1 disk_reads=3,disk_type="physical" ${time}\n`,
    `proxtop_vm,host=pve1,name=web\\ 1,tags=a;b,uuid=u-1,vmid=100 qmp="timeout",cpu_total=5 ${time}\n`,
    `proxtop_vm_vcpu,device=0,host=pve1,name=web\\ 1,tags=a;b,uuid=u-1,vmid=100 cpu_total=25 ${time}\n`,
    `proxtop_agent,host=pve1 cycle_ms=4.1,queued=7i,run="r1",seq=42i,interval=1.00042 ${time}\n`,
  ]);
});

test('the layouts differ only in where records end, and a sample of nothing is no record but that of the agent', () => {
  assert.deepEqual(lines(small(), { layout: 'cycle' }), [lines(small()).join('')]);
  assert.deepEqual(
    lines(sampleOf({ guests: [vmRows(row('vm', { name: 'web' }))], interval: NaN }), { precision: 's' }),
    ['proxtop_agent run="r1",seq=42i 1795348800\n'],
  );
});

test('precision', () => {
  const sample = { ...small(), time: Date.UTC(2026, 10, 22, 12) + 987 };
  const times = (['ns', 'ms', 's'] as const).map((precision) => points(sample, { precision })[0]?.time);
  assert.deepEqual(times, [1795348800987000000n, 1795348800987n, 1795348800n]);
});

test('without devices, and with the metrics of some collectors only', () => {
  const measurements = points(small(), { devices: false }).map(({ measurement }) => measurement);
  assert.deepEqual(measurements, ['proxtop_host', 'proxtop_vm', 'proxtop_agent']);
  const sample = {
    ...completeSample(
      () => 1,
      () => 't',
    ),
    collectors: ['io'] as const,
  };
  const vm = points(sample, { verbose: false }).find(({ measurement }) => measurement === 'proxtop_vm');
  assert.deepEqual(Object.keys(vm?.fields ?? {}), [
    'pid',
    'qmp',
    'qmp_age',
    'io_read_mib',
    'io_write_mib',
    'io_read_ops',
    'io_write_ops',
  ]);
});

/** Metrics that are integers: counts, but no averages of counts. Spelled out, as a change of type breaks a database. */
const integers = new Set(
  `vm.cpu_cores vm.cpu_tasks vm.cpu_weight host.cpu_cores host.ram_hugepagestotal host.ram_hugepagesfree host.ram_hugepagesrsvd
  host.ram_hugepagessurp host.disk_queue_depth host.disk_count host.host_vms host_disk.disk_queue_depth host_pool.pool_degraded
  agent.missed_ticks agent.collector_errors agent.qmp_failures agent.queued agent.sent agent.dropped
  agent.reconnects agent_output.queued agent_output.spooled agent_output.unconfirmed agent_output.sent agent_output.resent
  agent_output.reconnects agent_output.dropped agent_output.dropped_queue_full agent_output.dropped_spool_full
  agent_output.dropped_too_large agent_output.dropped_refused agent_output.dropped_unreachable
  agent_output.dropped_damaged agent_output.dropped_unprintable agent_output.dropped_stopped
  agent_output.dropped_unconfirmed agent_verdict.class agent_node.guests`.split(/\s+/),
);
const tags = new Set([
  'UUID',
  'name',
  'vmid',
  'tags',
  'device',
  'host_name',
  'guest_type',
  'rule',
  'subject',
]);

test('every metric is a tag or a field of one type, whatever its value', () => {
  for (const value of [0, 1, 0.5, 2 ** 40, -3, 1e-9, 1e20]) {
    const printed = points(
      completeSample(
        () => value,
        (id) => `text of ${id}`,
      ),
    );
    assert.equal(printed.length, scopes.length);
    for (const { scope, id, kind } of catalogue) {
      const point = printed.find(({ measurement }) => measurement === `proxtop_${scope}`);
      const field = point?.fields[id];
      if (kind !== 'text') {
        const type = integers.has(`${scope}.${id}`) ? 'bigint' : 'number';
        assert.equal(
          type === 'bigint' && value === 1e20 ? 'bigint' : typeof field,
          type,
          `${scope} ${id} of ${value}`,
        );
      } else if (tags.has(id)) {
        const tag = id === 'UUID' ? 'uuid' : id === 'host_name' ? 'host' : id;
        assert.equal(field, undefined, `${scope} ${id}`);
        assert.equal(point?.tags[tag], `text of ${id}`, `${scope} ${id}`);
      } else {
        assert.equal(field, `text of ${id}`, `${scope} ${id}`);
      }
    }
  }
});

const hostileTexts = [
  '007',
  '1e5',
  'a"b,c=d e',
  'web,uuid=other cpu_total=1 1\nproxtop_vm,name=forged x=1',
  'a\nb\r\tc\u0000\u007f\u009b\u2028\u202e',
  'back\\slash\\',
  '\\',
  'a\\,b\\ c\\=d\\"',
  ',',
  ' ',
  '=',
  '"',
  '#comment',
  '\ud83d\ude00 lone \ud800 and \udc00',
  'x'.repeat(100_000),
  '',
];
/** What must arrive, spelled out apart from the code: cut, on one line, and in tags without backslash. */
const visible = (text: string, most: number) =>
  Array.from(text.slice(0, most), (character) =>
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(character) ? '?' : character,
  ).join('');

test('hostile texts, in tags and in fields', () => {
  const sample = sampleOf({
    guests: hostileTexts.map((text) =>
      vmRows(row('vm', { name: text, state: text, cpu_total: 1 }), {
        vcpus: [row('vm_vcpu', { device: text, cpu_total: 2 })],
      }),
    ),
  });
  const printed = points(sample).filter(({ measurement }) => !measurement.startsWith('proxtop_agent'));
  assert.equal(printed.length, 2 * hostileTexts.length);
  for (const [index, text] of hostileTexts.entries()) {
    const tag = visible(text, 256).replaceAll('\\', '/');
    const [vm, vcpu] = printed.slice(2 * index);
    assert.deepEqual(vm?.tags, tag === '' ? {} : { name: tag });
    assert.deepEqual(vm.fields, { state: visible(text, 4096), cpu_total: 1 });
    assert.deepEqual(vcpu?.tags, tag === '' ? {} : { device: tag, name: tag });
  }
});

test('hostile numbers: what is no number is left out', () => {
  const hostile = [
    NaN,
    Infinity,
    -Infinity,
    -0,
    2 ** 53,
    1e21,
    Number.MAX_VALUE,
    5e-324,
    0.1 + 0.2,
    -1.5,
    1e-7,
  ];
  const sample = sampleOf({
    guests: hostile.map((value) =>
      vmRows(row('vm', { name: 'v', cpu_total: value, cpu_cores: value, cpu_steal: 1 })),
    ),
  });
  for (const [index, { fields }] of points(sample).slice(0, hostile.length).entries()) {
    const value = hostile[index]!;
    const known = Number.isFinite(value);
    assert.equal('cpu_total' in fields, known);
    assert.equal('cpu_cores' in fields, known && value < 2 ** 63);
    if (!known) continue;
    assert.ok(Math.abs(Number(fields['cpu_total']) - value) <= 1e-6 * Math.abs(value) + 1e-9);
    if ('cpu_cores' in fields) assert.equal(fields['cpu_cores'], BigInt(Math.round(value)));
  }
});

test('the names of the original program', () => {
  const printed = points(
    completeSample(
      () => 1.5,
      (id) => id,
    ),
    { names: 'original' },
  );
  assert.ok(printed.every(({ measurement }) => !measurement.startsWith('proxtop_agent')));
  const vm = printed.find(({ measurement }) => measurement === 'proxtop_vm');
  assert.equal(vm?.tags['uuid'], 'UUID');
  assert.equal(vm.fields['cpu_%used'], 1.5);
  assert.equal(vm.fields['mem_MINFLT'], 2n);
  assert.equal(columns('vm').length > 20, true);
});
