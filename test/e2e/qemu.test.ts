import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { diskSector } from '../lab/boot-sectors.ts';
import { missingForLab } from '../lab/lab.ts';
import { commandLine, hasEnded, listens, until } from '../lab/processes.ts';
import { text } from './libvirt-host.ts';
import type { Cycle, Row } from './program.ts';
import { EVERYTHING, Stream, device, num } from './program.ts';
// One after the other: two programs that visit every QEMU are in each other's way.
import './qemu-disks.ts';

const MIB = 2 ** 20;
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const QEMU = 'qemu-system-x86_64';
const COMMON = ['-nodefaults', '-display', 'none', '-accel', 'tcg,tb-size=8'];
/** Makes a tap, as a manager does, and hands it to the program it becomes. */
const withTap = `
import fcntl, os, struct, sys
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', sys.argv[1].encode(), 0x0002 | 0x1000))
os.dup2(fd, 30)
os.set_inheritable(30, True)
os.execvp(sys.argv[2], sys.argv[2:])
`;
/** Sends datagrams out of a tap, to a neighbour that is never asked for. */
const sendFrames = `
ip addr add 198.19.255.1/24 dev "$1"
ip link set "$1" up
ip neigh replace 198.19.255.2 lladdr 52:54:00:12:34:56 dev "$1"
exec python3 -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(200):
    s.sendto(bytes(458), ('198.19.255.2', 9))
    time.sleep(0.001)
"`;

describe('QEMU processes that no manager we know has started', { skip, timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-qemu-'));
  const children = new Set<ChildProcess>();
  const prefix = `pq${process.pid.toString(36)}`;
  let stream: Stream;

  /** Starts a program in our directory. */
  async function start(program: string, args: readonly string[]): Promise<number> {
    const child = spawn(program, args, { cwd: directory, stdio: 'ignore' });
    children.add(child);
    await once(child, 'spawn');
    return child.pid ?? -1;
  }

  /** Starts a QEMU; resolves when its monitor listens, if it has one by this name. */
  async function vm(args: readonly string[], monitor?: string): Promise<number> {
    const pid = await start(QEMU, [...COMMON, ...args]);
    await until('QEMU runs', () => commandLine(pid)[0] === QEMU);
    if (monitor !== undefined)
      await until('its monitor listens', () => listens(monitor) || listens(join(directory, monitor)));
    return pid;
  }

  const end = async (pid: number): Promise<void> => {
    process.kill(pid, 'SIGKILL');
    await until('it has ended', () => hasEnded(pid));
  };

  /** The row of a process in a cycle. */
  const of = (cycle: Cycle, pid: number): Row | undefined =>
    cycle.domains.find((row) => row['pid'] === String(pid));

  const shown = async (pid: number, wanted: (row: Row) => boolean = () => true): Promise<Row> => {
    const cycle = await stream.next(`process ${pid}`, (each) => {
      const row = of(each, pid);
      return row !== undefined && wanted(row);
    });
    return of(cycle, pid) as Row;
  };
  const answered = (row: Row): boolean => row['state'] !== undefined;

  before(async () => {
    const args = ['--qemu', '--frequency=0.5', '--detail-interval=0.5', ...EVERYTHING];
    stream = Stream.start(args);
    await stream.next();
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
    assert.equal(code, 0, stderr);
  });

  function image(name: string, content: Buffer | undefined, size: number): string {
    writeFileSync(join(directory, name), content ?? '');
    truncateSync(join(directory, name), size);
    return name;
  }

  test('name, UUID, memory, vCPUs and disks; the monitor by -qmp, its path relative', async () => {
    const uuid = randomUUID();
    const boot = image('boot.img', diskSector(2), 1440 * 1024);
    const pid = await vm(
      [
        ...[
          '-name',
          'guest=by hand,,1,debug-threads=on',
          '-uuid',
          uuid.toUpperCase(),
          '-smp',
          'sockets=1,cores=2',
        ],
        ...['-m', 'size=48M', '-qmp', 'unix:a.qmp,server=on,wait=off', '-device', 'virtio-balloon-pci'],
        ...[
          '-drive',
          `file=${boot},if=floppy,format=raw`,
          '-boot',
          'order=a',
          '-cdrom',
          image('a.iso', undefined, MIB),
        ],
        ...['-drive', `file=${image('a.img', undefined, 16 * MIB)},if=none,id=root,format=raw`],
        ...['-device', 'virtio-blk-pci,drive=root'],
      ],
      'a.qmp',
    );
    const row = await shown(pid, (each) => Number(each['disk_writes']) > 0);
    assert.equal(row['name'], 'by hand,1');
    assert.equal(row['UUID'], uuid);
    assert.equal(row['state'], 'running');
    assert.equal(num(row, 'cpu_cores'), 2);
    assert.equal(row.vcpus?.length, 2);
    assert.equal(num(row, 'ram_total'), 48 * MIB);
    assert.equal(num(row, 'ram_actual'), 48 * MIB);
    assert.ok(num(row, 'cpu_total') > 0);
    assert.deepEqual(
      row.disks?.map((disk) => disk['device']),
      ['root'],
      'neither floppy nor CD-ROM',
    );
    assert.ok(num(device(row.disks, 'root'), 'disk_writes') > 0);
    await end(pid);
    await stream.next('it is gone', (cycle) => of(cycle, pid) === undefined);
  });

  test('threads without names are told apart by the monitor, by -chardev and -mon', async () => {
    const path = join(directory, 'b.qmp');
    const pid = await vm(
      [
        '-S',
        '-smp',
        '3',
        '-chardev',
        `socket,id=m,path=${path},server=on,wait=off`,
        '-mon',
        'chardev=m,mode=control',
      ],
      'b.qmp',
    );
    const row = await shown(pid, (each) => each.vcpus?.length === 3);
    assert.match(text(row, 'UUID'), new RegExp(`^qemu-${pid}-\\d+$`));
    assert.equal(row['name'], `qemu-${pid}`);
    assert.equal(row['state'], 'prelaunch');
    await end(pid);
  });

  test('without a monitor for us: what the kernel tells', async () => {
    const pid = await vm([
      '-name',
      'mute',
      '-smp',
      '2',
      '-m',
      '40',
      '-monitor',
      'unix:c.hmp,server=on,wait=off',
    ]);
    const row = await shown(pid, (each) => each['ram_minflt'] !== undefined);
    assert.equal(row['name'], 'mute');
    assert.equal(num(row, 'cpu_cores'), 2);
    assert.equal(num(row, 'ram_total'), 40 * MIB);
    assert.ok(num(row, 'ram_rss') > 0);
    for (const id of ['qmp', 'state', 'detail_age', 'ram_actual', 'cpu_total', 'cpu_other_total'])
      assert.equal(row[id], undefined, id);
    await end(pid);
  });

  test('a monitor that another client has is left to it, until it leaves', async () => {
    const path = join(directory, 'd.qmp');
    const pid = await vm(['-S', '-name', 'held', '-qmp', `unix:${path},server=on,wait=off`], 'd.qmp');
    const other = connect(path);
    await once(other, 'data');
    const row = await shown(pid, (each) => each['qmp'] === 'held');
    assert.equal(row['state'], undefined);
    const age = num(row, 'qmp_age');
    assert.ok(num(await shown(pid), 'qmp_age') > age);
    // Nobody has joined the queue behind the client: the kernel counts who waits.
    const waiting = execFileSync('ss', ['-xlH', 'src', path], { encoding: 'latin1' }).trim().split(/\s+/)[2];
    assert.equal(waiting, '0');
    other.destroy();
    const free = await shown(pid, answered);
    assert.equal(free['qmp'], undefined);
    await end(pid);
  });

  test('a QEMU that hangs: what the kernel tells goes on, and it recovers', async () => {
    const path = join(directory, 'e.qmp');
    const pid = await vm(['-S', '-qmp', `unix:${path},server=on,wait=off`], 'e.qmp');
    await shown(pid, answered);
    process.kill(pid, 'SIGSTOP');
    const row = await shown(pid, (each) => each['qmp'] === 'timeout');
    assert.equal(row['state'], undefined);
    assert.ok(num(row, 'ram_rss') > 0);
    process.kill(pid, 'SIGCONT');
    await shown(pid, answered);
    await end(pid);
  });

  test('taps by name and by descriptor', async () => {
    const names = [`${prefix}a`, `${prefix}b`] as const;
    const own = ['-netdev', `tap,id=n0,ifname=${names[0]},script=no,downscript=no`];
    const given = ['-netdev', 'tap,id=n1,fd=30'];
    const cards = ['-device', 'rtl8139,netdev=n0,mac=52:54:00:12:34:56', '-device', 'rtl8139,netdev=n1'];
    const pid = await start('python3', [
      '-c',
      withTap,
      names[1],
      QEMU,
      ...COMMON,
      ...own,
      ...given,
      ...cards,
    ]);
    const row = await shown(pid, (each) => text(each, 'net_interfaces') === names.join(';'));
    assert.deepEqual(
      row.nics?.map((nic) => nic['device']),
      names,
    );
    await end(pid);
  });

  test('in a network namespace of its own: traffic from there, and not from a tap of the same name here', async () => {
    const tap = `${prefix}c`;
    const args = ['-netdev', `tap,id=n0,ifname=${tap},script=no,downscript=no,vnet_hdr=off`];
    const card = ['-device', 'rtl8139,netdev=n0,mac=52:54:00:12:34:56'];
    const pid = await start('unshare', ['--net', QEMU, ...COMMON, ...args, ...card, '-name', 'pod']);
    await shown(pid, (each) => each['net_interfaces'] === tap && each['net_rx_packets'] !== undefined);
    const first = await stream.next();
    assert.equal(existsSync(`/sys/class/net/${tap}`), false);
    execFileSync('nsenter', ['--net', '-t', String(pid), 'sh', '-ec', sendFrames, 'sh', tap]);
    await stream.next();
    const last = await stream.next();
    const received = stream
      .between(first, last)
      .map((cycle) => num(device(of(cycle, pid)?.nics, tap), 'net_rx_packets') * cycle.interval)
      .reduce((sum, value) => sum + value, 0);
    assert.ok(received >= 190 && received < 230, `200 frames and some of IPv6: ${received}`);
    await end(pid);
  });

  test('programs that run no VM, and QEMU that is asked what it can do', async () => {
    const daemon = ['--blockdev', 'driver=null-co,node-name=a', '--chardev', 'stdio,id=c'];
    const storage = await start('qemu-storage-daemon', daemon);
    const probe = await vm(['-S', '-machine', 'none', '-qmp', 'unix:f.qmp,server=on,wait=off'], 'f.qmp');
    const pid = await vm(['-S', '-name', 'real']);
    await shown(pid);
    const cycle = await stream.next();
    for (const none of [storage, probe]) assert.equal(of(cycle, none), undefined);
    await end(pid);
    await end(probe);
  });

  test('a VM that ends and starts again is another one', async () => {
    const args = ['-S', '-name', 'again', '-uuid', randomUUID()];
    const first = await vm(args);
    await shown(first);
    await end(first);
    await stream.next('it is gone', (cycle) => of(cycle, first) === undefined);
    const second = await vm(args);
    const row = await shown(second, (each) => each['ram_minflt'] !== undefined);
    assert.equal(row['name'], 'again');
    await end(second);
  });
});
