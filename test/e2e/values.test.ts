import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync, readdirSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import type { Cycle, Row } from './program.ts';
import { EVERYTHING, Stream, agree, device, domain, num } from './program.ts';

const MIB = 2 ** 20;
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const run = promisify(execFile);

/** Seconds that a comparison of two clocks that cannot be read at the same instant runs over. */
const SPAN = 5;

describe('values agree with what other means read', { skip, concurrency: true }, () => {
  let lab: Lab;
  let spin: LabVm;
  let disk: LabVm;
  let net: LabVm;
  let stream: Stream;

  before(async () => {
    lab = Lab.create();
    spin = lab.define({ name: 'busy', guest: 'spin', load: 4, cores: 2 });
    lab.writeConfig(spin, { name: 'renamed', tags: 'red;blue', lock: 'backup', vcpus: 2 });
    disk = lab.define({
      guest: 'disk',
      load: 4,
      disks: [
        { interface: 'scsi', size: 16 * MIB, shape: 'blockdev' },
        { interface: 'virtio', size: 48 * MIB, shape: 'drive' },
      ],
    });
    occupy(disk.disks[1]!.image, 3 * MIB);
    net = lab.define({ guest: 'idle', nics: [{ model: 'rtl8139' }, { model: 'rtl8139' }] });
    await Promise.all([spin, disk, net].map((vm) => lab.start(vm)));
    stream = Stream.start([...lab.flags(), ...EVERYTHING, '--frequency=0.5', '--detail-interval=0.5']);
    await stream.next();
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    await lab.close();
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /error|\n\s+at /);
  });

  /** Reads something at the arrival of a line and again after some seconds, with the cycles in between. */
  async function span<T>(read: () => T, seconds = SPAN): Promise<Span<T>> {
    const first = await stream.next();
    const from = { value: read(), time: performance.now() };
    const last = await stream.next('the last cycle', (cycle) => elapsed(first, cycle) >= seconds);
    const to = { value: read(), time: performance.now() };
    const cycles = stream.between(first, last);
    return { from: from.value, to: to.value, seconds: (to.time - from.time) / 1000, cycles };
  }

  test('cpu_total, cpu_steal and the rows of vCPUs: schedstat of the threads', () =>
    agree(async () => {
      const { from, to, seconds, cycles } = await span(() => threadTimes(spin));
      const rates = rateOf(from, to, seconds);
      const rows = cycles.map((cycle) => domain(cycle, spin)!);
      for (const vcpu of [0, 1]) {
        const own = rates.find(({ name }) => name === `CPU ${vcpu}/TCG`)!;
        const vcpuRows = rows.map(({ vcpus }) => device(vcpus, String(vcpu)));
        near(average(vcpuRows, 'cpu_total', cycles), own.ran, 2, `cpu_total of vCPU ${vcpu}`);
        near(average(vcpuRows, 'cpu_steal', cycles), own.waited, 4, `cpu_steal of vCPU ${vcpu}`);
      }
      const vcpus = rates.filter(({ name }) => name.startsWith('CPU '));
      assert.equal(vcpus.length, 2);
      assert.ok(sum(vcpus.map(({ ran }) => ran)) > 10, 'the guest spins');
      near(average(rows, 'cpu_total', cycles), sum(vcpus.map(({ ran }) => ran)) / 2, 2, 'cpu_total');
      near(average(rows, 'cpu_steal', cycles), sum(vcpus.map(({ waited }) => waited)) / 2, 4, 'cpu_steal');
      assert.deepEqual(
        rows.map((row) => row['cpu_cores']),
        rows.map(() => 2),
      );
    }));

  test('cpu_other_total: schedstat of the threads that run no vCPU', () =>
    agree(async () => {
      const { from, to, seconds, cycles } = await span(() => threadTimes(disk));
      const others = rateOf(from, to, seconds).filter(({ name }) => !name.startsWith('CPU '));
      const rows = cycles.map((cycle) => domain(cycle, disk)!);
      const ran = sum(others.map((thread) => thread.ran));
      assert.ok(ran > 0.1, 'the main loop works for the disk');
      near(average(rows, 'cpu_other_total', cycles), ran, 2, 'cpu_other_total');
    }));

  test('cpu of the host: /proc/stat read by awk', () =>
    agree(async () => {
      const ticks = (): number[] =>
        execFileSync('awk', ['/^cpu /{print $2,$4,$5,$2+$3+$4+$5+$6+$7+$8+$9}', '/proc/stat'], {
          encoding: 'utf8',
        })
          .split(' ')
          .map(Number);
      const { from, to, cycles } = await span(ticks);
      const [user, system, idle, all] = to.map((value, index) => value - from[index]!) as [
        number,
        number,
        number,
        number,
      ];
      const rows = cycles.map(({ host }) => host);
      near(average(rows, 'cpu_user', cycles), (user / all) * 100, 4, 'cpu_user');
      near(average(rows, 'cpu_system', cycles), (system / all) * 100, 4, 'cpu_system');
      near(average(rows, 'cpu_idle', cycles), (idle / all) * 100, 4, 'cpu_idle');
      const cpus = readFileSync('/proc/stat', 'latin1').match(/^cpu\d/gm)!.length;
      assert.equal(num(rows[0], 'cpu_cores'), cpus);
    }));

  test('ram_rss and ram_vsize: ps', () =>
    agree(async () => {
      const { cycles } = await span(() => undefined, 0.5);
      const { stdout } = await run('ps', ['-o', 'rss=,vsz=', '-p', String(net.runningPid)]);
      const [rss, vsize] = stdout.trim().split(/\s+/).map(Number) as [number, number];
      const row = domain(cycles.at(-1)!, net);
      near(num(row, 'ram_rss'), rss * 1024, rss * 1024 * 0.02, 'ram_rss');
      near(num(row, 'ram_vsize'), vsize * 1024, vsize * 1024 * 0.05, 'ram_vsize');
      assert.equal(num(row, 'ram_total'), 32 * MIB);
      assert.equal(num(row, 'ram_actual'), 32 * MIB);
    }));

  test('ram_minflt: /proc/<pid>/stat while QEMU touches memory', async () => {
    const faults = (): number => {
      const stat = readFileSync(`/proc/${net.runningPid}/stat`, 'latin1');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[7]);
    };
    const first = await stream.next();
    const from = faults();
    // Too small for huge pages: every page of it is a fault.
    const memory = { 'qom-type': 'memory-backend-ram', id: 'touched', size: MIB, prealloc: true };
    await lab.qmp(net, 'object-add', memory);
    const to = faults();
    const last = await settled(first);
    const counted = total(stream.between(first, last), (cycle) => domain(cycle, net), 'ram_minflt');
    assert.ok(to - from > 200, `${to - from} faults`);
    // The next visit of the monitor may fault in a few pages more.
    assert.ok(
      counted >= (to - from) * 0.97 && counted <= (to - from) * 1.03 + 50,
      `${counted} of ${to - from}`,
    );
  });

  test('disk rates and latencies: query-blockstats before and after, with the guest stopped', async () => {
    await lab.qmp(disk, 'stop');
    await lab.qmp(disk, 'system_reset');
    for (let attempt = 1; ; attempt++) {
      const first = await settled(await stream.next());
      const before = await blockStats(lab, disk);
      const ioBefore = processIo(disk);
      await lab.qmp(disk, 'cont');
      await stream.next('some seconds', (cycle) => elapsed(first, cycle) >= 4);
      await lab.qmp(disk, 'stop');
      const last = await settled(await stream.next());
      const ioAfter = processIo(disk);
      const stats = subtract(await blockStats(lab, disk), before);
      const cycles = stream.between(first, last);
      // A monitor that was late once, on a loaded machine, leaves a hole in the sums.
      if (cycles.some((cycle) => domain(cycle, disk)?.['detail_age'] === undefined) && attempt < 3) continue;
      const details = detailSpans([first, ...cycles], disk);
      const row = (cycle: Cycle): Row | undefined => domain(cycle, disk);
      const scsi = (cycle: Cycle): Row | undefined => device(row(cycle)?.disks, 'scsi0');
      assert.ok(stats.rd_operations > 20 && stats.wr_operations > 20, 'the guest reads and writes');
      for (const [id, counter, unit] of diskCounters) {
        const expected = stats[counter] / unit;
        close(weigh(details, row, id), expected, `${id} of the VM`);
        close(weigh(details, scsi, id), expected, `${id} of scsi0`);
      }
      for (const [latency, time, operations] of latencies) {
        const spans = details.filter(({ cycle }) => scsi(cycle)?.[latency] !== undefined);
        const weighed = sum(
          spans.map(
            ({ cycle, seconds }) => num(scsi(cycle), latency) * num(scsi(cycle), operations) * seconds,
          ),
        );
        close(weighed, stats[time] / 1e6, latency);
      }
      // The process reads and writes besides its disks: the monitor, its event loop.
      for (const [id, counter] of ioCounters) {
        const counted = total(cycles, row, id);
        const expected = ioAfter[counter]! - ioBefore[counter]!;
        near(counted, expected, expected * 0.03 + 4096, id);
      }
      assert.ok(ioAfter['wchar']! - ioBefore['wchar']! > MIB / 4, 'QEMU writes');
      break;
    }
    await lab.qmp(disk, 'cont');
  });

  test('disk_capacity and disk_allocation: qemu-img info and stat', async () => {
    const cycle = await stream.next();
    const row = domain(cycle, disk);
    let virtual = 0;
    for (const { device: name, image } of disk.disks) {
      const { stdout } = await run('qemu-img', ['info', '--output=json', '--force-share', image]);
      const info = JSON.parse(stdout) as { 'virtual-size': number };
      assert.equal(num(device(row?.disks, name), 'disk_capacity'), info['virtual-size']);
      virtual += info['virtual-size'];
    }
    assert.equal(num(row, 'disk_capacity'), virtual);
    const still = disk.disks[1]!; // the guest leaves its second disk alone
    const occupied = statSync(still.image).blocks * 512;
    assert.ok(occupied >= 3 * MIB);
    assert.equal(num(device(row?.disks, still.device), 'disk_allocation'), occupied);
    assert.ok(num(row, 'disk_allocation') >= occupied);
  });

  test('net: a known amount of frames in both directions, seen from the VM', () =>
    agree(async () => {
      const first = await stream.next();
      await lab.sendToTap(net, 600, 1000);
      await lab.sendFromGuest(net, 300, 200);
      const last = await settled(first);
      const cycles = stream.between(first, last);
      const tap = net.nics[0]!.tap;
      const rows = {
        VM: (cycle: Cycle): Row | undefined => domain(cycle, net),
        tap: (cycle: Cycle): Row | undefined => device(domain(cycle, net)?.nics, tap),
      };
      for (const [what, row] of Object.entries(rows)) {
        close(total(cycles, row, 'net_rx_packets'), 600, `net_rx_packets of the ${what}`);
        close(total(cycles, row, 'net_rx_bytes'), 600_000, `net_rx_bytes of the ${what}`);
        close(total(cycles, row, 'net_rx_mbit'), 4.8, `net_rx_mbit of the ${what}`);
        close(total(cycles, row, 'net_tx_packets'), 300, `net_tx_packets of the ${what}`);
        close(total(cycles, row, 'net_tx_bytes'), 60_000, `net_tx_bytes of the ${what}`);
        assert.equal(total(cycles, row, 'net_rx_dropped'), 0);
      }
      const silent = (cycle: Cycle): Row | undefined => device(domain(cycle, net)?.nics, net.nics[1]!.tap);
      assert.equal(total(cycles, silent, 'net_rx_packets'), 0);
      assert.equal(domain(last, net)?.['net_interfaces'], net.nics.map((nic) => nic.tap).join(';'));
    }));

  test('stall time of the host: /proc/pressure', () =>
    agree(async () => {
      const { from, to, cycles } = await span(() => pressure('/proc/pressure/cpu')['some total']!);
      const stalled = total(cycles, ({ host }) => host, 'psi_some_cpu_total');
      near(stalled, to - from, SPAN * 1e6 * 0.05, 'psi_some_cpu_total');
    }));

  test('mean pressure of the host and of a VM: /proc/pressure and the cgroup', async () => {
    const vmFile = spin.cgroup && join(lab.roots.cgroupfs, spin.cgroup, 'cpu.pressure');
    const seen: { readonly host: number | undefined; readonly vm: number | undefined }[] = [];
    const agreeing = { host: 0, vm: 0 };
    // The kernel renews these means every two seconds, and that of a VM is read no more often.
    const [history, looks] = [6, 6];
    while (seen.length < history + looks) {
      const cycle = await stream.next();
      seen.push({
        host: pressure('/proc/pressure/cpu')['some avg10'],
        vm: vmFile === undefined ? undefined : pressure(vmFile)['some avg10'],
      });
      if (seen.length <= history) continue;
      const recent = seen.slice(-history);
      if (recent.some(({ host }) => host === cycle.host['psi_some_cpu_avg10'])) agreeing.host++;
      if (recent.some(({ vm }) => vm === domain(cycle, spin)?.['psi_some_cpu_avg10'])) agreeing.vm++;
    }
    assert.ok(agreeing.host >= looks - 1 && agreeing.vm >= looks - 1, JSON.stringify({ agreeing, seen }));
  });

  test('values of the cgroup: its files, and nothing where the controller is off', async () => {
    const row = domain(await stream.next(), spin);
    const scope = spin.cgroup === undefined ? undefined : join(lab.roots.cgroupfs, spin.cgroup);
    const files = scope === undefined ? [] : readdirSync(scope);
    if (files.includes('memory.current')) {
      const current = Number(readFileSync(join(scope!, 'memory.current'), 'latin1'));
      near(num(row, 'ram_cgroup'), current, current * 0.05, 'ram_cgroup');
    } else {
      assert.equal(row?.['ram_cgroup'], undefined);
    }
    const throttles =
      scope !== undefined && readFileSync(join(scope, 'cpu.stat'), 'latin1').includes('throttled_usec');
    assert.equal(typeof row?.['cpu_throttled'], throttles ? 'number' : 'undefined');
  });

  test('identity: the configuration, the process and the monitor', async () => {
    const cycle = await stream.next();
    const row = domain(cycle, spin)!;
    assert.deepEqual(
      ['UUID', 'name', 'vmid', 'pid', 'tags', 'lock', 'state', 'host_name'].map((id) => row[id]),
      [
        spin.uuid,
        'renamed',
        `${spin.vmid}`,
        `${spin.runningPid}`,
        'red;blue',
        'backup',
        'running',
        hostname(),
      ],
    );
    assert.equal(domain(cycle, net)?.['tags'], undefined);
    assert.equal(domain(cycle, net)?.['lock'], undefined);
    assert.equal(num(cycle.host, 'host_vms'), 3);
    const vmids = cycle.domains.map(({ vmid }) => Number(vmid));
    assert.deepEqual(
      vmids,
      [spin, disk, net].map(({ vmid }) => vmid).sort((a, b) => a - b),
    );
  });

  /** A cycle after whatever has happened until now was seen by all collectors and the monitors. */
  function settled(since: Cycle): Promise<Cycle> {
    const now = Date.now();
    return stream.next('a cycle after the work', (cycle) => {
      const ages = cycle.domains.map((row) => Number(row['detail_age'] ?? NaN));
      const asked = Date.parse(cycle['@timestamp']) - 1000 * Math.max(...ages);
      return cycle.seq > since.seq && asked > now + 20;
    });
  }
});

interface Span<T> {
  readonly from: T;
  readonly to: T;
  readonly seconds: number;
  readonly cycles: readonly Cycle[];
}

type Counter = `${'rd' | 'wr'}_${'operations' | 'bytes' | 'total_time_ns'}`;
const diskCounters: readonly (readonly [id: string, counter: Counter, unit: number])[] = [
  ['disk_reads', 'rd_operations', 1],
  ['disk_writes', 'wr_operations', 1],
  ['disk_read_mib', 'rd_bytes', MIB],
  ['disk_write_mib', 'wr_bytes', MIB],
  ['disk_read_time', 'rd_total_time_ns', 1e6],
  ['disk_write_time', 'wr_total_time_ns', 1e6],
];
const latencies: readonly (readonly [latency: string, time: Counter, operations: string])[] = [
  ['disk_lat_rd', 'rd_total_time_ns', 'disk_reads'],
  ['disk_lat_wr', 'wr_total_time_ns', 'disk_writes'],
];
const ioCounters = [
  ['io_rchar', 'rchar'],
  ['io_wchar', 'wchar'],
  ['io_read_bytes', 'read_bytes'],
  ['io_write_bytes', 'write_bytes'],
] as const;

/** Seconds between two cycles by the wall clock. */
function elapsed(first: Cycle, last: Cycle): number {
  return (Date.parse(last['@timestamp']) - Date.parse(first['@timestamp'])) / 1000;
}

/** What a rate stands for over some cycles. */
function total(cycles: readonly Cycle[], row: (cycle: Cycle) => Row | undefined, id: string): number {
  return sum(cycles.map((cycle) => num(row(cycle), id) * cycle.interval));
}

/** The mean of a value over some cycles. */
function average(rows: readonly (Row | undefined)[], id: string, cycles: readonly Cycle[]): number {
  const seconds = sum(cycles.map(({ interval }) => interval));
  return sum(rows.map((row, index) => num(row, id) * cycles[index]!.interval)) / seconds;
}

interface DetailSpan {
  readonly cycle: Cycle;
  readonly seconds: number;
}

/** The cycles that bring a new answer of the monitor, with the time between it and the one before. */
function detailSpans(cycles: readonly Cycle[], vm: LabVm): DetailSpan[] {
  const spans: DetailSpan[] = [];
  let gap = 0;
  for (const [index, cycle] of cycles.entries()) {
    const before = cycles[index - 1];
    if (before === undefined) continue;
    gap += cycle.interval - num(domain(cycle, vm), 'detail_age') + num(domain(before, vm), 'detail_age');
    if (gap < 0.05) continue;
    spans.push({ cycle, seconds: gap });
    gap = 0;
  }
  return spans;
}

function weigh(spans: readonly DetailSpan[], row: (cycle: Cycle) => Row | undefined, id: string): number {
  return sum(spans.map(({ cycle, seconds }) => num(row(cycle), id) * seconds));
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${what}: ${actual}, expected ${expected} +- ${tolerance}`,
  );
}

/** Equal but for the time that passes within a cycle: its interval is not to the ms that of each of its readings. */
function close(actual: number, expected: number, what: string): void {
  near(actual, expected, Math.abs(expected) * 0.03, what);
}

interface ThreadTime {
  readonly name: string;
  /** ns. */
  readonly ran: number;
  readonly waited: number;
}

function threadTimes({ runningPid }: LabVm): Map<string, ThreadTime> {
  const tasks = `/proc/${runningPid}/task`;
  return new Map(
    readdirSync(tasks).map((tid) => {
      const name = readFileSync(join(tasks, tid, 'comm'), 'latin1').trim();
      const [ran, waited] = readFileSync(join(tasks, tid, 'schedstat'), 'latin1')
        .split(' ')
        .map(Number);
      return [tid, { name, ran: ran!, waited: waited! }];
    }),
  );
}

/** What each thread did between two readings, in percent of one CPU. */
function rateOf(
  from: ReadonlyMap<string, ThreadTime>,
  to: ReadonlyMap<string, ThreadTime>,
  seconds: number,
): ThreadTime[] {
  return [...to].map(([tid, { name, ran, waited }]) => ({
    name,
    ran: (ran - (from.get(tid)?.ran ?? 0)) / seconds / 1e7,
    waited: (waited - (from.get(tid)?.waited ?? 0)) / seconds / 1e7,
  }));
}

/** The counters of the first disk of a VM. */
async function blockStats(lab: Lab, vm: LabVm): Promise<Record<Counter, number>> {
  const entries = (await lab.qmp(vm, 'query-blockstats')) as {
    readonly qdev: string;
    readonly stats: Record<Counter, number>;
  }[];
  return entries.find(({ qdev }) => qdev === vm.disks[0]!.device)!.stats;
}

function subtract<K extends string>(from: Record<K, number>, less: Record<K, number>): Record<K, number> {
  const entries = Object.keys(from).map((key) => [key, from[key as K] - less[key as K]]);
  return Object.fromEntries(entries) as Record<K, number>;
}

function processIo({ runningPid }: LabVm): Record<string, number> {
  return keyed(readFileSync(`/proc/${runningPid}/io`, 'latin1'), /^(\w+): (\d+)$/gm);
}

/** `some avg10=0.00 ... total=1` as { 'some avg10': 0, ..., 'some total': 1 }. */
function pressure(file: string): Record<string, number> {
  const lines = readFileSync(file, 'latin1').trim().split('\n');
  return Object.assign(
    {},
    ...lines.map((line) => {
      const [share, ...values] = line.split(' ');
      return Object.fromEntries(
        values.map((value) => [`${share} ${value.split('=')[0]}`, Number(value.split('=')[1])]),
      );
    }),
  ) as Record<string, number>;
}

function keyed(text: string, lines: RegExp): Record<string, number> {
  return Object.fromEntries([...text.matchAll(lines)].map(([, key, value]) => [key!, Number(value)]));
}

/** Fills the start of an image, so that it occupies space. */
function occupy(image: string, bytes: number): void {
  const fd = openSync(image, 'r+');
  writeSync(fd, Buffer.alloc(bytes, 0x55));
  fsyncSync(fd);
  closeSync(fd);
}
