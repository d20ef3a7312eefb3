// Series in real receivers of remote write: Prometheus of three Debian releases, and VictoriaMetrics.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { HttpDestination } from '../../src/delivery/http/http.ts';
import type { HttpSettings } from '../../src/delivery/settings.ts';
import { RemoteWritePrinter } from '../../src/formats/prometheus/remote-write.ts';
import { countedColumns } from '../../src/catalogue/catalogue.ts';
import type { Row } from '../../src/catalogue/row.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { PROXTOP, Program } from '../e2e/program.ts';
import { Daemon, installed } from '../delivery/daemon.ts';
import { directory, freePort, logs, TestOutput, until } from '../delivery/helpers.ts';
import { httpSettings } from '../delivery/http-receiver.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';
import { Lab } from '../lab/lab.ts';
import { unpackedPackage } from '../lab/debian-packages.ts';
import { until as untilAsync } from '../lab/processes.ts';

interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A store that takes remote write and answers PromQL. */
interface Receiver {
  readonly url: string;
  query(text: string, time?: number): Promise<readonly Found[]>;
  /** What it knows of a family. */
  metadata(name: string): Promise<unknown>;
}

function receiver(url: string): Receiver {
  return {
    url,
    query: async (text, time) => {
      const body = new URLSearchParams({
        query: text,
        nocache: '1',
        ...(time !== undefined && { time: String(time) }),
      });
      const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body });
      const { data, error } = (await response.json()) as { error?: string; data?: { result: Found[] } };
      return data?.result ?? assert.fail(error);
    },
    metadata: async (name) => {
      const response = await fetch(`${url}/api/v1/metadata?metric=${name}`);
      return ((await response.json()) as { data: Record<string, unknown> }).data[name];
    },
  };
}

/** A Prometheus that scrapes nothing. @param window of out-of-order samples, such as 1h; '' for none */
async function prometheus(t: TestContext, program: string, window: string): Promise<Receiver> {
  const path = directory(t);
  const storage = window === '' ? '' : `storage:\n  tsdb:\n    out_of_order_time_window: ${window}\n`;
  writeFileSync(join(path, 'prometheus.yml'), `global: {}\n${storage}`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${path}/prometheus.yml`,
    `--storage.tsdb.path=${path}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
  ];
  await new Daemon(t, program, args, `${url}/-/ready`).start();
  return receiver(url);
}

async function victoriaMetrics(
  t: TestContext,
  program: string,
  ...flags: readonly string[]
): Promise<Receiver> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [`-storageDataPath=${directory(t)}`, `-httpListenAddr=127.0.0.1:${port}`, ...flags];
  await new Daemon(t, program, args, `${url}/health`).start();
  const store = receiver(url);
  return {
    ...store,
    query: async (text, time) => {
      await fetch(`${url}/internal/force_flush`);
      return store.query(text, time);
    },
  };
}

/** An output with strict order. */
function output(
  t: TestContext,
  { url }: Receiver,
  changed: Partial<HttpSettings> = {},
): TestOutput & { readonly log: ReturnType<typeof logs>['at'] } {
  const settings = httpSettings(`${url}/api/v1/write`, { printer: 'remote-write', strict: true, ...changed });
  const { log, at } = logs();
  const made = new TestOutput(t, settings, log, (tap) => new HttpDestination(settings, tap, log, () => 50));
  return Object.assign(made, { log: at });
}

const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
/** A quarter of an hour, which ended before now. */
const COUNT = 90;
const first = Math.floor(Date.now() / 10_000) * 10_000 - (COUNT + 2) * 10_000;

function counted(into: Row, counts: Readonly<Record<string, number>>): Row {
  for (const [id, value] of Object.entries(counts))
    into.counters[countedColumns(into.scope).find((metric) => metric.id === id)!.slot] = value;
  return into;
}

/** A sample of two VMs, each 10 s one; the second waits 3 s in each of them. */
function sample(index: number, guests: readonly number[] = [1, 2]): Sample {
  const vm = (n: number): Row =>
    counted(
      row('vm', { UUID: `u${n}`, name: `vm${n} "ä"`, vmid: `10${n}`, state: 'running', cpu_cores: 1 }),
      { cpu_steal: index * (n === 2 ? 3e9 : 0) },
    );
  return sampleOf({
    time: first + index * 10_000,
    seq: index + 1,
    interval: 10,
    host: { row: row('host', { host_name: 'pve1', ram_free: 2 ** 30 }) },
    guests: guests.map((n) => {
      const rows = vmRows(vm(n), { disks: [row('vm_disk', { device: 'scsi0' })] });
      return { ...rows, guest: { ...rows.guest, key: `guest ${n}` } };
    }),
    collectors: ['cpu', 'mem', 'disk'],
  });
}

const rules = readFileSync(
  new URL('../../docs/integrations/prometheus/proxtop-rules.yml', import.meta.url),
  'utf8',
);

/** The expression of a rule, with those of the recording rules in it. */
function expression(name: string): string {
  const [, text = assert.fail(name)] =
    new RegExp(`(?:alert|record): ${name}\\n\\s+expr: (.+)`).exec(rules) ?? [];
  return text.replace(/proxtop:[\w:]+/g, (recorded) => `(${expression(recorded)})`);
}

/** Everything that is promised of each receiver. */
async function proves(t: TestContext, store: Receiver): Promise<void> {
  const printer = new RemoteWritePrinter(print);
  const out = output(t, store);
  let sent = 0;
  for (let index = 0; index < COUNT; index++) {
    const records = printer.print(sample(index, index < COUNT - 3 ? [1, 2] : [2]));
    sent += records.length;
    out.send(records);
  }
  await until(() => out.status.sent + out.status.dropped === sent, 'all is decided');
  assert.equal(out.status.dropped, 0, out.status.lastError);
  const end = (first + (COUNT - 1) * 10_000) / 1000;
  await untilAsync('the last sample is stored', async () => {
    const [found] = await store.query('proxtop_agent_samples_total', end);
    return found?.value[1] === String(COUNT);
  });
  const [steal] = await store.query('proxtop_vm_cpu_steal_seconds_total{vmid="102"}', end);
  assert.deepEqual(steal?.metric, {
    __name__: 'proxtop_vm_cpu_steal_seconds_total',
    instance: 'pve1',
    job: 'proxtop',
    name: 'vm2 "ä"',
    uuid: 'u2',
    vmid: '102',
  });
  assert.equal(Number(steal.value[1]), (COUNT - 1) * 3);
  const count = await store.query('count_over_time(proxtop_agent_samples_total[20m])', end);
  assert.equal(count[0]?.value[1], String(COUNT), 'each sample is there, once');
  // The first VM is gone, and so are its series: not only after five minutes.
  assert.equal((await store.query('proxtop_vm_info', end - 40)).length, 2);
  assert.deepEqual(
    (await store.query('proxtop_vm_info', end)).map(({ metric }) => metric['vmid']),
    ['102'],
  );
  // The rules work on them as they are.
  const ratio = await store.query(expression('proxtop:vm_cpu_steal:ratio'), end);
  assert.ok(Math.abs(Number(ratio.find(({ metric }) => metric['vmid'] === '102')?.value[1]) - 0.3) < 0.01);
  const alert = await store.query(expression('VmWaitsForCpu'), end);
  assert.deepEqual(
    alert.map(({ metric }) => [metric['instance'], metric['vmid']]),
    [['pve1', '102']],
  );
}

/** Prometheus takes metadata and keeps none: it knows that of what it scrapes itself. */
async function provesPrometheus(t: TestContext, program: string): Promise<void> {
  const store = await prometheus(t, program, '');
  await proves(t, store);
  assert.equal(await store.metadata('proxtop_vm_cpu_steal_seconds_total'), undefined);
}

const unlessInstalled = (name: string): string | false => !installed(name) && `needs ${name}`;

describe('remote write', { concurrency: 2 }, () => {
  test('prometheus of this machine', { skip: unlessInstalled('prometheus') }, async (t) => {
    await provesPrometheus(t, 'prometheus');
  });

  for (const suite of ['trixie', 'sid'] as const)
    test(`prometheus of Debian ${suite}`, { timeout: 600_000 }, async (t) => {
      let root: string;
      try {
        root = await unpackedPackage(suite, 'prometheus');
      } catch (error) {
        t.skip((error as Error).message);
        return;
      }
      await provesPrometheus(t, join(root, 'usr/bin/prometheus'));
    });

  test('VictoriaMetrics', { skip: unlessInstalled('victoria-metrics') }, async (t) => {
    await proves(t, await victoriaMetrics(t, 'victoria-metrics'));
  });

  for (const suite of ['trixie', 'sid'] as const)
    test(`VictoriaMetrics of Debian ${suite}`, { timeout: 600_000 }, async (t) => {
      let root: string;
      try {
        root = await unpackedPackage(suite, 'victoria-metrics');
      } catch (error) {
        t.skip((error as Error).message);
        return;
      }
      // That of sid keeps metadata.
      const program = join(root, 'usr/bin/victoria-metrics');
      const store = await victoriaMetrics(t, program, ...(suite === 'sid' ? ['-enableMetadata'] : []));
      await proves(t, store);
      if (suite === 'sid')
        assert.deepEqual(await store.metadata('proxtop_vm_cpu_steal_seconds_total'), [
          {
            type: 'counter',
            help: 'Time that vCPUs were ready to run and waited for a CPU',
            unit: 'seconds',
          },
        ]);
    });

  test(
    'what Prometheus refuses is found, told, and takes nothing else with it',
    {
      skip: unlessInstalled('prometheus'),
    },
    async (t) => {
      const store = await prometheus(t, 'prometheus', '');
      const printer = new RemoteWritePrinter(print);
      const out = output(t, store);
      // As after a clock that was ahead: what comes then is too old, for one guest alone.
      const [, ahead] = printer.print({ ...sample(50, [1]) });
      out.send([ahead!]);
      await until(() => out.status.sent === 1, 'it is stored');
      out.send(new RemoteWritePrinter(print).print(sample(40)));
      await until(() => out.status.sent + out.status.dropped === 4, 'all is decided');
      assert.deepEqual([out.status.sent, out.status.droppedBy.refused], [3, 1]);
      assert.match(
        out.log('error').join('\n'),
        /refuses 1 records, which are dropped: HTTP 400: out of order sample/,
      );
      const found = await store.query('proxtop_vm_info', first / 1000 + 401);
      assert.deepEqual(
        found.map(({ metric }) => metric['vmid']),
        ['102'],
      );
    },
  );

  test(
    'a clock that is behind by hours, or was ahead: what Prometheus does not take is told in its words',
    { skip: unlessInstalled('prometheus') },
    async (t) => {
      const store = await prometheus(t, 'prometheus', '');
      const out = output(t, store);
      const of = (time: number): readonly Buffer[] =>
        new RemoteWritePrinter(print).print({ ...sample(0, []), time });
      const now = Date.now();
      out.send(of(now));
      await until(() => out.status.sent === 1, 'it is stored');
      out.send(of(now - 2 * 3_600_000));
      await until(() => out.status.droppedBy.refused === 1, 'what is two hours old is refused');
      assert.match(out.status.lastError ?? '', /HTTP 400: out of bounds/);
      assert.match(
        out.log('error').join('\n'),
        /refuses 1 records, which are dropped: HTTP 400: out of bounds/,
      );
      // What is ahead is taken, and makes the present too old for the store.
      out.send(of(now + 2 * 3_600_000));
      await until(() => out.status.sent === 2, 'what is ahead is stored');
      out.send(of(now + 1000));
      await until(() => out.status.droppedBy.refused === 2, 'the present is refused');
      assert.match(out.status.lastError ?? '', /HTTP 400: out of bounds/);
    },
  );

  test(
    'a store that wants a name and a password: without, its status is told',
    { skip: unlessInstalled('victoria-metrics') },
    async (t) => {
      const store = await victoriaMetrics(
        t,
        'victoria-metrics',
        '-httpAuth.username=pve1',
        '-httpAuth.password=secret',
      );
      const out = output(t, store);
      out.send(new RemoteWritePrinter(print).print(sample(0, [])));
      await until(() => out.status.lastError !== undefined, 'it is refused');
      // It says nothing else.
      assert.match(out.status.lastError ?? '', /refuses records: HTTP 401$/);
      assert.equal(out.status.sent, 0);
      const known = output(t, store, { credentials: { username: 'pve1', password: 'secret' } });
      known.send(new RemoteWritePrinter(print).print(sample(0, [])));
      await until(() => known.status.sent === 1, 'with both it is taken');
    },
  );

  test(
    'a wrong path, a store that takes no remote write, a JSON endpoint: its words are told',
    {
      skip: unlessInstalled('prometheus'),
    },
    async (t) => {
      const store = await prometheus(t, 'prometheus', '');
      for (const path of ['/api/v1/wrong', '/api/v1/query']) {
        const out = output(t, store, { url: store.url + path });
        out.send(new RemoteWritePrinter(print).print(sample(0, [])));
        await until(() => out.status.dropped === 1, 'it is refused');
        assert.match(out.status.lastError ?? '', /refuses records: HTTP 40[045]: \S/);
        await out.close(0);
      }
    },
  );

  test(
    'the program: what it pushes is what its page holds',
    { skip: unlessInstalled('prometheus') },
    async (t) => {
      const lab = Lab.create();
      t.after(() => lab.close());
      await lab.run({
        name: 'pushed',
        disks: [{ interface: 'scsi', size: 1 << 20, shape: 'drive' }],
        guest: 'idle',
      });
      const store = await prometheus(t, 'prometheus', '');
      const page = `127.0.0.1:${await freePort()}`;
      const config = join(directory(t), 'proxtop.conf');
      writeFileSync(
        config,
        `collectors = cpu, mem, disk, net, host
devices = true
[output.page]
listen = ${page}
[output.prometheus]
type = http
target = ${store.url}/api/v1/write
printer = remote-write
interval = 1
`,
      );
      const program = new Program(
        spawn(PROXTOP, ['--proxmox', ...lab.flags(), '--config', config], {
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
      t.after(() => program.stop());
      await untilAsync(
        'a third sample is stored',
        async () => (await store.query('proxtop_agent_samples_total >= 3')).length > 0,
      );
      const names = new Set((await store.query('{job="proxtop"}')).map(({ metric }) => metric['__name__']));
      const text = await (await fetch(`http://${page}/metrics`)).text();
      const shown = new Set([...text.matchAll(/^(\w+)[ {]/gm)].map(([, name]) => name));
      assert.ok(shown.size > 50);
      assert.deepEqual([...names].sort(), [...shown].sort());
    },
  );
});
