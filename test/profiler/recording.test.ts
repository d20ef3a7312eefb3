import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { toProfile } from '../../src/profiler/profile.ts';
import { profileRecording, readRecording } from '../../src/profiler/read/read-recording.ts';
import type { RecordedInput } from '../../src/profiler/read/recorded-input.ts';
import type { InputName, ProfilerSettings } from '../../src/profiler/settings.ts';
import { defaults, fixture } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-recording-'));
after(() => {
  rmSync(directory, { recursive: true });
});

const file = join(directory, 'load.csv');

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

async function read(text: string, wanted?: readonly InputName[]): Promise<RecordedInput[]> {
  writeFileSync(file, text);
  return all(readRecording(file, wanted));
}

async function refuses(text: string, message: string, wanted?: readonly InputName[]): Promise<void> {
  await assert.rejects(read(text, wanted), { name: 'InputError', message: message.replaceAll('FILE', file) });
}

const settings: ProfilerSettings = {
  profile: { ...defaults, buffersize: 10 },
  metrics: undefined,
  limits: { net: undefined, io: undefined },
  outputFreq: 60,
};

test('the reference is read as it is', async () => {
  const profiles = await profileRecording(fixture('input.csv'), settings);
  const [[subject, profiled] = [], ...more] = profiles;
  assert.deepEqual([subject, more], [{ name: 'input' }, []]);
  const { roottx } = toProfile({ name: 'input' }, profiled!);
  assert.deepEqual(
    roottx.map(({ metric, stats }) => [metric, stats.count]),
    [
      ['metric_0', 600],
      ['metric_1', 600],
      ['metric_2', 600],
    ],
  );
});

test('CSV with and without a header, quotes, spaces, both line ends, byte order mark', async () => {
  const [plain] = await read('1,2\n3,4\n');
  assert.deepEqual(
    [plain!.vm.name, plain!.metrics, plain!.values],
    ['load', ['metric_0', 'metric_1'], [1, 2]],
  );
  const [named, next] = await read('\ufeff"cpu", net\r\n1.5, 2e3\r\n,4\r\n\r\n');
  assert.deepEqual([named!.metrics, named!.values, named!.line], [['cpu', 'net'], [1.5, 2000], 2]);
  assert.deepEqual([next!.values, next!.line], [[NaN, 4], 3]);
});

test('columns are chosen by their names', async () => {
  const [input] = await read('cpu,net,mem\n1,2,3\n', ['mem', 'cpu']);
  assert.deepEqual(
    [input!.metrics, input!.values],
    [
      ['mem', 'cpu'],
      [3, 1],
    ],
  );
  await refuses('cpu,net\n1,2\n', 'FILE:1: there is no column mem, found cpu, net', ['mem']);
});

test('bad CSV is refused with its line', async () => {
  await refuses('', 'FILE: it is empty, expected measurements');
  await refuses('\n\n', 'FILE: it is empty, expected measurements');
  await refuses('cpu,net\n', 'FILE: no measurement follows the header');
  await refuses('1,2\n3,4\n5\n', 'FILE:3: found 1 columns, expected 2 as in the first line');
  await refuses('1,2\n3,4,5\n', 'FILE:2: found 3 columns, expected 2 as in the first line');
  await refuses('1,2\n\n3,4\n', 'FILE:2: found an empty line, expected 2 as in the first line');
  await refuses('cpu,net\n1,x\n', 'FILE:2, net: found "x", expected a number');
  await refuses('cpu,net\n1,Infinity\n', 'FILE:2, net: found "Infinity", expected a number');
  await refuses(
    'cpu,nett\n1,2\n',
    'FILE:1: unknown column "nett", expected cpu, net, io, mem, disk or metric_<number>',
  );
  await refuses('cpu,cpu\n1,2\n', 'FILE:1: column cpu is there twice');
});

test('compressed like what an output has rotated', async () => {
  const compressed = join(directory, 'load.csv.gz');
  writeFileSync(compressed, gzipSync('cpu,net\n1,2\n3,4\n'));
  const found = await all(readRecording(compressed, undefined));
  assert.deepEqual(
    found.map(({ vm, values, line }) => [vm.name, values, line]),
    [
      ['load', [1, 2], 2],
      ['load', [3, 4], 3],
    ],
  );
  const damaged = gzipSync('cpu\n'.repeat(1000));
  damaged.fill(0xff, 12, 18);
  writeFileSync(compressed, damaged);
  await assert.rejects(all(readRecording(compressed, undefined)), {
    name: 'InputError',
    message: /^\S*load\.csv\.gz: cannot uncompress it: /,
  });
});

test('a file that cannot be read', async () => {
  const missing = join(directory, 'missing.csv');
  await assert.rejects(all(readRecording(missing, undefined)), {
    name: 'InputError',
    message: `${missing}: cannot read it: there is no such file`,
  });
  await assert.rejects(all(readRecording(directory, undefined)), /it is a directory/);
});

const vm = (uuid: string, more: object): object => ({ UUID: uuid, name: 'x', ...more });

test('JSON lines of proxtop in both layouts; net and io in bytes, cpu with steal', async () => {
  const metrics = {
    cpu_total: 50,
    cpu_steal: 5,
    net_rx_mbit: 8,
    net_tx_mbit: 16,
    io_read_mib: 1,
    io_write_mib: 2,
  };
  const cycle = {
    host: { net_speed: 1000 },
    domains: [vm('a', metrics), vm('b', { cpu_total: 1 })],
    agent: {},
  };
  const rows = [
    { type: 'host', net_speed: 10 },
    { type: 'vm', ...vm('a', metrics) },
    { type: 'vm_disk', UUID: 'a', device: 'scsi0' },
    { type: 'agent' },
  ];
  const inputs = await read([cycle, ...rows].map((line) => JSON.stringify(line)).join('\n'));
  assert.deepEqual(
    inputs.map(({ vm: { name: uuid }, line, link }) => [uuid, line, link]),
    [
      ['a', 1, 1000],
      ['b', 1, 1000],
      ['a', 3, 10],
    ],
  );
  assert.deepEqual(inputs[0]!.metrics, ['cpu', 'net', 'io']);
  assert.deepEqual(inputs[0]!.values, [55, 3e6, 3 * 2 ** 20]);
  assert.deepEqual(inputs[1]!.values, [NaN, NaN, NaN]);
});

test('a container of a recording is another guest than a VM of its name; what it does is told without steal', async () => {
  const guest = (type: string, more: object): object =>
    vm('proxmox-901', { guest_type: type, vmid: '901', ...more });
  const ofContainer = { cpu_total: 50, net_rx_mbit: 8, net_tx_mbit: 16, io_read_mib: 1, io_write_mib: 2 };
  const lines = [
    { domains: [guest('qemu', { ...ofContainer, cpu_steal: 5 })] },
    { domains: [guest('lxc', { ...ofContainer, ram_limit_used: 40 })] },
    { domains: [guest('qemu', ofContainer)] },
  ];
  const found = await read(lines.map((line) => JSON.stringify(line)).join('\n'), ['cpu', 'mem']);
  assert.deepEqual(
    found.map(({ vm: { guest_type }, values }) => [guest_type, values]),
    [
      ['qemu', [55, NaN]],
      ['lxc', [50, 40]],
      ['qemu', [NaN, NaN]],
    ],
  );
  assert.equal(found[0]?.vm, found[2]?.vm);
  assert.notEqual(found[0]?.vm, found[1]?.vm);
});

test('the speed of the links bounds net, the most measured io', async () => {
  const line = (io: number): string =>
    JSON.stringify({
      host: { net_speed: 100 },
      domains: [vm('a', { net_rx_mbit: 1, net_tx_mbit: 0, io_read_mib: io, io_write_mib: 0 })],
    });
  writeFileSync(file, [line(1), line(4), line(2)].join('\n'));
  const profile = { ...settings.profile, buffersize: 1 };
  const profiles = await profileRecording(file, { ...settings, profile });
  const [profiled] = profiles.values();
  const { roottx } = toProfile({ name: 'a' }, profiled!);
  assert.deepEqual(
    roottx.map(({ metric, stats: { min, max } }) => [metric, min, max]),
    [
      ['net', 0, 12.5e6],
      ['io', 0, 4 * 2 ** 20],
    ],
  );
});

test('bad JSON lines are refused with their line', async () => {
  const good = JSON.stringify({ domains: [vm('a', { cpu_total: 1, cpu_steal: 0 })] });
  await refuses(`${good}\n{"domains":[\n`, 'FILE:2: expected a line of JSON, found "{\\"domains\\":["');
  await refuses(`${good}\n{"a":1}\n`, 'FILE:2: found no sample of proxtop, expected domains, or a type');
  await refuses(`${good}\n[]\n`, 'FILE:2: found no sample of proxtop, expected domains, or a type');
  await refuses(
    '{"profile":{}}',
    'FILE:1: found a profile, expected samples; --plot and --simulate take profiles',
  );
  await refuses('{"domains":[{"name":"x"}]}', 'FILE:1: found a VM without UUID');
  await refuses(good, 'FILE: no line has mem (ram_active); was it recorded with --mem?', ['cpu', 'mem']);
  await refuses(
    '{"domains":[]}',
    'FILE: no line has cpu (cpu_total and cpu_steal); was it recorded with --cpu?',
  );
});

test('VMs of a recording with one UUID: a vmid tells them apart, and where two are there at a time the pid', async () => {
  const of = (pid: string, more: object = {}): object =>
    vm('same', { pid, cpu_total: 1, cpu_steal: 0, ...more });
  const metrics = ['cpu'] as const;
  const cycle = (...domains: object[]): string => JSON.stringify({ domains });
  const event = (seq: number, ...rows: object[]): string =>
    rows.map((each) => JSON.stringify({ type: 'vm', run: 'r', seq, ...each })).join('\n');
  const subjects = async (...lines: string[]): Promise<unknown[]> => {
    const found = await read(lines.join('\n'), metrics);
    return found.map(({ vm: { vmid, pid } }) => [vmid, pid]);
  };
  const started = [[undefined, undefined]];
  const twins = [
    [undefined, '1'],
    [undefined, '2'],
  ];
  assert.deepEqual(await subjects(cycle(of('1')), cycle(of('2'))), [...started, ...started], 'started again');
  assert.deepEqual(await subjects(cycle(of('1'), of('2')), cycle(of('1'), of('2'))), [...twins, ...twins]);
  assert.deepEqual(await subjects(event(1, of('1'), of('2')), event(2, of('1'), of('2'))), [
    ...twins,
    ...twins,
  ]);
  assert.deepEqual(await subjects(cycle(of('1', { vmid: '100' }), of('2', { vmid: '101' }))), [
    ['100', undefined],
    ['101', undefined],
  ]);
});
