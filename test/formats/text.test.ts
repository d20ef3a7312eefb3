import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopes } from '../../src/catalogue/define.ts';
import { createPrinter } from '../../src/formats/index.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, settings, vmRows } from './sample.ts';

const plain: PrinterSettings = { ...settings, verbose: false, devices: false };
const create = (changed: Partial<PrinterSettings> = {}) => {
  const printer = createPrinter('text', { ...plain, ...changed });
  return (sample: Sample) => printer.print(sample).map(String);
};
const time = '2026-11-22T12:00:00.000Z';
const cells = (...cell: (string | number)[]) => `${cell.join('\t')}\n`;

const sample = () =>
  sampleOf({
    collectors: ['io'],
    host: { row: row('host', { host_name: 'pve1' }) },
    guests: [
      vmRows(
        row('vm', {
          UUID: 'u-1',
          name: 'web',
          vmid: '100',
          pid: '4000',
          io_read_mib: 1.25,
          io_write_mib: 0,
          io_read_ops: NaN,
        }),
      ),
      vmRows(row('vm', { UUID: 'u-2', name: '007', qmp: 'timeout', qmp_age: 3.5 })),
    ],
    agent: { row: row('agent', { cycle_ms: 4.1 }) },
  });

const vmHeader = cells(
  'vm',
  'time',
  'UUID',
  'name',
  'vmid',
  'pid',
  'guest_type',
  'qmp',
  'qmp_age',
  'io_read_mib',
  'io_write_mib',
  'io_read_ops',
  'io_write_ops',
);
const agentIds = [
  'cycle_ms',
  'cpu_ms',
  'ram_rss',
  'missed_ticks',
  'collector_errors',
  'qmp_failures',
  'queued',
  'queued_bytes',
  'sent',
  'dropped',
  'reconnects',
];
const hostRow = cells('host', time, 'pve1');
const vmRowLines =
  cells('vm', time, 'u-1', 'web', 100, 4000, '-', '-', '-', 1.25, 0, '-', '-') +
  cells('vm', time, 'u-2', '007', '-', '-', '-', 'timeout', 3.5, '-', '-', '-', '-');
const agentRow = cells('agent', time, 4.1, ...agentIds.slice(1).map(() => '-'));

test('a header before the first row of each scope, and not again', () => {
  const print = create();
  const headed =
    cells('host', 'time', 'host_name') +
    hostRow +
    vmHeader +
    vmRowLines +
    cells('agent', 'time', ...agentIds) +
    agentRow;
  assert.deepEqual(print(sample()), [headed]);
  assert.deepEqual(print(sample()), [hostRow + vmRowLines + agentRow]);
});

test('a header again for the scopes whose columns changed', () => {
  const print = create();
  print(sample());
  const [later = ''] = print({ ...sample(), collectors: ['net'] });
  const headers = later.split('\n').filter((line) => line.split('\t')[1] === 'time');
  assert.deepEqual(
    headers.map((line) => line.split('\t')[0]),
    ['host', 'vm'],
  );
});

test('a scope that appears later has its header then', () => {
  const print = create();
  assert.doesNotMatch(print({ ...sample(), guests: [] })[0]!, /^vm\t/m);
  assert.ok(print(sample())[0]!.includes(hostRow + vmHeader + vmRowLines));
});

test('rows of devices name their VM', () => {
  const vm = vmRows(row('vm', { UUID: 'u-1', name: 'web', vmid: '100', pid: '4000' }), {
    vcpus: [row('vm_vcpu', { device: '0', cpu_total: 25 })],
  });
  const [text = ''] = create({ devices: true })(sampleOf({ collectors: ['cpu'], guests: [vm] }));
  const expected =
    cells(
      'vm_vcpu',
      'time',
      'UUID',
      'name',
      'vmid',
      'pid',
      'guest_type',
      'device',
      'cpu_total',
      'cpu_steal',
    ) + cells('vm_vcpu', time, 'u-1', 'web', 100, 4000, '-', 0, 25, '-');
  assert.ok(text.includes(expected), text);
});

test('event layout: a record a line', () => {
  const print = create({ layout: 'event' });
  const records = print(sample());
  assert.equal(records.join(''), create()(sample())[0]);
  assert.equal(records.length, 7);
  for (const record of records) assert.match(record, /^[^\n]+\n$/);
});

test('every row has the cells of its header, whatever names hold', () => {
  const hostile = [
    '',
    'a\tb',
    'a"b\n\u001b[31m,=é',
    '\u009b31m',
    '\u202egpj\u2066',
    '\u2028',
    '\ud800',
    '\u0000\r\v',
  ];
  for (const name of hostile) {
    const full = completeSample(
      (slot) => [NaN, Infinity, -0, 1e21, 5e-324][slot % 5]!,
      () => name,
    );
    const [record] = createPrinter('text', settings).print(full);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(record);
    assert.doesNotMatch(text.replace(/[\t\n]/g, ''), /[\p{Cc}\p{Cf}\u2028\u2029]/u);
    const widths = new Map<string, number>();
    for (const line of text.trimEnd().split('\n')) {
      const row = line.split('\t');
      assert.equal(row.length, widths.get(row[0]!) ?? row.length, line);
      widths.set(row[0]!, row.length);
      assert.ok(
        row.every((cell) => cell !== '' && !/^-?(NaN|Infinity)$|e[+-]\d/.test(cell)),
        line,
      );
    }
    assert.equal(widths.size, scopes.length);
  }
  assert.match(
    create()(sampleOf({ guests: [vmRows(row('vm', { name: 'a\tb\u001b[0m' }))] }))[0]!,
    /\ta\?b\?\[0m\t/,
  );
});

test('human sizes, percents and times', () => {
  const known = {
    ram_total: 4 * 2 ** 30,
    ram_used: 1536,
    ram_free: 1023.99 * 1024,
    ram_rss: 512,
    ram_swapin: 2.5 * 2 ** 20,
    cpu_total: 12.3456,
    disk_lat_rd: 0.5,
    disk_reads: 1 / 3,
    net_rx_packets: 120000,
    io_read_mib: 1.25,
  };
  const [text = ''] = create({ human: true, verbose: true })(
    sampleOf({ guests: [vmRows(row('vm', known))] }),
  );
  const [header, values] = text
    .split('\n')
    .filter((line) => /^vm\t/.test(line))
    .map((line) => line.split('\t'));
  const shown = Object.fromEntries(header!.map((id, index) => [id, values![index]]));
  for (const [id, expected] of Object.entries({
    ram_total: '4.0GiB',
    ram_used: '1.5KiB',
    ram_free: '1.0MiB',
    ram_rss: '512B',
    ram_swapin: '2.5MiB/s',
    cpu_total: '12.3',
    disk_lat_rd: '0.50',
    disk_reads: '0.333',
    net_rx_packets: '120000',
    io_read_mib: '1.25',
    disk_lat_wr: '-',
  })) {
    assert.equal(shown[id], expected, id);
  }
});

test('human sizes of the original, which counts memory in KiB', () => {
  const [text = ''] = create({ human: true, names: 'original' })(
    sampleOf({ collectors: ['mem'], guests: [vmRows(row('vm', { name: 'web', ram_total: 2 ** 31 }))] }),
  );
  assert.match(text, /^vm\ttime\tUUID\tname\tmem_MEMSZ\t/m);
  assert.match(text, /^vm\t2026.*\t-\tweb\t2\.0GiB\t/m);
  assert.doesNotMatch(text, /^agent/m);
});
