import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { plugCpu, plugDisk, unplugDisk, unplugNic } from '../lab/hotplug.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import type { Cycle, Row } from './program.ts';
import { EVERYTHING, Stream, device, domain, num, proxtop } from './program.ts';

const MIB = 2 ** 20;
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const FLAGS = [...EVERYTHING, '--frequency=0.3', '--detail-interval=0.3'];

describe('VMs come, change and go', { skip, concurrency: true }, () => {
  let lab: Lab;
  let stream: Stream;

  before(async () => {
    lab = Lab.create();
    stream = Stream.start([...lab.flags(), ...FLAGS]);
    const { domains, host } = await stream.next();
    assert.deepEqual(domains, []);
    assert.equal(num(host, 'host_vms'), 0);
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    await lab.close();
    assert.equal(code, 0);
    assert.equal(stderr, '', 'nothing that happened here is worth a warning');
    for (const { domains } of stream.cycles) for (const row of domains) plausible(row);
  });

  const appears = (vm: LabVm): Promise<Cycle> =>
    stream.next(`VM ${vm.vmid} appears`, (cycle) => domain(cycle, vm) !== undefined);
  const vanishes = (vm: LabVm): Promise<Cycle> =>
    stream.next(`VM ${vm.vmid} vanishes`, (cycle) => domain(cycle, vm) === undefined);
  const shows = async (vm: LabVm, what: string, wanted: (row: Row) => boolean): Promise<Row> => {
    const cycle = await stream.next(`${what} of VM ${vm.vmid}`, (each) => {
      const row = domain(each, vm);
      return row !== undefined && wanted(row);
    });
    return domain(cycle, vm)!;
  };

  test('a VM appears when it starts and vanishes when it stops', async () => {
    const vm = await lab.run({});
    const row = domain(await appears(vm), vm)!;
    assert.equal(row['pid'], String(vm.runningPid));
    await shows(vm, 'values of the monitor', ({ state }) => state === 'prelaunch');
    await lab.stop(vm);
    await vanishes(vm);
  });

  test('a VM that is killed vanishes although its files stay', async () => {
    const vm = await lab.run({});
    await appears(vm);
    await lab.kill(vm);
    await vanishes(vm);
    assert.ok(existsSync(vm.pidFile) && existsSync(vm.qmpSocket));
    const { seq } = await stream.next();
    const later = await stream.next('some cycles more', (cycle) => cycle.seq > seq + 8);
    assert.equal(domain(later, vm), undefined);
  });

  test('after a restart no value mixes the old process with the new one', async () => {
    const rates = await rateIds();
    const disks = [{ interface: 'scsi', size: 16 * MIB, shape: 'blockdev' }] as const;
    const vm = await lab.run({ guest: 'disk', load: 8, disks, nics: [{ model: 'rtl8139' }] });
    await shows(vm, 'writing', (row) => Number(row['disk_writes']) > 0 && Number(row['io_wchar']) > 0);
    const old = String(vm.runningPid);
    await lab.kill(vm);
    await lab.start(vm);
    const started = performance.now();
    const renewed = (cycle: Cycle): boolean => domain(cycle, vm)?.['pid'] === String(vm.runningPid);
    const first = domain(await stream.first('the new process', renewed), vm)!;
    assert.deepEqual(
      Object.keys(first).filter((id) => rates.has(id)),
      [],
      'the first sample of a process has no rates',
    );
    await shows(vm, 'writing again', (row) => Number(row['disk_writes']) > 0);
    const written = Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${vm.runningPid}/io`, 'latin1'))![1]);
    const seconds = (performance.now() - started) / 1000;
    const rows = stream.cycles.flatMap((cycle) => {
      const row = domain(cycle, vm);
      return row === undefined ? [] : [{ row, interval: cycle.interval }];
    });
    assert.equal(rows.findIndex(({ row }) => row['pid'] !== old) > 0, true);
    const own = rows.filter(({ row }) => row['pid'] !== old);
    assert.ok(own.every(({ row }) => row['pid'] === first['pid']));
    const counted = own.reduce((sum, { row, interval }) => sum + Number(row['io_wchar'] ?? 0) * interval, 0);
    assert.ok(counted <= written * 1.02, `${counted} of ${written} bytes written in ${seconds} s`);
  });

  test('vCPUs, disks and NICs are followed as they are plugged in and out', async () => {
    const vm = await lab.run({ cores: 2, vcpus: 1 });
    const before = domain(await appears(vm), vm)!;
    assert.deepEqual([before['cpu_cores'], before.vcpus?.length, before.nics?.length], [1, 1, 0]);

    await plugCpu(vm);
    const vcpus = await shows(vm, 'the second vCPU', (row) => row['cpu_cores'] === 2);
    assert.deepEqual(names(vcpus.vcpus), ['0', '1']);

    const disk = await plugDisk(vm, 16 * MIB);
    lab.writeConfig(vm);
    const disks = await shows(vm, 'the disk', (row) => device(row.disks, disk.device)?.['disk_reads'] === 0);
    await shows(vm, 'its size', (row) => row['disk_capacity'] === 16 * MIB);
    assert.deepEqual(names(disks.disks), [disk.device]);
    await unplugDisk(vm, disk);
    lab.writeConfig(vm);
    const without = await shows(vm, 'no disk', ({ disks: rows }) => rows?.length === 0);
    assert.equal(without['disk_writes'], undefined);

    const nic = await lab.plugNic(vm);
    const nics = await shows(vm, 'the NIC', (row) => device(row.nics, nic.tap)?.['net_rx_bytes'] === 0);
    assert.equal(nics['net_interfaces'], nic.tap);
    await unplugNic(vm, nic);
    const bare = await shows(vm, 'no NIC', ({ nics: rows }) => rows?.length === 0);
    assert.equal(bare['net_interfaces'], undefined);
    assert.equal(bare['net_rx_bytes'], undefined);
  });

  test('a rename, a lock and tags show without a restart, and go again', async () => {
    const vm = await lab.run({ name: 'before' });
    await shows(vm, 'the name', ({ name }) => name === 'before');
    lab.writeConfig(vm, { name: 'after', lock: 'backup', tags: 'a;b' });
    const row = await shows(vm, 'the new name', ({ name }) => name === 'after');
    assert.deepEqual([row['lock'], row['tags']], ['backup', 'a;b']);
    lab.writeConfig(vm);
    const last = await shows(vm, 'the old name', ({ name }) => name === 'before');
    assert.deepEqual([last['lock'], last['tags']], [undefined, undefined]);
  });

  test('pid files that stand for no VM are ignored', async () => {
    const vm = await lab.run({});
    await appears(vm);
    const sleeper = spawn('sleep', ['60']);
    const runtime = join(lab.roots.rundir, 'qemu-server');
    const strange = {
      '-1.pid': vm.runningPid,
      '0.pid': vm.runningPid,
      '10.pid': vm.runningPid, // below the least vmid
      '901.pid': sleeper.pid, // a process that is no QEMU
      '902.pid': vm.runningPid, // a QEMU with another pid file
      '903.pid': 'nonsense',
      '904.pid': '',
      '905.pid': -1,
      '906.pid': 2 ** 31,
      'qsd-907.pid': vm.runningPid,
    };
    for (const [name, pid] of Object.entries(strange)) writeFileSync(join(runtime, name), `${pid}\n`);
    mkdirSync(join(runtime, '908.pid'));
    const { seq } = await stream.next();
    const later = await stream.next('some cycles more', (cycle) => cycle.seq > seq + 8);
    sleeper.kill();
    const odd = later.domains.filter(({ vmid }) => Number(vmid) < 1000);
    assert.deepEqual(odd, []);
    assert.equal(later.domains.filter(({ pid }) => pid === String(vm.runningPid)).length, 1);
    for (const name of Object.keys(strange)) rmSync(join(runtime, name));
  });
});

test('a run directory that appears later, with VMs in it', { skip }, async () => {
  const lab = Lab.create();
  try {
    const vm = await lab.run({});
    const runtime = join(lab.roots.rundir, 'qemu-server');
    renameSync(runtime, `${runtime}.aside`);
    const stream = Stream.start([...lab.flags(), '--frequency=0.3']);
    assert.deepEqual((await stream.next()).domains, []);
    renameSync(`${runtime}.aside`, runtime);
    const there = await stream.next('the VM', ({ domains }) => domains.length === 1);
    assert.equal(domain(there, vm)?.['name'], vm.name);
    renameSync(runtime, `${runtime}.aside`);
    await stream.next('no VM', ({ domains }) => domains.length === 0);
    renameSync(`${runtime}.aside`, runtime);
    await stream.next('the VM again', ({ domains }) => domains.length === 1);
    const { code, stderr } = await stream.stop();
    assert.deepEqual([code, stderr], [0, '']);
  } finally {
    await lab.close();
  }
});

/** The ids of the values that need two readings. */
async function rateIds(): Promise<Set<string>> {
  const { stdout } = await proxtop(['--list-metrics=json']);
  const metrics = JSON.parse(stdout) as { scope: string; id: string; kind: string; source: string }[];
  const ids = metrics
    .filter(({ scope, kind }) => scope === 'vm' && (kind === 'rate' || kind === 'mean'))
    .map(({ id }) => id);
  return new Set([...ids, 'cpu_total', 'cpu_steal', 'cpu_other_total', 'cpu_other_steal', 'cpu_throttled']);
}

/** No number of a VM is negative, and no share of time more than the whole. */
function plausible(row: Row): void {
  for (const [id, value] of Object.entries(row)) {
    if (typeof value === 'number') assert.ok(value >= 0 && Number.isFinite(value), `${id}: ${value}`);
  }
  for (const id of ['cpu_total', 'cpu_throttled', 'disk_util'] as const)
    assert.ok(Number(row[id] ?? 0) <= 100, `${id}: ${JSON.stringify(row[id])}`);
  for (const id of ['disk_reads', 'disk_writes', 'net_rx_packets'] as const)
    assert.ok(Number(row[id] ?? 0) < 1e5, `${id}: ${JSON.stringify(row[id])}`);
}

function names(rows: readonly Row[] | undefined): unknown[] {
  return rows?.map((row) => row['device']) ?? [];
}
