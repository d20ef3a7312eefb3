/** OTLP into real VictoriaMetrics of Debian 13 and of sid; that of Debian 12 takes none. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { columns, countedColumns } from '../../src/catalogue/catalogue.ts';
import type { Row } from '../../src/catalogue/row.ts';
import { HttpDestination } from '../../src/delivery/http/http.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { PrometheusPage } from '../../src/formats/prometheus/page.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { Daemon } from '../delivery/daemon.ts';
import { TestOutput, directory, freePort, logs } from '../delivery/helpers.ts';
import { httpSettings } from '../delivery/http-receiver.ts';
import { proxtop } from '../e2e/program.ts';
import { completeSample, sampleOf, settings } from '../formats/sample.ts';
import { unpackedPackage } from '../lab/debian-packages.ts';
import type { Suite } from '../lab/debian-packages.ts';
import { until } from '../lab/processes.ts';

const document = readFileSync(new URL('../../docs/integrations/otlp.md', import.meta.url), 'utf8');
const path = /^target = http:\/\/victoria\.example:8428(\S+)$/m.exec(document)?.[1] ?? '';

/** A series as VictoriaMetrics exports it. */
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

/** A VictoriaMetrics of a suite. */
class Victoria {
  private constructor(readonly url: string) {}

  /** Skips the test where it cannot be had. */
  static async start(t: TestContext, suite: Suite, ...flags: string[]): Promise<Victoria | undefined> {
    const root = await unpackedPackage(suite, 'victoria-metrics').catch((error: unknown) => {
      t.skip((error as Error).message);
    });
    if (root === undefined) return undefined;
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const args = [`-storageDataPath=${directory(t)}`, `-httpListenAddr=127.0.0.1:${port}`, ...flags];
    await new Daemon(t, `${root}/usr/bin/victoria-metrics`, args, `${url}/health`).start();
    return new Victoria(url);
  }

  /** Everything that is stored. */
  async stored(): Promise<readonly Series[]> {
    await fetch(`${this.url}/internal/force_flush`);
    const body = new URLSearchParams({ 'match[]': '{__name__!=""}', start: '0' });
    const text = await (await fetch(`${this.url}/api/v1/export`, { method: 'POST', body })).text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Series);
  }
}

/** The output that a configuration would make, to a URL. */
function output(t: TestContext, url: string) {
  const { log, at } = logs();
  const http = httpSettings(url, { printer: 'otlp' });
  return { at, sent: new TestOutput(t, http, log, (tap) => new HttpDestination(http, tap, log, () => 20)) };
}

/** A sample in which everything is known, counters too: each a number of its own. */
function everything(time: number): Sample {
  const sample = completeSample(
    (slot) => slot + 0.25,
    (id) => (id === 'guest_type' ? 'qemu' : `the ${id}`),
  );
  const [guest] = sample.guests;
  const rows: Row[] = [sample.host.row, guest!.row, sample.agent.row];
  for (const tree of [sample.host, guest!, sample.agent])
    for (const part of Object.values(tree)) if (Array.isArray(part)) rows.push(...(part as Row[]));
  for (const { scope, counters } of rows)
    for (const { slot } of countedColumns(scope)) counters[slot] = 1000 * slot + 7;
  const disk = guest!.disks[0]!;
  const tails = columns('vm_disk').filter(({ histogram }) => histogram !== undefined);
  disk.histograms = new Map(
    tails.map(({ slot }) => [slot, { bounds: [0.001, 0.5], counts: Float64Array.of(slot, 2, 3), sum: 4.5 }]),
  );
  const began = { program: time - 60_000, run: time - 60_000 };
  return { ...sample, time, began, guests: [{ ...guest!, began: { seen: time - 60_000 } }] };
}

/** Numbers of the page for Prometheus, by name and labels without those that only tell where they come from. */
function pageNumbers(sample: Sample): ReadonlyMap<string, number> {
  const page = new PrometheusPage({ verbose: true, devices: true }).print(sample, 'text').toString();
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => `${key}=${text}`);
      return [`${name} ${pairs.sort().join(' ')}`, Number(value)];
    }),
  );
}

for (const suite of ['trixie', 'sid'] as const) {
  test(`VictoriaMetrics of ${suite} has each point as the sample has it, under the names of Prometheus if wanted`, async (t) => {
    const victoria = await Victoria.start(t, suite, '-opentelemetry.usePrometheusNaming');
    if (victoria === undefined) return;
    const time = Date.now() - 60_000;
    const sample = everything(time);
    const { sent, at } = output(t, victoria.url + path);
    const printed = createPrinter('otlp', settings).print(sample);
    sent.send(printed);
    await until('sent', () => sent.status.sent === printed.length);
    assert.deepEqual([...at('warn'), ...at('error')], []);

    const expected = pageNumbers(sample);
    const host = { host_name: 'the host_name', host_id: 'the host_uuid', service_name: 'proxtop' };
    let compared = 0;
    let conventional = 0;
    let stored: readonly Series[] = [];
    await until('all is stored', async () => {
      const before = stored.length;
      stored = await victoria.stored();
      return stored.length > 0 && stored.length === before;
    });
    for (const { metric, values, timestamps } of stored) {
      assert.deepEqual(timestamps, [time]);
      for (const [key, value] of Object.entries(host))
        assert.equal(metric[key], value, JSON.stringify(metric));
      const { __name__: name = '', vmrange, ...labels } = metric;
      if (!name.startsWith('proxtop_') || vmrange !== undefined) {
        conventional++;
        continue;
      }
      const own = Object.entries(labels).filter(
        ([key]) =>
          !/^(host_name|host_id|service_name|service_instance_id|scope_name|scope_version)$/.test(key),
      );
      // Prometheus writes bounds with a decimal point.
      const key = `${name} ${own
        .map(([label, text]) => `${label}=${text}`)
        .sort()
        .join(' ')}`;
      const page = expected.get(key) ?? assert.fail(`${key} is not on the page`);
      const [value = NaN] = values;
      assert.ok(Math.abs(value - page) <= 1e-6 * Math.abs(page), `${key}: ${value}, on the page ${page}`);
      compared++;
    }
    assert.ok(compared > 150, String(compared));
    assert.ok(conventional >= 20, String(conventional));
  });
}

test('a receiver that takes no JSON, a wrong path, a wrong token: its words', async (t) => {
  const victoria = await Victoria.start(t, 'trixie');
  if (victoria === undefined) return;
  const sample = sampleOf({ time: Date.now() });
  sample.host.row.values[columns('host').find(({ id }) => id === 'ram_free')!.slot] = 1;
  const records = createPrinter('otlp', settings).print(sample);
  const wrong = output(t, `${victoria.url}/v1/metrics`);
  wrong.sent.send(records);
  await until('refused', () => wrong.sent.status.dropped === 1);
  assert.match(wrong.at('error')[0]!, /HTTP 400: .*unsupported path requested: "\/v1\/metrics"/);

  const json = output(t, victoria.url + path);
  json.sent.send([Buffer.from('{"resourceMetrics":[]}')]);
  await until('refused', () => json.sent.status.dropped === 1);
  assert.match(json.at('error')[0]!, /HTTP 400: .*(unmarshal|wire)/i);

  const guarded = await Victoria.start(t, 'trixie', '-httpAuth.username=u', '-httpAuth.password=p');
  const nobody = output(t, guarded!.url + path);
  nobody.sent.send(records);
  await until('refused', () => nobody.sent.status.dropped === 1);
  assert.match(nobody.at('error')[0]!, /HTTP 401/);
});

test('the configuration of the document, with points that are ahead and behind', async (t) => {
  const victoria = await Victoria.start(t, 'sid');
  if (victoria === undefined) return;
  const block = /```ini\n([\s\S]*?)```/.exec(document)?.[1] ?? assert.fail('no configuration');
  const config = join(directory(t), 'proxtop.conf');
  const own = `state_dir = ${directory(t)}\n${block.replace('http://victoria.example:8428', victoria.url)}`;
  writeFileSync(config, own);
  const check = await proxtop(['--config', config, '--check']);
  assert.match(check.stdout, /otlp, metrics of OpenTelemetry in protobuf; every 10 seconds/);
  const { code, stderr } = await proxtop(['--config', config, '--runs', '2']);
  assert.deepEqual([code, stderr], [0, '']);
  const wanted = ['system.cpu.time', 'system.memory.limit', 'proxtop.host.vms'];
  await until('what was sent is stored', async () => {
    const names = new Set((await victoria.stored()).map(({ metric }) => metric['__name__']));
    return wanted.every((name) => names.has(name));
  });

  // A clock that is wrong by hours: the store takes what is within its retention.
  const { sent, at } = output(t, victoria.url + path);
  let records = 0;
  for (const hours of [-5, 1]) {
    const sample = everything(Date.now() + hours * 3_600_000);
    const printed = createPrinter('otlp', settings).print(sample);
    records += printed.length;
    sent.send(printed);
  }
  await until('sent', () => sent.status.sent === records);
  assert.deepEqual(at('error'), []);
});
