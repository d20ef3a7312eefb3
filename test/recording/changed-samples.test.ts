import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr/pack';
import { listsOf } from '../../src/catalogue/row-tree.ts';
import { ChangesPrinter } from '../../src/formats/changes/changes-printer.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { PackedWriter } from '../../src/formats/changes/packed-writer.ts';
import { ChangedSamples } from '../../src/recording/changes/changed-samples.ts';
import { formatThatBegins } from '../../src/recording/format.ts';
import type { Fields } from '../../src/recording/format.ts';
import type { GuestRows, Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, settings, vmRows } from '../formats/sample.ts';

const packr = new Packr({ useRecords: false });
const json = createPrinter('json', { ...settings, verbose: true, devices: true });

/** What a sample tells, as it is printed, and who its guests are. */
function told({ guests, ...sample }: Sample): string[] {
  const who = guests.map(({ guest: { key, uuid, name }, twin }) => [key, uuid, name, twin].join());
  return [
    ...json
      .print({ ...sample, guests })
      .toString()
      .split('\n'),
    ...who,
  ];
}

function fieldsOf(record: Buffer): Fields {
  const fields = formatThatBegins(record[0]!)?.decode(record);
  assert.ok(fields !== undefined);
  return fields;
}

const guest = (
  uuid: string,
  known: Readonly<Record<string, number | string>> = {},
  parts = {},
): GuestRows => {
  const rows = vmRows(row('vm', { UUID: uuid, name: `vm ${uuid}`, guest_type: 'qemu', ...known }), parts);
  const { name = `vm ${uuid}` } = known as Readonly<Record<string, string>>;
  return { ...rows, guest: { ...rows.guest, key: `${uuid}:1`, uuid, name } };
};
const disk = (device: string, reads = 2) => row('vm_disk', { device, disk_reads: reads });
const hostRows = (known: Readonly<Record<string, number | string>>) => ({
  row: row('host', known),
  ...listsOf('host', () => []),
});
const numbered = (samples: readonly Partial<Sample>[]): Sample[] =>
  samples.map((parts, index) => sampleOf({ run: 'r', seq: index + 1, interval: 1, ...parts }));

const full = completeSample(
  (slot) => slot + 0.5,
  (id) => `some ${id}`,
);
const a = guest('a', { cpu_total: 5 });
const b = guest('b', { tags: 'x;ü' });
const samples = numbered([
  { guests: [a, b] },
  { guests: [b, a] },
  { guests: [guest('c'), guest('a', { cpu_total: 70_000 }), b] },
  { guests: [] },
  { guests: [guest('a', {}, { disks: [disk('scsi0'), disk('scsi1')] }), b] },
  { guests: [guest('a', { lock: 'backup' }, { disks: [disk('scsi1', 3)] }), b] },
  { guests: [guest('a', { name: 'another' }, { disks: [disk('scsi1', 3)] })], interval: NaN },
  { guests: [guest('a', { cpu_total: 2 ** 40 + 0.5 })] },
  { guests: [guest('a', { cpu_total: -3 })], host: hostRows({ host_name: 'h', cpu_idle: 0.1 }) },
  { guests: [guest('a', { cpu_total: Infinity, name: 'half \ud800' })], host: hostRows({}) },
]);

test('what is printed as changes is read as it was, guests and devices that come, go and change places included', () => {
  const [printer, reader] = [new ChangesPrinter(), new ChangedSamples()];
  const lone = { ...full, run: 'r', seq: 0, interval: 1 };
  for (const sample of [lone, ...samples]) {
    const [record] = printer.print(sample);
    const read = reader.read(fieldsOf(record!));
    assert.ok(typeof read !== 'string', `sample ${sample.seq}: ${JSON.stringify(read)}`);
    // Half a character has no UTF-8.
    const expected = told(sample).map((line) => line.replace('half \ud800', 'half \ufffd'));
    assert.deepEqual(told(read), expected, `sample ${sample.seq}`);
    assert.deepEqual(
      [read.time, read.run, read.seq, read.interval],
      [sample.time, 'r', sample.seq, sample.interval],
    );
    assert.deepEqual([...read.collectors].sort(), [...sample.collectors].sort());
  }
});

test('a sample like the one before costs its head alone, and everything is told again where a printer begins anew', () => {
  const printer = new ChangesPrinter();
  const [first, second, third, again] = [1, 2, 3, 4].map((seq) => {
    if (seq === 4) printer.begin();
    return printer.print({ ...full, run: 'r', seq })[0]!;
  });
  assert.ok(second!.length < 120, `${second!.length} bytes`);
  const reader = new ChangedSamples();
  const seqOf = (record: Buffer) => {
    const read = reader.read(fieldsOf(record));
    return typeof read === 'string' ? read : read.seq;
  };
  assert.deepEqual([first!, second!].map(seqOf), [1, 2]);
  assert.equal(seqOf(second!), 'gap', 'the same once more');
  assert.equal(seqOf(third!), 'gap', 'nothing is known any more');
  assert.equal(seqOf(again!), 4);
});

test('what the catalogue does not know is passed over', () => {
  const writer = new PackedWriter();
  const write = (...values: (number | string | undefined)[]): void => {
    for (const value of values)
      if (typeof value === 'number') writer.number(value);
      else if (value === undefined) writer.nil();
      else writer.text(value);
  };
  write(3, 6);
  write('host', '', 2, 'host_name', 'new_metric', 'host_gpu', 'host', 1, 'load');
  write(
    'vm',
    '',
    2,
    'cpu_total',
    'name',
    'vm_disk',
    'vm',
    1,
    'device',
    'vm_gpu',
    'vm',
    1,
    'load',
    'agent',
    '',
    0,
  );
  write(1, 1, 'key', 1, 2);
  write(0, 2, 0, 'h', 1, 'anything', 0, 1, 0, 7);
  write(0, 2, 0, 1.5, 1, 'web', 0, 1, 0, 'scsi0', 1, 1, 0, undefined, 1);
  const head = { '@timestamp': '2026-11-22T12:00:00.000Z', schema: 1, run: 'r', seq: 1, interval: 1 };
  const changes = writer.take();
  const read = new ChangedSamples().read(fieldsOf(packr.pack({ ...head, changes })));
  assert.ok(typeof read !== 'string', JSON.stringify(read));
  const [cycle] = told(read);
  const { host, domains } = JSON.parse(cycle!) as { host: object; domains: Record<string, unknown>[] };
  assert.deepEqual((host as Record<string, unknown>)['host_name'], 'h');
  const { name, cpu_total: cpu, disks } = domains[0]!;
  assert.deepEqual([name, cpu, disks], ['web', 1.5, [{ device: 'scsi0' }]]);

  // Whatever is cut off is missed.
  for (let length = 0; length < changes.length; length++) {
    const cut = packr.pack({ ...head, changes: changes.subarray(0, length) });
    assert.equal(new ChangedSamples().read(fieldsOf(cut)), 'damaged', `${length} bytes`);
  }
});

test('what is no sample is refused, and so is one with more rows than there can be', () => {
  const head = { '@timestamp': '2026-11-22T12:00:00.000Z', schema: 1, run: 'r', seq: 1 };
  const changes = new ChangesPrinter().print(full)[0]!;
  const whole = fieldsOf(changes)['changes'];
  const refused = (fields: Fields): void => {
    assert.equal(new ChangedSamples().read(fields), 'damaged', JSON.stringify(fields).slice(0, 80));
  };
  assert.ok(typeof new ChangedSamples().read({ ...head, changes: whole }) !== 'string');
  refused({});
  refused(head);
  refused({ ...head, domains: [] });
  refused({ ...head, changes: 'text' });
  refused({ ...head, changes: whole, '@timestamp': 'today' });
  refused({ ...head, changes: whole, run: 7 });
  refused({ ...head, changes: whole, seq: 1.5 });
  for (const count of [20_001, -1, 0.5, 2 ** 32]) {
    const writer = new PackedWriter();
    for (const value of [3, 3, 'host', '', 0, 'vm', '', 0, 'agent', '', 0, count] as const)
      if (typeof value === 'number') writer.number(value);
      else writer.text(value);
    refused({ ...head, changes: writer.take() });
  }
});
