import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregator } from '../../../src/delivery/aggregation/aggregator.ts';
import { IntervalPrinter } from '../../../src/delivery/aggregation/interval-printer.ts';
import { columns } from '../../../src/catalogue/catalogue.ts';
import { scopes } from '../../../src/catalogue/define.ts';
import { peaksOf } from '../../../src/catalogue/peaks.ts';
import { Row } from '../../../src/catalogue/row.ts';
import { createPrinter } from '../../../src/formats/index.ts';
import type { Sample } from '../../../src/sampling/sample.ts';
import { row, sampleOf, settings, vmRows } from '../../formats/sample.ts';

type Known = Readonly<Record<string, number | string>>;
interface Object {
  readonly '@timestamp': string;
  readonly seq: number;
  readonly interval?: number;
  readonly host: Readonly<Record<string, unknown>>;
  readonly domains: readonly Readonly<Record<string, unknown>>[];
}

/** Midnight; ticks are whole seconds. */
const start = Date.UTC(2026, 10, 22);

/** A sample at a second after midnight, handled some ms late. */
function at(second: number, vms: readonly Known[], parts: Partial<Sample> = {}): Sample {
  const guests = vms.map((known) => vmRows(row('vm', { pid: '7', ...known })));
  return sampleOf({ time: start + second * 1000 + 3, seq: second, interval: 1, guests, ...parts });
}

/** The objects that an output of 10 s prints of samples, one list for each sample and one for the end. */
function printed(samples: readonly Sample[], seconds = 10): Object[][] {
  const printer = new IntervalPrinter(createPrinter('json', { ...settings, peaks: true }), seconds);
  const objects = (records: readonly Buffer[]): Object[] =>
    records.map((record) => JSON.parse(record.toString()) as Object);
  return [...samples.map((sample) => objects(printer.print(sample))), objects(printer.end())];
}

const seconds = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('a record for each whole interval of the wall clock: means over time, last levels, peaks', () => {
  const lists = printed(
    seconds(8, 23).map((second) =>
      at(second, [{ cpu_total: second, ram_rss: 100 * second, state: second < 20 ? 'running' : 'paused' }]),
    ),
  );
  const records = lists.flat();
  assert.deepEqual(
    lists.flatMap((list, index) => (list.length === 0 ? [] : [index + 8])),
    [10, 20, 24],
    'at the tick that ends an interval, and at the end',
  );
  assert.deepEqual(
    records.map(({ seq, interval, domains: [vm] }) => [
      seq,
      interval,
      vm?.['cpu_total'],
      vm?.['cpu_total_peak'],
      vm?.['ram_rss'],
      vm?.['state'],
    ]),
    [
      [10, 3, 9, 10, 1000, 'running'],
      [20, 10, 15.5, 20, 2000, 'paused'],
      [23, 3, 22, 23, 2300, 'paused'],
    ],
  );
});

test('samples that are means themselves bring their peaks', () => {
  const interval = 10;
  const { slot = NaN } = peaksOf('vm').find(({ id }) => id === 'cpu_steal_peak') ?? {};
  const samples = [
    [5, 60],
    [9, 12],
    [7, NaN],
  ].map(([mean, peak], index) => {
    const vm = row('vm', { UUID: 'u1', pid: '1' });
    const longer = new Row('vm', peaksOf('vm').length);
    longer.values.set(vm.values);
    longer.texts.splice(0, vm.texts.length, ...vm.texts);
    longer.values[columns('vm').find(({ id }) => id === 'cpu_steal')?.slot ?? -1] = mean ?? NaN;
    longer.values[slot] = peak ?? NaN;
    return sampleOf({ time: (index + 1) * 10_000, seq: index + 1, interval, guests: [vmRows(longer)] });
  });
  const found: number[] = [];
  const aggregator = new Aggregator(30);
  const take = ({ guests }: Sample): void => {
    found.push(guests[0]?.row.values[slot] ?? NaN);
  };
  for (const each of samples) aggregator.add(each, take);
  aggregator.end(take);
  assert.deepEqual(found, [60]);
});

test('means weigh samples by their time; means over operations by these', () => {
  const disk = (lat: number, reads: number): Known => ({
    cpu_total: lat,
    disk_lat_rd: lat,
    disk_reads: reads,
  });
  const [vm] = printed([
    at(11, [disk(1, 90)]),
    at(13, [disk(7, 5)], { interval: 2 }),
    at(14, [{ cpu_total: 4, disk_reads: 0 }]),
    at(20, [{}]),
  ]).flat()[0]!.domains;
  assert.ok(vm !== undefined);
  assert.equal(vm['cpu_total'], (1 * 1 + 7 * 2 + 4 * 1) / 4);
  assert.equal(vm['disk_lat_rd'], (90 * 1 + 2 * 5 * 7) / 100);
  assert.equal(vm['disk_reads'], 25, 'of 4 s: the last sample does not know it');
  assert.equal(vm['disk_lat_rd_peak'], 7);
});

test('what no sample knows is left out, and so is a level that the last one does not know', () => {
  const [vm] = printed([at(19, [{ ram_rss: 5 }]), at(20, [{ name: 'a' }])]).flat()[0]!.domains;
  assert.deepEqual(vm, { pid: '7', name: 'a', vcpus: [], disks: [], nics: [] });
});

test('guests and devices that came or went are there with what they did', () => {
  const nic = (device: string, bytes: number) => row('vm_nic', { device, net_rx_bytes: bytes });
  const records = printed([
    at(11, [{ pid: '1', cpu_total: 10 }]),
    at(12, [{ pid: '1', cpu_total: 20 }, { pid: '2' }]),
    at(20, [{ pid: '3', cpu_total: 5 }], {
      guests: [vmRows(row('vm', { pid: '3', cpu_total: 5 }), { nics: [nic('a', 1), nic('b', 2)] })],
    }),
    at(21, [], { guests: [vmRows(row('vm', { pid: '3' }), { nics: [nic('b', 4)] })] }),
    at(30, [], { guests: [vmRows(row('vm', { pid: '3' }), { nics: [nic('c', 4)] })] }),
  ]).flat();
  assert.deepEqual(
    records[0]?.domains.map(({ pid, cpu_total }) => [pid, cpu_total]),
    [
      ['3', 5],
      ['1', 15],
      ['2', undefined],
    ],
    'first those that run',
  );
  assert.deepEqual(records[1]?.domains, [
    {
      pid: '3',
      vcpus: [],
      disks: [],
      nics: [
        { device: 'b', net_rx_bytes: 4 },
        { device: 'c', net_rx_bytes: 4 },
      ],
    },
  ]);
});

test('a guest that ended between two intervals is in the first one alone', () => {
  const records = printed([
    at(11, [{ pid: '1' }, { pid: '2' }]),
    at(20, [{ pid: '1' }, { pid: '2' }]),
    at(21, [{ pid: '1' }]),
    at(30, [{ pid: '1' }]),
  ]).flat();
  assert.deepEqual(
    records.map(({ domains }) => domains.map(({ pid }) => pid)),
    [['1', '2'], ['1']],
  );
});

test('late ticks, missed ones, another run and a clock that is set', () => {
  const ends: unknown[] = [];
  const aggregator = new Aggregator(10);
  const add = (sample: Sample): void => {
    aggregator.add(sample, ({ seq, interval, run }) => ends.push([seq, interval, run]));
  };
  add(at(18, []));
  add(at(19, []));
  add({ ...at(20, []), time: start + 20_400 });
  assert.deepEqual(ends.splice(0), [[20, 3, 'r1']], 'a tick that was handled 0.4 s late');
  for (const second of [21, 22]) add(at(second, []));
  add(at(33, [], { interval: 11 }));
  assert.deepEqual(ends.splice(0), [[22, 2, 'r1']], 'no tick at 30');
  add(at(34, [], { run: 'r2' }));
  assert.deepEqual(ends.splice(0), [[33, 11, 'r1']], 'another run of the program');
  add(at(5, [], { run: 'r2', seq: 35 }));
  assert.deepEqual(ends.splice(0), [[34, 1, 'r2']], 'the clock was set back');
  aggregator.end(({ seq }) => ends.push(seq));
  aggregator.end(({ seq }) => ends.push(seq));
  assert.deepEqual(ends, [35], 'the end, once');
});

test('a mean or share over something names rates of its own scope; peaks have ids of their own', () => {
  for (const scope of scopes) {
    const ids = new Set(columns(scope).map(({ id }) => id));
    for (const { id, operations } of columns(scope))
      for (const operation of operations) assert.ok(ids.has(operation), `${scope} ${id}: ${operation}`);
    for (const { id } of peaksOf(scope)) assert.ok(!ids.has(id), `${scope} ${id}`);
  }
});
