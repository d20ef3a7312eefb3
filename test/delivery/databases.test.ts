/** What real databases hold after our outputs wrote to them: read back by query, compared with the sample itself. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { columns } from '../../src/catalogue/catalogue.ts';
import type { Metric } from '../../src/catalogue/catalogue.ts';
import { scopes } from '../../src/catalogue/define.ts';
import type { Row } from '../../src/catalogue/row.ts';
import { storeOf } from '../../src/delivery/format.ts';
import { HttpDestination } from '../../src/delivery/http/http.ts';
import { createOutput } from '../../src/delivery/index.ts';
import type { Output } from '../../src/delivery/output.ts';
import type { HttpSettings, PrintedSettings } from '../../src/delivery/settings.ts';
import { createPrinter } from '../../src/formats/index.ts';
import type { Precision } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, set, vmRows } from '../formats/sample.ts';
import { Daemon, installed } from './daemon.ts';
import { Influx, noInflux } from './influxd.ts';
import { directory, freePort, logs, storeFor, TestOutput, undecided, until } from './helpers.ts';
import { httpSettings } from './http-receiver.ts';

const print = { layout: 'event', verbose: true, devices: true, human: false, names: 'proxtop' } as const;

function influx(url: string, precision: Precision = 'ns', changed: Partial<HttpSettings> = {}): HttpSettings {
  const full = new URL(url);
  full.searchParams.set('precision', precision);
  return httpSettings(full.href, { printer: 'influx', print: { ...print, precision }, ...changed });
}

function open(
  t: TestContext,
  settings: PrintedSettings,
): { output: Output; at: ReturnType<typeof logs>['at'] } {
  const { log, at } = logs();
  const printer = createPrinter(settings.printer, settings.print);
  const store = storeFor(log, { name: settings.name, ...storeOf(settings) });
  const output = createOutput(settings, printer, store, log, () => {});
  output.begin();
  t.after(() => output.close(0));
  return { output, at };
}

const hostile = [
  'web 1',
  'a,b=c',
  '"quoted"',
  'back\\slash\\',
  'é\ud83d\ude00',
  '007',
  'x=1 2\nproxtop_vm y=1',
];

/** A host with every metric known, and VMs with names of the worst kind. */
function hostileSample(time: number): Sample {
  const full = completeSample(
    (slot) => slot + 0.5,
    (id) => `text of ${id}`,
  );
  set(full.host.row, { cpu_cores: 64, cpu_load1: 3, cpu_user: 0, ram_total: 2 ** 41 });
  const vms = hostile.map((name, index) => {
    const vm = completeSample(
      (slot) => slot * (index + 1) - 0.25,
      (id) => (id === 'UUID' ? `u-${index}` : name),
    ).guests[0]!;
    vm.row.values[3] = NaN;
    return vm;
  });
  return { ...full, time, guests: vms };
}

/** What every database must hold under a tag: our rule for backslashes and line ends, spelled out. */
const asTag = (text: string): string => text.replaceAll('\\', '/').replaceAll('\n', '?');

interface Expected {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly row: Row;
}

/** The points of a sample, made from its rows alone. */
function expected({ host, guests, agent }: Sample): Expected[] {
  const text = ({ scope, texts }: Row, id: string): string =>
    asTag(texts[columns(scope).find((metric) => metric.id === id)?.slot ?? -1] ?? '');
  const ofHost = { host: text(host.row, 'host_name') };
  const point = (row: Row, tags: Readonly<Record<string, string>>): Expected => ({
    measurement: `proxtop_${row.scope}`,
    tags: { ...ofHost, ...tags },
    row,
  });
  const device = (row: Row, tags = {}): Expected => point(row, { ...tags, device: text(row, 'device') });
  return [
    point(host.row, {}),
    ...[
      ...host.disks,
      ...host.nics,
      ...host.cpus,
      ...host.sensors,
      ...host.zones,
      ...host.pools,
      ...host.numa,
    ].map((row) => device(row)),
    ...guests.flatMap(({ row, vcpus, disks, nics }) => {
      const tags = {
        uuid: text(row, 'UUID'),
        name: text(row, 'name'),
        vmid: text(row, 'vmid'),
        tags: text(row, 'tags'),
        guest_type: text(row, 'guest_type'),
      };
      return [point(row, tags), ...[...vcpus, ...disks, ...nics].map((each) => device(each, tags))];
    }),
    point(agent.row, {}),
    ...agent.outputs.map((output) => point(output, { name: text(output, 'name') })),
    ...agent.nodes.map((node) => point(node, { name: text(node, 'name') })),
    ...agent.verdicts.map((row) => point(row, { rule: text(row, 'rule'), subject: text(row, 'subject') })),
  ];
}

const isTag = ({ id }: Metric): boolean =>
  ['UUID', 'name', 'vmid', 'tags', 'guest_type', 'device', 'host_name', 'rule', 'subject'].includes(id);
/** Means of counts are no whole numbers, nor is a limit of CPUs. */
const isInteger = ({ id, unit, kind }: Metric): boolean =>
  unit === 'count' && kind !== 'mean' && id !== 'cpu_limit';

test(
  'InfluxDB holds every field of every row, with its type, and nothing else',
  { skip: noInflux },
  async (t) => {
    const server = await Influx.start(t);
    await server.query('CREATE DATABASE p');
    const time = Date.UTC(2026, 10, 22, 12) + 123;
    for (const precision of ['ns', 'ms'] as const) {
      const sample = hostileSample(precision === 'ns' ? time : time + 1000);
      const { output, at } = open(t, influx(server.write, precision));
      output.write(sample);
      // Every metric that can be whole is whole this time: the types must stand.
      const whole = {
        ...completeSample(
          (slot) => slot,
          () => 'other',
        ),
        time: sample.time + 1,
      };
      output.write(whole);
      await until(() => undecided(output.status) === 0, 'all is sent');
      assert.deepEqual([...at('warn'), ...at('error')], []);
      assert.equal(output.status.dropped, 0);
      for (const { measurement, tags, row } of expected(sample)) {
        const where = Object.entries(tags).map(
          ([tag, text]) => `"${tag}" = '${text.replaceAll("'", "\\'")}'`,
        );
        const found = await server.query(
          `SELECT * FROM ${measurement} WHERE ${where.join(' AND ')} AND time = ${sample.time}000000`,
        );
        assert.equal(found.length, 1, `${measurement} ${JSON.stringify(tags)}`);
        const point = found[0]!;
        for (const metric of columns(row.scope).filter((each) => !isTag(each))) {
          const { id, kind, slot } = metric;
          const value = row.values[slot]!;
          const number = Number.isNaN(value) ? null : isInteger(metric) ? Math.round(value) : value;
          const want = kind === 'text' ? row.texts[slot]!.replaceAll('\n', '?') : number;
          assert.equal(point[id] ?? null, want, `${measurement} ${id}`);
        }
      }
    }
    const types = new Map(
      (await server.query('SHOW FIELD KEYS')).map(({ measurement, fieldKey, fieldType }) => [
        `${String(measurement)}.${String(fieldKey)}`,
        fieldType,
      ]),
    );
    for (const scope of ['vm', 'host', 'vm_disk', 'agent', 'agent_output'] as const) {
      for (const metric of columns(scope).filter((each) => !isTag(each))) {
        const type = metric.kind === 'text' ? 'string' : isInteger(metric) ? 'integer' : 'float';
        assert.equal(types.get(`proxtop_${scope}.${metric.id}`), type, `${scope} ${metric.id}`);
      }
    }
    assert.equal(new Set([...types.keys()].map((key) => key.split('.')[0])).size, scopes.length);
    assert.deepEqual(
      new Set((await server.query('SHOW TAG KEYS')).map(({ tagKey }) => tagKey)),
      new Set(['host', 'uuid', 'name', 'vmid', 'tags', 'guest_type', 'device', 'rule', 'subject']),
    );
    // A second time the same points: they replace themselves.
    const count = (): Promise<unknown> => server.query('SELECT count(cpu_total) FROM proxtop_vm');
    const before = await count();
    const { output } = open(t, influx(server.write));
    output.write(hostileSample(time));
    await output.close(5000);
    assert.equal(output.status.dropped, 0);
    assert.deepEqual(await count(), before);
  },
);

test('InfluxDB killed and started again has every sample', { skip: noInflux }, async (t) => {
  const server = await Influx.start(t);
  await server.query('CREATE DATABASE p');
  const { output } = open(t, influx(server.write));
  const begin = Date.UTC(2026, 10, 22, 12);
  const rounds = 60;
  const write = (seq: number): void => {
    output.write({
      ...sampleOf({ guests: [vmRows(row('vm', { UUID: 'u', cpu_total: seq }))] }),
      seq,
      time: begin + seq * 1000,
    });
  };
  for (let seq = 1; seq <= rounds; seq++) {
    write(seq);
    if (seq === 20) await server.daemon.kill();
    if (seq === 40) await server.daemon.start();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until(() => undecided(output.status) === 0, 'all is sent');
  assert.equal(output.status.dropped, 0);
  const seqs = (await server.query('SELECT seq FROM proxtop_agent')).map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    Array.from({ length: rounds }, (_, index) => index + 1),
  );
});

test(
  'InfluxDB refuses lines: only these are dropped, and all others are there',
  { skip: noInflux },
  async (t) => {
    const server = await Influx.start(t);
    await server.query('create database p');
    const { log } = logs();
    const settings = httpSettings(server.write, { printer: 'influx' });
    const http = new TestOutput(t, settings, log, (tap) => new HttpDestination(settings, tap, log));
    let time = 0;
    const good = (): Buffer => Buffer.from(`m f=1 ${++time}\n`);
    const unparsable = Buffer.from('m f=\n');
    // Of another type than the field has: InfluxDB parses it, writes the others and says how many it dropped.
    const conflict = (): Buffer => Buffer.from(`m f="text" ${++time}\n`);
    let dropped = 0;
    const send = async (lines: readonly Buffer[], bad: number): Promise<void> => {
      http.send(lines);
      await until(() => undecided(http.status) === 0, 'answered');
      dropped += bad;
      assert.equal(http.status.droppedBy.refused, dropped);
      const [count] = await server.query('select count(f) from m');
      assert.equal(count?.['count'], http.status.sent);
    };
    await send(Array.from({ length: 10 }, good), 0);
    // It writes the others and names each of these: `dropped=0`.
    await send([good(), unparsable, good(), unparsable, good()], 2);
    await send([...Array.from({ length: 500 }, () => unparsable), ...Array.from({ length: 100 }, good)], 500);
    await send([good(), conflict(), good(), conflict(), good()], 2);
    await send([unparsable], 1);
  },
);

test('InfluxDB with a password, no database, a limit of size', { skip: noInflux }, async (t) => {
  const server = await Influx.start(t, 'auth-enabled = true\nmax-body-size = 5000');
  await server.query("CREATE USER u WITH PASSWORD 'p;w' WITH ALL PRIVILEGES");
  const access = new URLSearchParams({ u: 'u', p: 'p;w' }).toString();
  const sample = hostileSample(Date.UTC(2026, 10, 22, 12));
  const points = expected(sample).length;
  const attempt = (changed: Partial<HttpSettings>): { output: Output; at: ReturnType<typeof logs>['at'] } => {
    const opened = open(t, influx(server.write, 'ns', { gzip: false, ...changed }));
    opened.output.write(sample);
    return opened;
  };
  const nobody = attempt({});
  await until(() => undecided(nobody.output.status) === 0, 'all is decided');
  assert.equal(nobody.output.status.dropped, points);
  assert.match(nobody.at('error')[0]!, /HTTP 401: .*unable to parse authentication credentials/);
  const credentials = { username: 'u', password: 'p;w' };
  // Somebody may create it any minute.
  const right = attempt({ credentials });
  await until(() => right.output.status.state === 'down', 'there is no database');
  assert.match(right.at('warn')[0]!, /HTTP 404: .*database not found/);
  await server.query('CREATE DATABASE p', access);
  await until(() => undecided(right.output.status) === 0, 'all is decided');
  assert.deepEqual([right.output.status.sent, right.output.status.dropped], [points, 0]);
  assert.ok(right.at('debug').some((line) => /HTTP 413/.test(line)));
  const nics = await server.query('SELECT net_rx_bytes FROM proxtop_vm_nic', access);
  assert.equal(nics.length, hostile.length);
});

const noVictoria = !installed('victoria-metrics') && 'no victoria-metrics';

class Victoria {
  readonly daemon: Daemon;
  readonly url: string;

  private constructor(
    t: TestContext,
    port: number,
    readonly linePort: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    const args = [
      `-storageDataPath=${directory(t)}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      `-influxListenAddr=127.0.0.1:${linePort}`,
      '-retentionPeriod=100y',
    ];
    this.daemon = new Daemon(t, 'victoria-metrics', args, `${this.url}/health`);
  }

  static async start(t: TestContext): Promise<Victoria> {
    const server = new Victoria(t, await freePort(), await freePort());
    await server.daemon.start();
    return server;
  }

  /** Every series: labels, values, times. */
  async export(): Promise<{ metric: Record<string, string>; values: number[]; timestamps: number[] }[]> {
    await fetch(`${this.url}/internal/force_flush`);
    const response = await fetch(`${this.url}/api/v1/export?match[]={__name__=~"proxtop.*"}`);
    const text = await response.text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(
        (line) =>
          JSON.parse(line) as { metric: Record<string, string>; values: number[]; timestamps: number[] },
      );
  }
}

/** How many metrics of a sample are numbers, and known. */
const numbersOf = (sample: Sample): number =>
  expected(sample)
    .flatMap(({ row }) =>
      columns(row.scope).map(({ kind, slot }) => kind !== 'text' && !Number.isNaN(row.values[slot]!)),
    )
    .filter(Boolean).length;

/** Each metric that is a number, as VictoriaMetrics has it, must be there once with our value and time. */
async function assertVictoria(server: Victoria, sample: Sample, hasTime: boolean): Promise<void> {
  const series = await server.export();
  const key = (name: string, tags: Readonly<Record<string, string>>): string =>
    JSON.stringify([name, Object.entries(tags).sort()]);
  const found = new Map(
    series.map(({ metric: { __name__: name = '', db: _, ...tags }, values, timestamps }) => [
      key(name, tags),
      { values, timestamps },
    ]),
  );
  let compared = 0;
  for (const { measurement, tags, row } of expected(sample)) {
    for (const metric of columns(row.scope).filter(({ kind }) => kind !== 'text')) {
      const value = row.values[metric.slot]!;
      const point = found.get(key(`${measurement}_${metric.id}`, tags));
      if (Number.isNaN(value)) {
        assert.equal(point, undefined);
        continue;
      }
      const want = isInteger(metric) ? Math.round(value) : value;
      assert.deepEqual(point?.values, [want], `${measurement} ${metric.id} ${JSON.stringify(tags)}`);
      if (hasTime) assert.deepEqual(point.timestamps, [sample.time]);
      compared++;
    }
  }
  assert.ok(compared > 500);
}

test('VictoriaMetrics holds every number of every row', { skip: noVictoria }, async (t) => {
  for (const path of ['/write?db=p', '/api/v2/write?org=o&bucket=b']) {
    const server = await Victoria.start(t);
    const sample = hostileSample(Date.now() - 5000);
    const { output, at } = open(t, influx(server.url + path, 'ms', { credentials: { token: 't' } }));
    output.write(sample);
    await output.close(5000);
    assert.deepEqual([...at('warn'), ...at('error')], []);
    assert.equal(output.status.sent, expected(sample).length);
    await assertVictoria(server, sample, true);
    await server.daemon.kill();
  }
});

test('VictoriaMetrics holds what came over tcp and udp', { skip: noVictoria }, async (t) => {
  const common = { name: 'test', printer: 'influx' } as const;
  const queue = { maxBytes: 64 << 20, whenFull: 'drop_oldest' } as const;
  for (const type of ['tcp', 'udp'] as const) {
    const server = await Victoria.start(t);
    const peer = { host: '127.0.0.1', port: server.linePort };
    const settings: PrintedSettings =
      type === 'tcp'
        ? { ...common, type, print: { ...print, layout: 'cycle' }, ...peer, queue, timeout: 5 }
        : { ...common, type, print, ...peer, maxDatagram: 65507 };
    const { output } = open(t, settings);
    const sample = hostileSample(Date.now() - 5000);
    output.write(sample);
    await until(() => output.status.sent > 0 && undecided(output.status) === 0, 'all is sent');
    // There is no event when the server has read it.
    const wanted = numbersOf(sample);
    while ((await server.export()).length < wanted);
    await assertVictoria(server, sample, true);
    await output.close(1000);
    await server.daemon.kill();
  }
});
