import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { scopes } from '../../src/catalogue/define.ts';
import { catalogue, columns } from '../../src/catalogue/catalogue.ts';
import { createPrinter } from '../../src/formats/index.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, set, settings, vmRows } from './sample.ts';

type Json = Record<string, unknown>;
interface Cycle extends Json {
  host: Json & { disks: Json[]; nics: Json[]; sensors: Json[] };
  domains: (Json & { vcpus: Json[]; disks: Json[]; nics: Json[] })[];
  agent: Json & { outputs: Json[]; verdicts: Json[] };
}

const lines = (sample: Sample, changed: Partial<PrinterSettings> = {}) =>
  createPrinter('json', { ...settings, ...changed })
    .print(sample)
    .map(String);
const cycle = (sample: Sample, changed: Partial<PrinterSettings> = {}) => {
  const [line = '', ...others] = lines(sample, { ...changed, layout: 'cycle' });
  assert.deepEqual(others, []);
  return JSON.parse(line) as Cycle;
};
const events = (sample: Sample, changed: Partial<PrinterSettings> = {}) =>
  lines(sample, { ...changed, layout: 'event' }).map((line) => JSON.parse(line) as Json);

const web = () =>
  vmRows(row('vm', { UUID: 'u-1', name: 'web', vmid: '100', cpu_total: 12.5, ram_total: 4294967296 }), {
    vcpus: [row('vm_vcpu', { device: '0', cpu_total: 25 }), row('vm_vcpu', { device: '1', cpu_total: 0 })],
    disks: [row('vm_disk', { device: 'scsi0', disk_reads: 1 / 3 })],
  });
const small = () =>
  sampleOf({
    host: {
      row: row('host', { host_name: 'pve1', cpu_cores: 64, cpu_user: 12.5 }),
      disks: [row('host_disk', { device: 'sda' })],
    },
    guests: [web(), vmRows(row('vm', { name: '007' }))],
    agent: { row: row('agent', { cycle_ms: 4.1, missed_ticks: 0 }) },
  });

const head = '"@timestamp":"2026-11-22T12:00:00.000Z","schema":1,"run":"r1","seq":42,"interval":1';

test('cycle layout: one line', () => {
  assert.deepEqual(lines(small()), [
    `{${head},"host":{"host_name":"pve1","cpu_cores":64,"cpu_user":12.5,"disks":[{"device":"sda"}],"pools":[],"cpus":[],"numa":[],"nics":[],"sensors":[],"zones":[]},` +
      '"domains":[{"UUID":"u-1","name":"web","vmid":"100","cpu_total":12.5,"ram_total":4294967296,' +
      '"vcpus":[{"device":"0","cpu_total":25},{"device":"1","cpu_total":0}],' +
      '"disks":[{"device":"scsi0","disk_reads":0.333333333}],"nics":[]},' +
      '{"name":"007","vcpus":[],"disks":[],"nics":[]}],"agent":{"cycle_ms":4.1,"missed_ticks":0,"outputs":[],"verdicts":[],"nodes":[]}}\n',
  ]);
});

test('cycle layout without devices and without anything known', () => {
  assert.deepEqual(lines(sampleOf({ interval: 0.1004, guests: [vmRows(row('vm'))] }), { devices: false }), [
    `{${head.replace(/1$/, '0.1')},"host":{},"domains":[{}],"agent":{"outputs":[],"verdicts":[],"nodes":[]}}\n`,
  ]);
});

test('event layout: a line a row, each with the identity of its host and VM', () => {
  const event = (type: string, number: number, rest: string) =>
    `{"type":"${type}",${head},"host_name":"pve1","event_id":"r1-42-${number}"${rest}}\n`;
  const vm = ',"UUID":"u-1","name":"web","vmid":"100"';
  assert.deepEqual(lines(small(), { layout: 'event' }), [
    event('host', 1, ',"cpu_cores":64,"cpu_user":12.5'),
    event('host_disk', 2, ',"device":"sda"'),
    event('vm', 3, `${vm},"cpu_total":12.5,"ram_total":4294967296`),
    event('vm_vcpu', 4, `${vm},"device":"0","cpu_total":25`),
    event('vm_vcpu', 5, `${vm},"device":"1","cpu_total":0`),
    event('vm_disk', 6, `${vm},"device":"scsi0","disk_reads":0.333333333`),
    event('vm', 7, ',"name":"007"'),
    event('agent', 8, ',"cycle_ms":4.1,"missed_ticks":0'),
  ]);
});

test('event ids differ within a sample and between samples', () => {
  const printer = createPrinter('json', { ...settings, layout: 'event' });
  const ids = [1, 2, 3].flatMap((seq) =>
    printer.print({ ...small(), seq }).map((line) => (JSON.parse(line.toString()) as Json)['event_id']),
  );
  assert.equal(ids.length, 24);
  assert.equal(new Set(ids).size, 24);
});

test('every declared metric appears under its own id, in both layouts', () => {
  const sample = completeSample(
    (slot) => slot + 0.5,
    (id) => `text of ${id}`,
  );
  const { host, domains, agent } = cycle(sample);
  const vm = domains[0]!;
  const printed: Record<string, Json> = {
    host,
    host_disk: host.disks[0]!,
    host_pool: (host['pools'] as Json[])[0]!,
    host_cpu: (host['cpus'] as Json[])[0]!,
    host_numa: (host['numa'] as Json[])[0]!,
    host_nic: host.nics[0]!,
    host_sensor: host.sensors[0]!,
    host_zone: (host['zones'] as Json[])[0]!,
    vm,
    vm_vcpu: vm.vcpus[0]!,
    vm_disk: vm.disks[0]!,
    vm_nic: vm.nics[0]!,
    agent,
    agent_output: agent.outputs[0]!,
    agent_verdict: agent.verdicts[0]!,
    agent_node: (agent['nodes'] as Json[])[0]!,
  };
  const byType = new Map(events(sample).map((event) => [event['type'], event]));
  assert.equal(byType.size, scopes.length);
  for (const { scope, id, slot, kind } of catalogue) {
    const expected = kind === 'text' ? `text of ${id}` : slot + 0.5;
    assert.equal(printed[scope]?.[id], expected, `${scope} ${id}`);
    assert.equal(byType.get(scope)?.[id], expected, `${scope} ${id} as event`);
  }
});

test('verbose metrics and those of collectors that did not run are left out, identities are not', () => {
  const sample = {
    ...completeSample(
      () => 1,
      (id) => id,
    ),
    collectors: ['io'] as const,
  };
  const { host, domains } = cycle(sample, { verbose: false, devices: false });
  assert.deepEqual(Object.keys(host), ['host_name']);
  const identity = ['UUID', 'name', 'vmid', 'pid', 'guest_type', 'qmp', 'qmp_age'];
  assert.deepEqual(Object.keys(domains[0]!), [
    ...identity,
    'io_read_mib',
    'io_write_mib',
    'io_read_ops',
    'io_write_ops',
  ]);
});

test('other collectors in a later sample bring other columns', () => {
  const printer = createPrinter('json', settings);
  const keys = (sample: Sample) =>
    Object.keys((JSON.parse(printer.print(sample)[0]!.toString()) as Cycle).domains[0]!).filter((key) =>
      /_total$/.test(key),
    );
  const sample = completeSample(
    () => 1,
    (id) => id,
  );
  assert.deepEqual(keys({ ...sample, collectors: ['cpu'] }), ['cpu_total', 'cpu_other_total']);
  assert.deepEqual(keys({ ...sample, collectors: ['mem'] }), ['ram_total']);
});

test('a sample that is filled anew leaves no stale value, and earlier records stay as they were', () => {
  const printer = createPrinter('json', { ...settings, devices: false });
  const sample = small();
  const [first] = printer.print(sample);
  const before = first!.toString();
  const { row: vm } = sample.guests[0]!;
  vm.clear();
  set(vm, { name: 'renamed', cpu_total: 99 });
  sample.agent.row.clear();
  const [second] = printer.print({ ...sample, seq: 43 });
  const { seq, domains, agent } = JSON.parse(second!.toString()) as Cycle;
  assert.deepEqual(
    [seq, domains[0], agent],
    [43, { name: 'renamed', cpu_total: 99 }, { outputs: [], verdicts: [], nodes: [] }],
  );
  assert.equal(first!.toString(), before);
});

test('more names than are remembered', () => {
  const printer = createPrinter('json', { ...settings, devices: false });
  const vms = Array.from({ length: 20_000 }, (_, index) => vmRows(row('vm', { name: `vm ${index}` })));
  const { domains } = JSON.parse(printer.print(sampleOf({ guests: vms }))[0]!.toString()) as Cycle;
  assert.deepEqual(
    domains.map(({ name }) => name),
    vms.map((_, index) => `vm ${index}`),
  );
});

test('the members of the sample itself are quoted too', () => {
  const sample = { ...small(), run: 'a"b\n' };
  assert.equal(cycle(sample)['run'], 'a"b\n');
  assert.equal(events(sample)[0]!['event_id'], 'a"b\n-42-1');
});

const hostileNumbers = [
  NaN,
  Infinity,
  -Infinity,
  -0,
  0,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
  1e22,
  Number.MAX_VALUE,
  5e-324,
  0.1 + 0.2,
  -1.5,
  1e-7,
  999_999_999.9999,
];
const halves = 'lone \ud800 and \udc00';
const hostileTexts = [
  '',
  '007',
  '1e5',
  'null',
  'a"b\n\u001b[31m,=é',
  'back\\slash\\',
  '\u0000\u0001\t\r\u007f',
  '\u009b31m',
  '\u202egpj.exe',
  '\u2028\u2029',
  halves,
  '\ud83d\ude00',
  '</script>',
  '__proto__',
  'x'.repeat(100_000),
];

function torture(): Sample {
  const value = (slot: number) => hostileNumbers[slot % hostileNumbers.length]!;
  return sampleOf({
    guests: hostileTexts.map((name, index) => {
      const vm = completeSample(
        (slot) => value(slot + index),
        () => name,
      ).guests[0]!;
      return vmRows(vm.row);
    }),
  });
}

/** What a reader must get, from the sample alone. */
function expectedTorture(): Json[] {
  return torture().guests.map(({ row: { values, texts } }) => {
    const members = columns('vm').map(({ id, slot, kind }) => {
      if (kind === 'text') return [id, texts[slot]!.slice(0, 4096).replace(halves, 'lone \ufffd and \ufffd')];
      const value = values[slot]!;
      return [id, Number.isFinite(value) ? value : undefined];
    });
    return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as Json;
  });
}

function sameValues(actual: readonly Json[], expected: readonly Json[]): void {
  assert.equal(actual.length, expected.length);
  for (const [index, domain] of actual.entries()) {
    const wanted = expected[index]!;
    assert.deepEqual(Object.keys(domain), Object.keys(wanted));
    for (const [id, value] of Object.entries(domain)) {
      const other = wanted[id];
      if (typeof value === 'number' && typeof other === 'number') {
        assert.ok(
          Math.abs(value - other) <= 1e-6 * Math.abs(other) + 1e-100,
          `${id}: ${value}, not ${other}`,
        );
        assert.ok(!Object.is(value, -0));
        if (Number.isInteger(other)) assert.equal(value, other === 0 ? 0 : other);
      } else assert.equal(value, other, id);
    }
  }
}

test('hostile numbers and texts, read back by JSON.parse from strict UTF-8', () => {
  for (const layout of ['cycle', 'event'] as const) {
    for (const record of createPrinter('json', { ...settings, layout }).print(torture())) {
      const line = new TextDecoder('utf-8', { fatal: true }).decode(record);
      assert.match(line, /^[^\n]*\n$/);
      assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\u2028\u2029\u202e]/u);
    }
  }
  sameValues(cycle(torture(), { devices: false }).domains, expectedTorture());
});

const python = spawnSync('python3', ['--version']).status === 0;

test('hostile numbers and texts, read back by Python', { skip: !python && 'no python3' }, () => {
  const program = `
import json, sys
def members(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), "a name occurs twice"
    return dict(pairs)
def constant(name):
    raise ValueError(name)
for line in sys.stdin.buffer:
    parsed = json.loads(line.decode("utf-8", "strict"), object_pairs_hook=members, parse_constant=constant)
    print(json.dumps(parsed))
`;
  const read = (input: string) => {
    const { status, stdout, stderr } = spawnSync('python3', ['-c', program], {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    assert.equal(status, 0, stderr);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
  };
  const [line] = read(lines(torture(), { devices: false }).join(''));
  sameValues((line as Cycle).domains, expectedTorture());
  const complete = completeSample(
    (slot) => slot + 0.5,
    (id) => id,
  );
  assert.equal(read(lines(complete, { layout: 'event' }).join('')).length, scopes.length);
});
