import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { missingForLab } from '../lab/lab.ts';
import { commandLine, hasEnded, listens, until } from '../lab/processes.ts';
import { qmp } from '../lab/qmp.ts';
import type { Cycle, Row } from './program.ts';
import { HttpReceiver } from '../delivery/http-receiver.ts';
import { OtlpDecoder } from '../formats/otlp.ts';
import { PROXTOP, Program, Stream, num, proxtop } from './program.ts';

const MIB = 2 ** 20;
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const QEMU = 'qemu-system-x86_64';
const directory = mkdtempSync(join(tmpdir(), 'proxtop-vms-'));
const children = new Set<ChildProcess>();
const FAST = ['--qemu', '--frequency=0.5', '--detail-interval=0.5', '--mem', '--verbose'];

after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Starts a QEMU whose guest does not run; resolves when its monitor listens. */
async function vm(name: string, args: readonly string[]): Promise<{ pid: number; monitor: string }> {
  const monitor = join(directory, `${name}.qmp`);
  const common = ['-nodefaults', '-display', 'none', '-accel', 'tcg,tb-size=8', '-S', '-machine', 'q35'];
  const child = spawn(QEMU, [...common, '-qmp', `unix:${monitor},server=on,wait=off`, ...args], {
    stdio: 'ignore',
  });
  children.add(child);
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  await until('QEMU runs', () => commandLine(pid)[0] === QEMU);
  await until('its monitor listens', () => listens(monitor) || hasEnded(pid));
  return { pid, monitor };
}

const of = (cycle: Cycle, pid: number): Row | undefined =>
  cycle.domains.find((row) => row['pid'] === String(pid));

/** The row of a process once its monitor has answered. */
async function answered(
  stream: Stream,
  pid: number,
  wanted: (row: Row) => boolean = () => true,
): Promise<Row> {
  const cycle = await stream.next(`process ${pid}`, (each) => {
    const row = of(each, pid);
    return row?.['state'] !== undefined && wanted(row);
  });
  return of(cycle, pid) as Row;
}

/** A line of /proc/<pid>/status, in bytes. */
function status(pid: number, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'latin1'),
  )?.[1];
  return Number(kilobytes) * 1024;
}

describe('memory of QEMU processes', { skip, timeout: 300_000 }, () => {
  function streaming(t: TestContext): Stream {
    const stream = Stream.start(FAST);
    t.after(() => stream.stop());
    return stream;
  }

  test('DIMMs, from the start and plugged in later; an NVDIMM is none', async (t) => {
    const slots = ['-m', 'size=64M,slots=4,maxmem=2G'];
    const dimm = ['-object', 'memory-backend-ram,id=m0,size=128M', '-device', 'pc-dimm,id=d0,memdev=m0'];
    const nvdimm = [
      ...['-machine', 'nvdimm=on', '-object', 'memory-backend-ram,id=n0,size=128M'],
      ...['-device', 'nvdimm,id=n0,memdev=n0'],
    ];
    const first = await vm('dimm', [...slots, ...dimm, ...nvdimm]);
    const second = await vm('plugged', [...slots, '-device', 'virtio-balloon-pci,id=balloon0']);
    const stream = streaming(t);
    assert.equal(num(await answered(stream, first.pid), 'ram_total'), 192 * MIB);
    assert.equal(num(await answered(stream, second.pid), 'ram_total'), 64 * MIB);
    await qmp(second.monitor, 'object-add', { 'qom-type': 'memory-backend-ram', id: 'm1', size: 256 * MIB });
    await qmp(second.monitor, 'device_add', { driver: 'pc-dimm', id: 'd1', memdev: 'm1' });
    const row = await answered(stream, second.pid, (each) => each['ram_actual'] === 320 * MIB);
    assert.equal(num(row, 'ram_total'), 320 * MIB, 'never less than what the balloon leaves');
    const told = (await qmp(second.monitor, 'query-memory-size-summary')) as Record<string, number>;
    assert.equal(num(row, 'ram_total'), (told['base-memory'] ?? 0) + (told['plugged-memory'] ?? 0));
  });

  test('huge pages are resident', async (t) => {
    const file = '/proc/sys/vm/nr_hugepages';
    const before = readFileSync(file, 'latin1').trim();
    writeFileSync(file, String(Number(before) + 16));
    t.after(() => {
      for (const child of children) child.kill('SIGKILL');
      writeFileSync(file, before);
    });
    const memory = 'memory-backend-memfd,id=m,size=32M,hugetlb=on,hugetlbsize=2M,prealloc=on';
    const { pid } = await vm('huge', ['-m', '32M', '-object', memory, '-machine', 'memory-backend=m']);
    // It listens before it has its memory, and ends where there is none.
    await until('it has its memory', () => hasEnded(pid) || status(pid, 'HugetlbPages') === 32 * MIB);
    if (hasEnded(pid)) {
      t.skip('no huge pages to be had');
      return;
    }
    const row = await answered(streaming(t), pid);
    const resident = status(pid, 'VmRSS') + 32 * MIB;
    assert.ok(
      Math.abs(num(row, 'ram_rss') - resident) < 4 * MIB,
      `${num(row, 'ram_rss')} is not ${resident}`,
    );
    assert.equal(num(row, 'ram_swap'), 0, 'huge pages are never swapped out');
  });

  test('of shared memory nobody tells here what is swapped out', async (t) => {
    const memory = 'memory-backend-memfd,id=m,size=32M,prealloc=on';
    const shared = await vm('shared', ['-m', '32M', '-object', memory, '-machine', 'memory-backend=m']);
    const own = await vm('own', ['-m', '32M']);
    const stream = streaming(t);
    assert.equal((await answered(stream, shared.pid))['ram_swap'], undefined);
    assert.equal(num(await answered(stream, own.pid), 'ram_swap'), status(own.pid, 'VmSwap'));
  });
});

test('OTLP: what QEMU and the kernel count began with its process', { skip, timeout: 300_000 }, async (t) => {
  let decoder: OtlpDecoder;
  try {
    decoder = await OtlpDecoder.open();
  } catch (error) {
    t.skip((error as Error).message);
    return;
  }
  const image = join(directory, 'otlp.img');
  writeFileSync(image, Buffer.alloc(MIB));
  const disk = [
    '-drive',
    `if=none,id=d0,format=raw,file=${image}`,
    '-device',
    'virtio-blk-pci,id=b0,drive=d0',
  ];
  const started = Date.now();
  await vm('otlp', ['-m', '32M', '-name', 'otlp,debug-threads=on', ...disk]);
  const receiver = new HttpReceiver(t);
  const config = join(directory, 'otlp.conf');
  writeFileSync(
    config,
    `collectors = cpu, mem, disk, io
frequency = 0.5
detail_interval = 0.5
[connector]
type = qemu
[output.test]
type = http
target = http://127.0.0.1:${await receiver.start()}/v1/metrics
printer = otlp
interval = 0.5
devices = true
`,
  );
  const program = new Program(spawn(PROXTOP, ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] }));
  t.after(() => program.stop());
  const readings = ['ram_minor_faults', 'io_read_bytes', 'cpu_seconds', 'disk_reads'];
  let points: readonly string[] = [];
  await until('all are sent', () => {
    const body = receiver.requests.at(-1)?.body;
    const metrics = body === undefined ? undefined : decoder.metrics(body);
    points = readings.flatMap((name) =>
      (metrics?.get(`proxtop.vm.${name}`) ?? '')
        .split('data_points')
        .filter((point) => point.includes('string_value: "otlp"')),
    );
    return points.length === readings.length;
  });
  const starts = points.map((point) => Number(/start_time_unix_nano: (\d+)/.exec(point)?.[1]) / 1e6);
  for (const start of starts) assert.ok(Math.abs(start - started) <= 1000, `${start} is not ${started}`);
});

describe('two QEMU processes with one UUID and one name', { skip, timeout: 300_000 }, () => {
  const uuid = randomUUID();
  const identity = ['-m', '32M', '-name', 'web', '-uuid', uuid];
  const measured = ['--qemu', '--cpu', '--devices', '--frequency=0.2', '--runs=3'];

  /** What is printed about both, as lines. */
  async function lines(...args: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await proxtop([...measured, ...args]);
    assert.equal(code, 0, stderr);
    return stdout.trimEnd().split('\n');
  }

  test('are two in every format, and in a recording that is replayed', async () => {
    const pids = [await vm('one', identity), await vm('two', identity)].map(({ pid }) => String(pid)).sort();
    const recording = join(directory, 'both.msgpack');
    const json = (await lines('--printer=json', '--output=stdout', `--record=${recording}`)).map(
      (line) => JSON.parse(line) as Cycle,
    );
    const found = (cycle: Cycle): unknown =>
      cycle.domains
        .filter((row) => row['UUID'] === uuid)
        .map(({ pid }) => pid)
        .sort();
    for (const cycle of json) assert.deepEqual(found(cycle), pids);
    const influx = (await lines('--printer=influx')).filter(
      (line) => /^proxtop_vm,/.test(line) && line.includes(uuid),
    );
    const series = new Set(influx.map((line) => line.split(' ')[0]));
    assert.deepEqual([...series].map((each) => /,pid=(\d+)/.exec(each ?? '')?.[1]).sort(), pids);
    const [header = ''] = await lines('-b');
    for (const pid of pids) assert.ok(header.includes(`Group Cpu(${pid}:web ${pid})\\% Run`), header);
    for (const printer of ['csv', 'text']) {
      const about = (await lines(`--printer=${printer}`)).filter(
        (line) => /^vm\W/.test(line) && line.includes(uuid),
      );
      for (const pid of pids)
        assert.equal(about.filter((line) => line.split(/[,\t]/).includes(pid)).length, 3, printer);
    }
    const { stdout } = await proxtop([`--replay=${recording}`, '--printer=json', '--output=stdout']);
    const replayed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Cycle);
    assert.equal(replayed.length, 3);
    for (const cycle of replayed) assert.deepEqual(found(cycle), pids);
  });

  test('what one counted does not go on in the series of the other', async (t) => {
    const [one, two] = [await vm('first', identity), await vm('second', identity)];
    const address = `127.0.0.1:${40000 + (process.pid % 20000)}`;
    const stream = Stream.start(['--qemu', '--cpu', '--frequency=0.2', `--prometheus=${address}`]);
    t.after(() => stream.stop());
    const series = async (): Promise<string[]> => {
      const page = await (await fetch(`http://${address}/metrics`)).text();
      return page.match(new RegExp(`^proxtop_vm_cpu_cores\\{.*${uuid}.*\\}`, 'gm')) ?? [];
    };
    const labelled = (pid: number) =>
      `proxtop_vm_cpu_cores{uuid="${uuid}",name="web",guest_type="qemu",pid="${pid}"}`;
    const { seq } = await stream.next('both', (cycle) =>
      [one, two].every(({ pid }) => of(cycle, pid) !== undefined),
    );
    await stream.next('the page of that', (cycle) => cycle.seq > seq);
    const both = await series();
    for (const { pid } of [one, two]) assert.ok(both.includes(labelled(pid)), both.join('\n'));
    // One line a minute: it may be about others of this UUID.
    const told = new RegExp(`VM web: process \\d+ has the same UUID ${uuid} as process \\d+`);
    await stream.until('the log tells it', () => told.test(stream.stderr));
    process.kill(one.pid, 'SIGKILL');
    const gone = await stream.next('the first has ended', (cycle) => of(cycle, one.pid) === undefined);
    await stream.next('the page of that', (cycle) => cycle.seq > gone.seq);
    const left = await series();
    assert.ok(left.includes(labelled(two.pid)), left.join('\n'));
    assert.ok(
      !left.includes(`proxtop_vm_cpu_cores{uuid="${uuid}",name="web",guest_type="qemu"}`),
      left.join('\n'),
    );
  });
});
