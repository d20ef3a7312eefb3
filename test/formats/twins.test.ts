import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { EsxtopPrinter } from '../../src/formats/esxtop/esxtop.ts';
import { withoutColumns } from '../../src/formats/esxtop/host-columns.ts';
import { createPrinter } from '../../src/formats/index.ts';
import type { PrinterName } from '../../src/formats/index.ts';
import { PrometheusPage } from '../../src/formats/prometheus/page.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import { readSamples } from '../../src/recording/recording.ts';
import type { Sample, GuestRows } from '../../src/sampling/sample.ts';
import { pick } from '../collectors/support.ts';
import { file } from '../recording/files.ts';
import { row, sampleOf, settings, vmRows } from './sample.ts';

const UUID = '15e85af9-eb2c-4d5c-a7fb-53929ebb6634';

/** A VM of which only the pid is its own. */
function vm(pid: number, cores: number, twin = true): GuestRows {
  const identity = { UUID, name: 'web', pid: String(pid) };
  const disks = [row('vm_disk', { device: 'vda', disk_reads: cores })];
  return { ...vmRows(row('vm', { ...identity, cpu_cores: cores, cpu_total: cores }), { disks }), twin };
}

const both = (seq = 1): Sample => sampleOf({ seq, guests: [vm(10, 1), vm(20, 2)] });
const print = (name: PrinterName, changed: Partial<PrinterSettings> = {}, sample = both()): string[] =>
  createPrinter(name, { ...settings, verbose: false, ...changed })
    .print(sample)
    .map(String);

test('json, csv and text: the pid stands in every row, and in those of devices', () => {
  const { domains } = JSON.parse(print('json')[0] ?? '') as { domains: Record<string, unknown>[] };
  assert.deepEqual(
    domains.map(({ pid }) => pid),
    ['10', '20'],
  );
  const rows = print('json', { layout: 'event' }).map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const [type, id] of [
    ['vm', 'cpu_cores'],
    ['vm_disk', 'disk_reads'],
  ] as const)
    assert.deepEqual(
      rows.filter((each) => each['type'] === type).map((each) => [each['pid'], each[id]]),
      [
        ['10', 1],
        ['20', 2],
      ],
    );
  for (const name of ['csv', 'text'] as const) {
    const separator = name === 'csv' ? ',' : '\t';
    const lines = print(name).join('').split(/\r?\n/);
    for (const scope of ['vm', 'vm_disk']) {
      const [header = [], ...cells] = lines
        .map((line) => line.split(separator))
        .filter(([first]) => first === scope);
      const column = header.indexOf('pid');
      assert.deepEqual(
        cells.map((each) => each[column]),
        ['10', '20'],
        `${name} ${scope}`,
      );
    }
  }
});

test('influx: the pid is a tag of both and of their devices, and a field of neither', () => {
  for (const verbose of [false, true]) {
    const lines = print('influx', { layout: 'event', verbose });
    for (const scope of ['vm', 'vm_disk']) {
      const series = lines
        .filter((line) => line.startsWith(`proxtop_${scope},`))
        .map((line) => line.split(' ')[0] ?? '');
      assert.equal(series.length, 2);
      assert.match(series[0] ?? '', /,name=web,pid=10,uuid=/);
      assert.match(series[1] ?? '', /,name=web,pid=20,uuid=/);
    }
    assert.ok(!lines.some((line) => line.includes('pid="')));
  }
  const [alone = ''] = print('influx', {}, sampleOf({ guests: [vm(10, 1, false)] }));
  assert.match(alone, /^proxtop_vm,name=web,uuid=\S+ .*pid="10"/m);
});

test('prometheus: the pid is a label of both and of their devices', () => {
  const page = new PrometheusPage({ verbose: true, devices: true });
  const cores = (sample: Sample): string[] =>
    page
      .print(sample, 'text')
      .toString()
      .match(/^proxtop_vm_cpu_cores.*$/gm) ?? [];
  assert.deepEqual(cores(both()), [
    `proxtop_vm_cpu_cores{uuid="${UUID}",name="web",pid="10"} 1`,
    `proxtop_vm_cpu_cores{uuid="${UUID}",name="web",pid="20"} 2`,
  ]);
  const names = page
    .print(both(), 'text')
    .toString()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/ \S+$/, ''));
  assert.equal(new Set(names).size, names.length, 'no series is there twice');
  assert.deepEqual(cores(sampleOf({ guests: [vm(10, 1, false)] })), [
    `proxtop_vm_cpu_cores{uuid="${UUID}",name="web"} 1`,
  ]);
});

test('esxtop: each has columns of its own, and none goes on in those of the other', () => {
  const late: unknown[] = [];
  const note = (name: unknown): void => void late.push(name);
  subscribe(withoutColumns.name, note);
  try {
    const printer = new EsxtopPrinter();
    const run = (...vms: GuestRows[]): string[][] =>
      printer
        .print(sampleOf({ guests: vms }))
        .map((line) => String(line).trimEnd().slice(1, -1).split('","'));
    const column = (header: string[], name: string): number =>
      header.findIndex((each) => each.endsWith(name));
    const [header = [], first = []] = run(vm(10, 1), vm(20, 2));
    assert.equal(new Set(header).size, header.length);
    const [one, two] = [10, 20].map((pid) => column(header, `\\Group Cpu(${pid}:web ${pid})\\% Run`)) as [
      number,
      number,
    ];
    assert.deepEqual([first[one], first[two]], ['1', '4']);
    const [rest = []] = run(vm(20, 2));
    assert.deepEqual([rest[one], rest[two]], ['NaN', '4']);

    // One that has the columns alone keeps them; a second one has none, also when the first has ended.
    printer.begin();
    const [alone = []] = run(vm(10, 1, false));
    const run1 = column(alone, '\\Group Cpu(10:web)\\% Run');
    const cells = [run(vm(10, 1), vm(20, 2)), run(vm(20, 2)), run(vm(20, 2), vm(30, 3))].map(
      ([line]) => line?.[run1],
    );
    assert.deepEqual(cells, ['1', 'NaN', 'NaN']);
    assert.deepEqual(late, ['web', 'web']);
    const [again] = run(vm(40, 1, false));
    assert.equal(again?.[run1], '1', 'all have ended, and the VM was started again');
  } finally {
    unsubscribe(withoutColumns.name, note);
  }
});

test('a recording holds both, with their devices, in every format and layout', async () => {
  for (const format of ['json', 'msgpack'] as const)
    for (const layout of ['cycle', 'event'] as const) {
      const printer = createPrinter(format, { ...settings, verbose: false, layout });
      const bytes = Buffer.concat([both(1), both(2)].flatMap((sample) => printer.print(sample)));
      const path = file(`twins.${format}`, bytes);
      let count = 0;
      for await (const { guests } of readSamples(path, { records: 0 })) {
        count++;
        const printed = print('json', { layout: 'event' }, sampleOf({ guests })).map(
          (line) => JSON.parse(line) as Record<string, unknown>,
        );
        assert.deepEqual(
          printed
            .filter((each) => each['type'] === 'vm_disk')
            .map((each) => [each['pid'], each['disk_reads']]),
          [
            ['10', 1],
            ['20', 2],
          ],
          `${format} ${layout}`,
        );
        assert.ok(guests.every(({ twin }) => twin));
        assert.notEqual(guests[0]?.guest.key, guests[1]?.guest.key);
      }
      assert.equal(count, 2);
    }
});

test('a recording of release 0.1.0, which told no pid, holds two VMs and their devices', async () => {
  const bare = (sample: Sample, layout: 'cycle' | 'event'): string =>
    print('json', { layout }, sample)
      .join('')
      .replaceAll(/,"pid":"\d+"/g, '');
  for (const layout of ['cycle', 'event'] as const) {
    const path = file('bare.json', bare(both(1), layout) + bare(both(2), layout));
    for await (const { guests } of readSamples(path, { records: 0 }))
      assert.deepEqual(
        guests.map(({ row, disks }) => [...pick(row, 'cpu_cores'), disks.length]),
        [
          [1, 1],
          [2, 1],
        ],
        layout,
      );
  }
});
