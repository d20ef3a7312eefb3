import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import { AlignedPrinter } from '../../src/formats/text/aligned.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, settings, vmRows } from './sample.ts';

const plain: PrinterSettings = { ...settings, verbose: false, devices: false, human: true };
const create = (width: number, changed: Partial<PrinterSettings> = {}) => {
  const printer = new AlignedPrinter({ ...plain, ...changed }, () => width);
  return (sample: Sample) => printer.print(sample).map(String).join('').split('\n');
};
const guest = (name: string, known: Record<string, number>) =>
  vmRows(row('vm', { name, vmid: '100', UUID: 'u-1', ...known }));

test('the time and the host, what is wrong, then guests and host in aligned columns', () => {
  const lines = create(Infinity)(
    sampleOf({
      host: { row: row('host', { host_name: 'pve1', cpu_user: 12.34 }) },
      guests: [
        guest('web', { cpu_used: 0.25, ram_rss: 1536 * 2 ** 20 }),
        guest('a-longer-name', { cpu_used: 12, ram_rss: 512 }),
      ],
      agent: {
        row: row('agent', { cycle_ms: 4.1 }),
        verdicts: [
          row('agent_verdict', { state: 'holds', text: '100 web RDY 40 %' }),
          row('agent_verdict', { state: 'ended', text: 'over' }),
        ],
      },
    }),
  );
  assert.match(lines[0]!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}pve1$/);
  assert.deepEqual(lines.slice(1, 7), [
    '! 100 web RDY 40 %',
    '',
    'VMID  NAME            CPUS     RSS  UUID',
    '100   web             0.25  1.5GiB  u-1',
    '100   a-longer-name  12.00    512B  u-1',
    '',
  ]);
  assert.match(lines[7]!, /^HOST +%USER$/);
  assert.match(lines[8]!, /^pve1 +12\.3$/);
  assert.deepEqual(lines.slice(9), ['', '']);
});

test('as many columns as fit the width, those that tell most', () => {
  for (const width of [20, 40, 80, 132]) {
    const lines = create(width, { verbose: true, devices: true })(
      completeSample(
        (slot) => slot * 1.5,
        (id) => id,
      ),
    );
    assert.ok(
      lines.every((line) => line.length <= Math.max(width, 34)),
      lines.find((line) => line.length > width),
    );
    assert.ok(lines.some((line) => /^VMID/.test(line)));
  }
});

test('a column keeps its width, and one without any value has no room', () => {
  const print = create(Infinity);
  const one = (cpu_used: number) => sampleOf({ guests: [guest('web', { cpu_used })] });
  print(one(1234.5));
  assert.ok(print(one(1)).includes('100   web      1.00  u-1'));
});

test('rows of devices name their VM, and nothing of a tenant gets out of its cell', () => {
  const vm = vmRows(row('vm', { UUID: 'u-1', name: 'a\tb\u001b[2Jc', vmid: '100' }), {
    vcpus: [row('vm_vcpu', { device: '0', cpu_total: 25 })],
  });
  const lines = create(80, { devices: true })(sampleOf({ collectors: ['cpu'], guests: [vm] }));
  const at = lines.findIndex((line) => /^VMID +NAME +VCPU/.test(line));
  assert.match(lines[at + 1] ?? '', /^100 +a\?b\?\[2Jc +0 +25\.0$/);
});

test('event layout: a line is a record', () => {
  const printer = new AlignedPrinter({ ...plain, layout: 'event' }, () => 80);
  const records = printer.print(sampleOf({ guests: [guest('web', { cpu_used: 1 })] })).map(String);
  for (const record of records) assert.match(record, /^[^\n]*\n$/);
});

test('the original: its ids and units', () => {
  const lines = create(Infinity, { names: 'original' })(
    sampleOf({ collectors: ['mem'], guests: [guest('web', { ram_total: 2 ** 31 })] }),
  );
  assert.ok(lines.some((line) => / mem_MEMSZ/.test(line)));
  assert.ok(lines.some((line) => / 2\.0GiB/.test(line)));
});
