import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns } from '../../src/catalogue/catalogue.ts';
import type { Row } from '../../src/catalogue/row.ts';
import { PrometheusPage } from '../../src/formats/prometheus/page.ts';
import { RemoteWritePrinter } from '../../src/formats/prometheus/remote-write.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf } from './sample.ts';
import { metadataOf, seriesOf, type WrittenSeries } from './write-requests.ts';

const settings: PrinterSettings = {
  layout: 'cycle',
  verbose: true,
  devices: true,
  human: false,
  names: 'proxtop',
};

/** A sample of which everything is known, with distributions. */
function full(): Sample {
  const sample = completeSample(
    (slot) => slot + 0.5,
    (id) => `text of "${id}"\\\n`,
  );
  for (const { row, disks, nics, vcpus } of sample.guests)
    for (const each of [row, ...disks, ...nics, ...vcpus]) {
      each.counters.fill(1234567890123);
      each.histograms = distributions(each);
    }
  sample.host.row.counters.fill(987654321);
  return sample;
}

function distributions({ scope }: Row): Row['histograms'] {
  const histogram = { bounds: [0.00005, 0.25, 1], counts: Float64Array.of(4, 0, 2, 1), sum: 3.75 };
  const metrics = columns(scope).filter((metric) => metric.histogram !== undefined);
  return metrics.length === 0 ? undefined : new Map(metrics.map(({ slot }) => [slot, histogram]));
}

function written(printer: RemoteWritePrinter, sample: Sample): WrittenSeries[] {
  return seriesOf(Buffer.concat(printer.print(sample)));
}

/** A series as a line of the page, its labels in the order of their names. */
function line({ labels }: WrittenSeries): string {
  const [[, name], ...rest] = labels as readonly [
    readonly [string, string],
    ...(readonly [string, string])[],
  ];
  return [name, ...rest.map(([label, value]) => `${label}=${value}`)].join(' ');
}

/** The samples of a page, written in the same way, and their numbers. */
function pageOf(sample: Sample): Map<string, number> {
  const text = new PrometheusPage({ verbose: true, devices: true }).print(sample, 'text').toString();
  const lines = text.split('\n').filter((each) => each !== '' && !each.startsWith('#'));
  return new Map(
    lines.map((each) => {
      const [, name = '', braces = '', number = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(each) ?? [];
      const labels = [...braces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
        ([, label = '', value = '']) => [label, value.replace(/\\(.)/g, '$1')] as const,
      );
      const all = [...labels, ['job', 'proxtop'] as const, ['instance', host(sample)] as const];
      all.sort(([a], [b]) => (a < b ? -1 : 1));
      return [[name, ...all.map(([label, value]) => `${label}=${value}`)].join(' '), Number(number)];
    }),
  );
}

function host({ host: { row } }: Sample): string {
  const slot = columns('host').find(({ id }) => id === 'host_name')!.slot;
  return row.texts[slot]!.replace(/\n/g, '?');
}

test('the series are those of the page, with the labels that a scraper adds', () => {
  const sample = full();
  const page = pageOf(sample);
  const series = written(new RemoteWritePrinter(settings), sample);
  assert.ok(page.size > 200, `${page.size} series`);
  assert.ok([...page.keys()].some((each) => each.includes('_bucket') && each.includes('le=+Inf')));
  assert.deepEqual(series.map(line).sort(), [...page.keys()].sort());
  for (const each of series) {
    // The page has levels with fewer digits.
    const shown = page.get(line(each)) ?? NaN;
    assert.ok(Math.abs(each.value - shown) <= 1e-6 * Math.abs(shown), line(each));
    assert.equal(each.time, Math.round(sample.time));
    const names = each.labels.map(([name]) => name);
    assert.deepEqual(names, [...new Set(names)].sort(), 'in order, each once');
    assert.equal(names[0], '__name__');
  }
});

test('a record for host and agent, and one for each guest', () => {
  const sample = full();
  const records = new RemoteWritePrinter(settings).print(sample);
  assert.equal(records.length, 1 + sample.guests.length);
  for (const [index, record] of records.entries())
    for (const { labels } of seriesOf(record))
      assert.equal(labels[0]![1].startsWith('proxtop_vm'), index > 0, labels[0]![1]);
});

test('type, help and unit of each family are those of the page; in the record of the host, once a minute', () => {
  const sample = full();
  const printer = new RemoteWritePrinter(settings);
  const at = (ms: number): string[][] =>
    printer.print({ ...sample, time: sample.time + ms }).map((record) => metadataOf(record));
  const [host, ...others] = at(0) as [string[], ...string[][]];
  assert.ok(others.every(({ length }) => length === 0));
  const page = new PrometheusPage({ verbose: true, devices: true });
  const types = ['', 'counter', 'gauge', 'histogram'];
  const told = [
    ...page
      .print(sample, 'text')
      .toString()
      .matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm),
  ].map(
    ([, name, help = '', type = '']) => `${types.indexOf(type)} ${name} ${help.replaceAll('\\\\', '\\')}`,
  );
  const units = new Map(
    [
      ...page
        .print(sample, 'openmetrics')
        .toString()
        .matchAll(/^# UNIT (\S+) (\S+)$/gm),
    ].map(([, name, unit]) => [name, unit]),
  );
  assert.ok(told.length > 200 && units.size > 50);
  const expected = told.map((each) => {
    const unit = units.get((each.split(' ')[1] ?? '').replace(/_(total|info)$/, ''));
    return unit === undefined ? each : `${each} ${unit}`;
  });
  assert.deepEqual(host.sort(), expected.sort());
  assert.equal(at(59_999).flat().length, 0);
  assert.deepEqual(at(60_000)[0]?.sort(), host);
  assert.equal(at(70_000).flat().length, 0);
  // The clock is set back.
  assert.deepEqual(at(-3_600_000)[0]?.sort(), host);
});

test('of a family without a sample nothing is said', () => {
  const sample = sampleOf({ host: { row: row('host', { ram_free: 1 }) } });
  const told = metadataOf(new RemoteWritePrinter(settings).print(sample)[0]!);
  assert.ok(told.some((each) => each.startsWith('2 proxtop_host_ram_free_bytes ram_free: ')));
  assert.ok(!told.some((each) => each.includes('proxtop_host_ram_total_bytes')));
});

const STALE = 0x7ff0000000000002n;

test('a series that is gone gets the marker, once; others get none', () => {
  const printer = new RemoteWritePrinter(settings);
  const sample = full();
  const before = written(printer, sample);
  const stale = (series: readonly WrittenSeries[]): string[] =>
    series.filter(({ bits }) => bits === STALE).map(line);
  assert.deepEqual(stale(before), []);
  assert.deepEqual(stale(written(printer, { ...sample, time: sample.time + 10_000 })), []);
  // A guest is gone.
  const [gone, ...rest] = sample.guests;
  const later = { ...sample, time: sample.time + 20_000, guests: rest };
  const after = written(printer, later);
  const present = new Set(after.filter(({ bits }) => bits !== STALE).map(line));
  assert.deepEqual(
    stale(after).sort(),
    before
      .map(line)
      .filter((each) => !present.has(each))
      .sort(),
  );
  assert.ok(stale(after).length > 50);
  assert.ok(after.every(({ time }) => time === later.time));
  assert.deepEqual(stale(written(printer, { ...later, time: sample.time + 30_000 })), []);
  // A value is no longer known.
  const cores = columns('vm').find(({ id }) => id === 'cpu_cores')!.slot;
  assert.deepEqual(stale(written(printer, { ...sample, time: sample.time + 40_000 })), []);
  gone!.row.values[cores] = NaN;
  const without = stale(written(printer, { ...sample, time: sample.time + 50_000 }));
  assert.equal(without.length, 2, without.join('\n'));
  assert.ok(without.some((each) => each.startsWith('proxtop_vm_cpu_cores ')));
  assert.ok(
    without.some((each) => each.startsWith('proxtop_vm_info ')),
    'its labels have changed',
  );
});

test('a sample of which nothing is known has no empty record', () => {
  const sample = full();
  const nothing = { ...sample, guests: sample.guests.slice(0, 0) };
  assert.equal(new RemoteWritePrinter(settings).print(nothing).length, 1);
});
