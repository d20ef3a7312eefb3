import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue, columns } from '../../src/catalogue/catalogue.ts';
import { scopes } from '../../src/catalogue/define.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { originalColumn } from '../../src/formats/shared/names.ts';
import { completeSample, row, sampleOf, settings, vmRows } from './sample.ts';

type Json = Record<string, unknown>;

function original(
  known: Readonly<Record<string, number | string>>,
  scope: 'vm' | 'host',
  interval = 1,
): Json {
  const printer = createPrinter('json', { ...settings, devices: false, names: 'original' });
  const filled = row(scope, known);
  const sample = sampleOf(
    scope === 'vm' ? { interval, guests: [vmRows(filled)] } : { interval, host: { row: filled } },
  );
  const { host, domains } = JSON.parse(printer.print(sample)[0]!.toString()) as {
    host: Json;
    domains: Json[];
  };
  return scope === 'vm' ? domains[0]! : host;
}

test('identity and plain values keep their values under the original ids', () => {
  assert.deepEqual(
    original(
      { UUID: 'u', name: '007', vmid: '7', cpu_total: 50.5, disk_capacity: 4096, ram_rss: 2048 },
      'vm',
    ),
    {
      UUID: 'u',
      name: '007',
      'cpu_%used': 50.5,
      mem_RSS: 2048,
      dsk_SIZE: 4096,
    },
  );
  assert.deepEqual(original({ host_name: 'pve1', cpu_user: 3, cpu_load1: 1 }, 'host'), {
    host_name: 'pve1',
    'cpu_%user': 3,
  });
});

test('sizes in KiB', () => {
  assert.deepEqual(original({ ram_total: 1024 * 1024, ram_used: 1536 }, 'vm'), {
    mem_MEMSZ: 1024,
    mem_GRANT: 1.5,
  });
  assert.deepEqual(original({ ram_total: 2 ** 40 }, 'host'), { mem_Total: 2 ** 30 });
});

test('faults per interval and ticks, whole', () => {
  const known = { ram_minflt: 100.0004, ram_majflt: 0, ram_cminflt: 0.4, disk_blkio_delay: 250 };
  assert.deepEqual(original(known, 'vm', 2), {
    mem_MINFLT: 200,
    mem_MAJFLT: 0,
    mem_CMINFLT: 1,
    dsk_BLKIO: 50,
  });
});

test('VM network counters seen from the tap', () => {
  const known = {
    net_rx_mbit: 1,
    net_tx_mbit: 2,
    net_rx_packets: 3,
    net_tx_packets: 4,
    net_rx_drop_percent: 5,
    net_tx_errors: 6,
    net_rx_frame: 7,
    net_tx_carrier: 8,
  };
  assert.deepEqual(original(known, 'vm'), {
    'net_MbRX/s': 2,
    'net_MbTX/s': 1,
    'net_PKTRX/s': 4,
    'net_PKTTX/s': 3,
    'net_%DRPTX': 5,
    net_errsRX: 6,
    net_frameRX: 7,
    net_carrierTX: 8,
  });
  assert.deepEqual(original({ net_rx_mbit: 1, net_tx_mbit: 2 }, 'host'), {
    'net_MbRX/s': 1,
    'net_MbTX/s': 2,
  });
});

test('latencies are 0 without operations and omitted where the operations are not known', () => {
  const idle = { disk_reads: 0, disk_writes: 0, disk_flushes: 0 };
  const rates = { 'dsk_READS/s': 0, 'dsk_WRITES/s': 0, 'dsk_FLUSH/s': 0 };
  const zero = { 'dsk_LAT/rd': 0, 'dsk_LAT/wr': 0, 'dsk_LAT/fl': 0, 'dsk_LAT/avg': 0 };
  assert.deepEqual(original(idle, 'vm'), { ...rates, ...zero });
  assert.deepEqual(original({ disk_reads: 5, disk_lat_rd: 1.5, disk_writes: 5 }, 'vm'), {
    'dsk_READS/s': 5,
    'dsk_WRITES/s': 5,
    'dsk_LAT/rd': 1.5,
  });
  assert.deepEqual(original({}, 'vm'), {});
});

test('cumulative totals are omitted', () => {
  assert.deepEqual(original({ psi_some_cpu_total: 5, psi_some_cpu_avg60: 1 }, 'host'), {
    psi_some_cpu_avg60: 1,
  });
});

test('what the original did not have is omitted; devices keep their names, the agent has no line', () => {
  const sample = completeSample(
    () => 1,
    (id) => id,
  );
  const print = (layout: 'cycle' | 'event') =>
    createPrinter('json', { ...settings, layout, names: 'original' })
      .print(sample)
      .map((line) => JSON.parse(line.toString()) as Json);
  const [line] = print('cycle') as [Json & { host: Json; domains: Json[] }];
  assert.equal('agent' in line, false);
  assert.deepEqual(line.domains[0]!['vcpus'], [{ device: 'device' }]);
  assert.deepEqual(line.host['disks'], [{ device: 'device' }]);
  const events = print('event');
  assert.deepEqual(
    events.map(({ type }) => type),
    [
      'host',
      'host_disk',
      'host_pool',
      'host_cpu',
      'host_numa',
      'host_nic',
      'host_sensor',
      'host_zone',
      'vm',
      'vm_vcpu',
      'vm_disk',
      'vm_nic',
    ],
  );
  const { host_name, UUID, name, device } = events[9]!;
  assert.deepEqual([host_name, UUID, name, device], ['host_name', 'UUID', 'name', 'device']);
});

test('every original of the catalogue is understood; its ids are unique in their scope', () => {
  for (const scope of scopes) {
    const ids = columns(scope).flatMap((metric) => originalColumn(metric)?.id ?? []);
    assert.equal(new Set(ids).size, ids.length, scope);
    for (const id of ids) assert.match(id, /^[\w%/]+$/);
  }
  const without = catalogue.filter(
    (metric) => metric.original !== undefined && originalColumn(metric) === undefined,
  );
  assert.ok(without.length > 0 && without.every(({ id }) => /^psi_.*_total$/.test(id)));
});
