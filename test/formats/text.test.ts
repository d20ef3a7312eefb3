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
const hostRow = cells('host', time, 'pve1');
const vmRowLines =
  cells('vm', time, 'u-1', 'web', 100, 4000, '-', '-', '-', 1.25, 0, '-', '-') +
  cells('vm', time, 'u-2', '007', '-', '-', '-', 'timeout', 3.5, '-', '-', '-', '-');

test('the guests first, a header before the first row of each scope, and not again', () => {
  const print = create();
  const headed = vmHeader + vmRowLines + cells('host', 'time', 'host_name') + hostRow;
  assert.deepEqual(print(sample()), [headed]);
  assert.deepEqual(print(sample()), [vmRowLines + hostRow]);
});

test('rows about proxtop itself only with verbose metrics, verdicts always', () => {
  const [verbose = ''] = create({ verbose: true })(sample());
  assert.match(verbose, /^agent\ttime\t.*\nagent\t/m);
  const [text = ''] = create()(
    sampleOf({
      agent: {
        row: row('agent', {}),
        outputs: [row('agent_output', { name: 'logs' })],
        verdicts: [row('agent_verdict', { rule: 'hung', subject: '100', text: '100 web does not answer' })],
      },
    }),
  );
  assert.doesNotMatch(text, /^agent(_output)?\t/m);
  assert.match(text, /^agent_verdict\t.*\t100 web does not answer$/m);
});

test('a header again for the scopes whose columns changed', () => {
  const print = create();
  print(sample());
  const [later = ''] = print({ ...sample(), collectors: ['net'] });
  const headers = later.split('\n').filter((line) => line.split('\t')[1] === 'time');
  assert.deepEqual(
    headers.map((line) => line.split('\t')[0]),
    ['vm', 'host'],
  );
});

test('a scope that appears later has its header then', () => {
  const print = create();
  assert.doesNotMatch(print({ ...sample(), guests: [] })[0]!, /^vm\t/m);
  assert.ok(print(sample())[0]!.includes(vmHeader + vmRowLines + hostRow));
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
  assert.equal(records.length, 5);
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
