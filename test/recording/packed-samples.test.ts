import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { createPrinter } from '../../src/formats/index.ts';
import { MsgpackEnds } from '../../src/recording/msgpack-ends.ts';
import { PackedSamples } from '../../src/recording/packed-samples.ts';
import { SampleBuilder } from '../../src/recording/sample-builder.ts';
import type { Fields } from '../../src/untyped/values.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, settings, vmRows } from '../formats/sample.ts';

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });
const printer = createPrinter('msgpack', settings);
const packed = (sample: Sample): Buffer => printer.print(sample)[0]!;

const json = createPrinter('json', settings);

/** The content of a sample: as it is printed, and what is not printed. */
function told(sample: Sample | undefined): string[] {
  assert.ok(sample !== undefined);
  const { guests, collectors, host, agent, time, run, seq, interval } = sample;
  return [
    ...json.print(sample).toString().split('\n'),
    ...guests.map(({ guest: { key, ...guest }, twin, ...parts }) =>
      JSON.stringify([key.replace(/ *( \(\d+\))?$/, ''), guest, twin, parts]),
    ),
    JSON.stringify([collectors, host, agent, time, run, seq, interval]),
  ];
}

/** Reads records one after the other in both ways, and compares what they tell. */
function compare(records: readonly Buffer[]): void {
  const quick = new PackedSamples();
  const usual = new SampleBuilder();
  for (const record of records)
    assert.deepEqual(told(quick.read(record)), told(usual.build([unpackr.unpack(record) as Fields])));
}

const full = completeSample(
  (slot) => slot + 0.5,
  (id) => `some ${id}`,
);
const guest = (uuid: string, known: Readonly<Record<string, number | string>> = {}) =>
  vmRows(row('vm', { UUID: uuid, name: `vm ${uuid}`, pid: '1', guest_type: 'qemu', ...known }));

test('records are read as their objects are', () => {
  const complete = packed(full);
  compare([complete, complete]);
  const golden = readFileSync(new URL('../golden/expected/msgpack-cycle.msgpack', import.meta.url));
  const ends = new MsgpackEnds();
  const records: Buffer[] = [];
  for (let at = 0, end = ends.next(golden, 0); end !== undefined; end = ends.next(golden, at)) {
    records.push(golden.subarray(at, end));
    at = end;
  }
  assert.ok(records.length > 1);
  compare([...records, complete, ...records]);
});

test('guests come, go, change places and names, and have more or fewer devices and values', () => {
  const disk = (device: string) => row('vm_disk', { device, disk_reads: 2 });
  const [a, b, c] = [guest('a', { cpu_total: 5 }), guest('b', { tags: 'x;ü' }), guest('c')];
  compare(
    [
      { guests: [a, b] },
      { guests: [b, a] },
      { guests: [c, guest('a', { cpu_total: 70000 }), b] },
      { guests: [] },
      { guests: [vmRows(a.row, { disks: [disk('scsi0'), disk('scsi1')] })] },
      { guests: [vmRows(a.row, { disks: [disk('scsi1')] }), a, a] },
      { guests: [guest('a', { name: 'another', tags: 'x;u' }), a] },
      {
        guests: [guest('a', { cpu_total: 2 ** 40 + 0.5, lock: 'backup', guest_type: 'lxc' })],
        interval: NaN,
      },
      { guests: [guest('a', { cpu_total: -3 })] },
    ].map((parts) => packed(sampleOf(parts))),
  );
});

test('what the catalogue does not know, or has as another type, is passed over', () => {
  const head = { '@timestamp': '2026-11-22T12:00:00.000Z', schema: 1, run: 'r', seq: 1, interval: 1 };
  const domains = [
    { UUID: 'a', name: 7, cpu_total: 'much', new_metric: [1, { deep: [] }], mem_used: null, vcpus: 3 },
    {
      pid: '5',
      cpu_total: 1.5,
      disks: [{ device: 'scsi0' }, 7, null, { device: 'scsi1', disk_reads: true }],
    },
    Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`unknown-${index}`, index])),
  ];
  compare([
    packr.pack({ ...head, host: {}, domains, agent: {}, more: { at: 'the end' } }),
    packr.pack({ ...head, host: 5, domains: [], agent: [] }),
    packr.pack({ more: [], ...head, domains }),
  ]);
});

test('what is no sample is refused, and so is one with more rows than there can be', () => {
  const samples = new PackedSamples();
  const head = { '@timestamp': '2026-11-22T12:00:00.000Z', schema: 1, run: 'r', seq: 1 };
  assert.equal(samples.read(packr.pack({ ...head, domains: [] }))?.guests.length, 0);
  for (const object of [
    {},
    { ...head },
    { ...head, domains: {} },
    { ...head, domains: [], '@timestamp': 'today' },
    { ...head, domains: [], seq: 'first' },
    { ...head, domains: [], seq: 1.5 },
    { ...head, domains: [], run: 7 },
    { ...head, domains: Array.from({ length: 20_001 }, () => ({})) },
    { ...head, domains: [{ disks: Array.from({ length: 20_001 }, () => ({})) }] },
  ])
    assert.equal(samples.read(packr.pack(object)), undefined, JSON.stringify(object).slice(0, 80));
  assert.equal(samples.read(packed(full))?.seq, full.seq);
});
