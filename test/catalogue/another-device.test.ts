import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entities } from '../../src/catalogue/entities.ts';
import { identity } from '../../src/catalogue/metrics/identity.ts';
import { net } from '../../src/catalogue/metrics/net.ts';
import type { Scope } from '../../src/catalogue/define.ts';
import type { Row } from '../../src/catalogue/row.ts';
import type { Sample } from '../../src/sampling/sample.ts';

// The entry of the tree and the lines of the catalogue that a new kind of device needs: here before anything else reads
// them, in the sources otherwise. What it measures is what a NIC does.
Object.assign(entities, {
  host_gpu: {
    parent: 'host',
    member: 'gpus',
    noun: 'a GPU of the host',
    heading: 'GPUs',
    group: 'host',
    identity: ['device'],
    labels: [['device', 'device']],
  },
});
Object.assign(identity, { host_gpu: identity.host_nic });
Object.assign(net, { host_gpu: net.host_nic });

const { columns } = await import('../../src/catalogue/catalogue.ts');
const { TargetRows } = await import('../../src/collectors/device-rows.ts');
const { createPrinter } = await import('../../src/formats/index.ts');
const { PrometheusPage } = await import('../../src/formats/prometheus/page.ts');
const { SelectingPrinter } = await import('../../src/delivery/selection.ts');
const { SampleBuilder } = await import('../../src/recording/sample-builder.ts');
const { Snapshots } = await import('../../src/tui/moments/snapshot.ts');
const { completeSample, row, sampleOf, settings } = await import('../formats/sample.ts');

const gpu = 'host_gpu' as Scope;
const known = { device: 'card0', net_speed: 42 };
const sample = sampleOf({
  host: { row: row('host', { host_name: 'pve1' }), ...({ gpus: [row(gpu, known)] } as object) },
});

/** What stands in the list of GPUs. */
function gpusOf({ host }: Sample): Row[] {
  return (host as unknown as Record<string, Row[]>)['gpus'] ?? [];
}

/** What a printer makes of a sample. */
function printed(name: Parameters<typeof createPrinter>[0], parts: Partial<typeof settings> = {}): Buffer[] {
  const printer = createPrinter(name, { ...settings, ...parts });
  return [...new SelectingPrinter(printer, {}).print(sample)];
}

function textOf(...args: Parameters<typeof printed>): string {
  return Buffer.concat(printed(...args)).toString();
}

test('a collector gets rows of the kind to fill, which are in the sample and forgotten with the cycle', () => {
  const host = new TargetRows('host');
  const devices = host.devices as unknown as Record<string, typeof host.devices.nics>;
  const added = devices['gpus']!.add('card0');
  assert.equal(added.scope, gpu);
  const inSample = (): unknown[] => gpusOf({ ...sample, host: host.tree });
  assert.deepEqual(inSample(), [added]);
  host.clear();
  assert.deepEqual(inSample(), []);
});

test('every printer prints them, with the devices and not without', () => {
  const cycle = JSON.parse(textOf('json')) as { host: unknown };
  assert.deepEqual(cycle.host, {
    host_name: 'pve1',
    disks: [],
    pools: [],
    cpus: [],
    numa: [],
    nics: [],
    sensors: [],
    zones: [],
    gpus: [known],
  });
  const events = printed('json', { layout: 'event' }).map((line) => JSON.parse(line.toString()) as object);
  assert.deepEqual(
    events.map((event) => ('type' in event ? event.type : undefined)),
    ['host', 'host_gpu', 'agent'],
  );
  assert.match(
    textOf('influx'),
    /^proxtop_host_gpu,device=card0,host=pve1 net_speed=42 1795348800000000000$/m,
  );
  assert.match(textOf('csv'), /^host_gpu,.*,card0,.*\b42\b/m);
  assert.match(textOf('text'), /^host_gpu\t.*\tcard0\t.*\b42\b/m);
  const page = new PrometheusPage({ verbose: true, devices: true }).print(sample, 'text').toString();
  assert.match(page, /^proxtop_host_net_speed_bytes_per_second\{device="card0"\} 5250000$/m);
  for (const name of ['json', 'influx', 'csv', 'text', 'msgpack'] as const)
    assert.doesNotMatch(textOf(name, { devices: false }), /card0/, name);
  assert.match(textOf('msgpack'), /card0/);
});

test('a recording gives them back, in both layouts, and so does the copy that the view keeps', () => {
  for (const layout of ['cycle', 'event'] as const) {
    const objects = printed('json', { layout }).map((line) => JSON.parse(line.toString()) as object);
    const back = new SampleBuilder().build(objects as Record<string, unknown>[]);
    assert.deepEqual(gpusOf(back!), gpusOf(sample), layout);
  }
  const copy = gpusOf(new Snapshots().copy(sample));
  const shown = (rows: readonly Row[]): unknown => rows.map(({ values, texts }) => ({ values, texts }));
  assert.deepEqual(shown(copy), shown(gpusOf(sample)));
  assert.notEqual(copy[0], gpusOf(sample)[0]);
});

test('a sample that knows everything has rows of every scope', () => {
  const complete = completeSample(
    () => 1,
    (id) => id,
  );
  assert.deepEqual(
    gpusOf(complete).map(({ scope, values }) => [scope, values.length]),
    [[gpu, columns(gpu).length]],
  );
});
