import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { plugCpu } from '../lab/hotplug.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { qemuArguments } from '../lab/qemu-arguments.ts';
import type { LabVm } from '../lab/vm.ts';
import type { Cycle, Row } from './program.ts';
import { Stream, device, domain, num, timeOf } from './program.ts';

const MIB = 2 ** 20;
const FREQUENCY = 0.4;
const FLAGS = [
  '--cpu',
  '--mem',
  '--disk',
  '--verbose',
  '--devices',
  `--frequency=${FREQUENCY}`,
  `--detail-interval=${FREQUENCY}`,
];
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const DISKS = [{ interface: 'scsi', size: 16 * MIB, shape: 'blockdev' }] as const;

describe('a monitor that gives no answer is data, and nobody else notices', { skip }, () => {
  let lab: Lab;
  let vm: LabVm;
  let other: LabVm;
  let stream: Stream;

  before(async () => {
    lab = Lab.create();
    [vm, other] = (await lab.startMany(2, { guest: 'disk', load: 2, disks: DISKS })) as [LabVm, LabVm];
    stream = Stream.start([...lab.flags(), ...FLAGS]);
    await stream.next('writing', (cycle) => Number(domain(cycle, vm)?.['disk_writes']) > 0);
  });
  after(async () => {
    const { code } = await stream.stop();
    await lab.close();
    assert.equal(code, 0);
  });

  const silent = (cycle: Cycle): boolean => domain(cycle, vm)?.['qmp'] === 'timeout';
  const answering = (cycle: Cycle): boolean => {
    const row = domain(cycle, vm);
    return row?.['qmp'] === undefined && row?.['disk_writes'] !== undefined;
  };

  /** What holds while the monitor of one VM is silent. */
  function check(cycles: readonly Cycle[], rows: readonly Row[]): void {
    for (const row of rows) {
      assert.equal(row['qmp'], 'timeout');
      for (const id of ['state', 'detail_age', 'disk_writes', 'disk_lat_wr', 'ram_actual'])
        assert.equal(row[id], undefined, `${id} is omitted`);
      for (const id of ['cpu_total', 'cpu_other_total', 'ram_rss', 'ram_minflt', 'disk_capacity'])
        assert.ok(num(row, id) >= 0);
      assert.equal(device(row.disks, 'scsi0')?.['disk_writes'], undefined);
    }
    const ages = rows.map((row) => num(row, 'qmp_age'));
    assert.ok(
      ages.every((age, index) => index === 0 || age > ages[index - 1]!),
      `${String(ages)} grows`,
    );
    const span = (timeOf(cycles.at(-1)!) - timeOf(cycles[0]!)) / 1000;
    assert.ok(Math.abs(ages.at(-1)! - ages[0]! - span) < 0.2, 'qmp_age counts seconds');
    for (const cycle of cycles) {
      const neighbour = domain(cycle, other)!;
      assert.equal(neighbour['qmp'], undefined);
      assert.ok(num(neighbour, 'detail_age') < 3 * FREQUENCY, 'the other VM is asked on its beat');
      assert.ok(num(neighbour, 'disk_writes') >= 0);
    }
    regular(cycles);
  }

  test('held by another client for seconds', async () => {
    const holder = connect(vm.qmpSocket);
    await once(holder, 'data'); // the greeting: now it is ours
    const first = await stream.next('silence', silent);
    const last = await stream.next('three seconds of it', (cycle) => timeOf(cycle) - timeOf(first) >= 3000);
    const cycles = [first, ...stream.between(first, last)];
    check(cycles, rowsOf(cycles, vm));
    assert.ok(
      rowsOf(cycles, vm).some((row) => num(row, 'cpu_other_total') > 0),
      'the values of /proc flow on',
    );
    holder.destroy();
    await stream.next('answers', answering);
    assert.match(stream.stderr, said(vm, 'omitted (timeout): .* it is held by another client or QEMU hangs'));
    assert.match(stream.stderr, said(vm, 'the monitor answers again'));
    assert.equal(stream.stderr.split('omitted').length, 2, 'said once');
  });

  test('a QEMU that is stopped in its tracks; who connects meanwhile gets its turn', async () => {
    await lab.suspendProcess(vm);
    const first = await stream.next('silence', silent);
    let answered = false;
    const client = lab.qmp(vm, 'query-status').finally(() => (answered = true));
    const last = await stream.next('two seconds of it', (cycle) => timeOf(cycle) - timeOf(first) >= 2000);
    const cycles = [first, ...stream.between(first, last)];
    check(cycles, rowsOf(cycles, vm));
    assert.equal(num(domain(last, vm), 'cpu_total'), 0);
    assert.equal(answered, false);
    await lab.resumeProcess(vm);
    assert.equal(((await client) as { status: string }).status, 'running');
    await stream.next('answers', answering);
  });
});

/** Takes the place of a VM's monitor. A fake, because no QEMU can be made to misbehave like this. */
class FakeMonitor {
  connections = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(vm: LabVm, behave: (socket: Socket) => void) {
    rmSync(vm.qmpSocket);
    this.server = createServer((socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('error', () => undefined); // proxtop hangs up in the middle
      behave(socket);
    }).listen(vm.qmpSocket);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 9}, "package": ""}, "capabilities": []}}\r\n';

const misbehaviours: readonly (readonly [what: string, behave: (socket: Socket) => void])[] = [
  ['sends garbage', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  [
    'sends garbage after its greeting',
    (socket) => {
      socket.write(GREETING);
      socket.once('data', () => socket.write('{"return": {}, "id": \u0000\u0007]\r\n'));
    },
  ],
  [
    'sends 50 MB without a line end',
    (socket) => {
      socket.write(GREETING);
      socket.once('data', () => {
        const piece = Buffer.alloc(MIB, 'x');
        let left = 50;
        const pour = (): void => {
          while (left > 0 && !socket.destroyed) {
            left--;
            if (!socket.write(piece)) return;
          }
        };
        socket.on('drain', pour);
        pour();
      });
    },
  ],
  [
    'dies in the middle of a reply',
    (socket) => {
      socket.write(GREETING);
      socket.once('data', () => socket.end('{"return": {}, "id": "1'));
    },
  ],
];

test('a monitor that answers nonsense', { skip }, async () => {
  const lab = Lab.create();
  const fakes: FakeMonitor[] = [];
  try {
    const vms = await lab.startMany(misbehaviours.length + 2, { guest: 'idle' });
    const sound = vms.pop()!;
    const unheard = vms.pop()!;
    for (const [index, [, behave]] of misbehaviours.entries())
      fakes.push(new FakeMonitor(vms[index]!, behave));
    // Nobody listens: the socket is the one of a QEMU that has gone.
    rmSync(unheard.qmpSocket);
    const stream = Stream.start([...lab.flags(), ...FLAGS]);
    const first = await stream.next();
    const last = await stream.next('some seconds', (cycle) => timeOf(cycle) - timeOf(first) >= 2500);
    const cycles = [first, ...stream.between(first, last)];
    regular(cycles);
    for (const cycle of cycles) {
      assert.equal(domain(cycle, sound)?.['qmp'], undefined);
      assert.equal(domain(cycle, sound)?.['state'], 'running');
    }
    for (const [index, vm] of [...vms, unheard].entries()) {
      const what = misbehaviours[index]?.[0] ?? 'is not there';
      for (const row of rowsOf(cycles, vm)) {
        assert.equal(row['qmp'], 'error', `a monitor that ${what}`);
        assert.ok(num(row, 'qmp_age') < 30);
        assert.equal(row['state'], undefined);
        assert.ok(num(row, 'cpu_other_total') >= 0);
      }
    }
    // Left alone for 1 s, 2 s, 4 s, ... however often it is due.
    for (const fake of fakes)
      assert.ok(fake.connections >= 2 && fake.connections <= 4, `${fake.connections} visits`);
    assert.ok(num(last.agent, 'qmp_failures') >= 2 * misbehaviours.length);
    assert.ok(num(last.agent, 'ram_rss') < 200 * MIB, '50 MB are not kept');
    const { code, stderr } = await stream.stop();
    assert.equal(code, 0);
    for (const vm of vms) assert.match(stderr, said(vm, 'omitted (error): '));
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
  } finally {
    for (const fake of fakes) fake.close();
    await lab.close();
  }
});

test('vCPU threads without names are told by query-cpus-fast, hot-plugged ones too', { skip }, async () => {
  const lab = Lab.create();
  try {
    const vm = lab.define({ guest: 'paused', cores: 3, vcpus: 2 });
    // The lab names threads as Proxmox VE does; here QEMU is started by hand, without debug-threads.
    const args = qemuArguments(vm, undefined).map((arg) => arg.replace(',debug-threads=on', ''));
    await once(spawn(join(lab.root, 'kvm'), args, { argv0: '/usr/bin/kvm' }), 'close');
    const pid = Number(readFileSync(vm.pidFile, 'latin1'));
    const tasks = `/proc/${pid}/task`;
    assert.ok(
      readdirSync(tasks).every((tid) => readFileSync(join(tasks, tid, 'comm'), 'latin1') === 'kvm\n'),
    );
    await lab.qmp(vm, 'cont'); // the BIOS finds nothing to boot and waits
    const stream = Stream.start([...lab.flags(), ...FLAGS]);
    const first = await stream.next('cpu_total', (cycle) => domain(cycle, vm)?.['cpu_total'] !== undefined);
    assert.ok(first.seq <= 3);
    const cpus = (await lab.qmp(vm, 'query-cpus-fast')) as { 'thread-id': number }[];
    const ran = (): number => runTime(tasks, cpus[0]!['thread-id']);
    const from = { ran: ran(), time: performance.now() };
    const start = await stream.next();
    const end = await stream.next('two seconds', (cycle) => timeOf(cycle) - timeOf(start) >= 2000);
    const percent = (ran() - from.ran) / 1e4 / (performance.now() - from.time);
    const cycles = stream.between(start, end);
    const own = rowsOf(cycles, vm).map((row) => num(device(row.vcpus, '0'), 'cpu_total'));
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    assert.ok(Math.abs(mean - percent) < 5, `${mean} for ${percent}`);
    assert.deepEqual(
      rowsOf(cycles, vm).map((row) => row['cpu_cores']),
      cycles.map(() => 2),
    );
    await plugCpu(vm);
    const plugged = await stream.next('the third', (cycle) => domain(cycle, vm)?.['cpu_cores'] === 3);
    assert.deepEqual(
      domain(plugged, vm)?.vcpus?.map((row) => row['device']),
      ['0', '1', '2'],
    );
    assert.equal((await stream.stop()).code, 0);
  } finally {
    await lab.close();
  }
});

function rowsOf(cycles: readonly Cycle[], vm: LabVm): Row[] {
  return cycles.map((cycle) => {
    const row = domain(cycle, vm);
    assert.ok(row !== undefined, `VM ${vm.vmid} is in cycle ${cycle.seq}`);
    return row;
  });
}

/** No cycle is missing, and none is far from its tick. */
function regular(cycles: readonly Cycle[]): void {
  for (const [index, cycle] of cycles.entries()) {
    if (index > 0) assert.equal(cycle.seq, cycles[index - 1]!.seq + 1);
    const late = timeOf(cycle) % (FREQUENCY * 1000);
    assert.ok(late < 150, `cycle ${cycle.seq} is ${late} ms late`);
  }
}

/** ns that a thread ran. */
function runTime(tasks: string, tid: number): number {
  return Number(readFileSync(join(tasks, String(tid), 'schedstat'), 'latin1').split(' ')[0]);
}

/** Matches a log line about the monitor of a VM. */
function said(vm: LabVm, what: string): RegExp {
  return new RegExp(`VM ${vm.vmid}: .*${what.replaceAll(/[()]/g, '\\$&')}`);
}
