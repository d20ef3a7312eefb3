import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { mirror } from '../lab/jobs.ts';
import { missingForLab } from '../lab/lab.ts';
import { listens, until } from '../lab/processes.ts';
import { qmp } from '../lab/qmp.ts';
import { has, image, names, occupied } from './disk-rows.ts';
import type { Cycle, Row } from './program.ts';
import { EVERYTHING, Stream, device, num } from './program.ts';

const MIB = 2 ** 20;
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const FAST = [...EVERYTHING, '--frequency=0.5', '--detail-interval=0.5'];

/** Makes a listening socket, as a manager does, and hands it to the program it becomes. */
const withSocket = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
os.dup2(s.fileno(), 30)
os.set_inheritable(30, True)
os.execvp(sys.argv[2], sys.argv[2:])
`;

/** What QEMU itself counts while it reads from a disk, by its device. */
async function read(socket: string, qdev: string, bytes: string): Promise<void> {
  await qmp(socket, 'human-monitor-command', { 'command-line': `qemu-io -d ${qdev} "aio_read 0 ${bytes}"` });
}

describe('disks of any QEMU', { skip, timeout: 240_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-disks-'));
  const children: ChildProcess[] = [];
  let stream: Stream;

  /** Starts a QEMU that holds a listening socket as descriptor 30. */
  async function start(name: string, args: readonly string[], cwd = directory): Promise<ChildProcess> {
    const common = ['-nodefaults', '-display', 'none', '-accel', 'tcg,tb-size=8', '-m', '32', '-S'];
    const qemu = ['qemu-system-x86_64', ...common, '-name', name, ...args];
    const child = spawn('python3', ['-c', withSocket, join(directory, `${name}.given`), ...qemu], {
      cwd,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.push(child);
    await once(child, 'spawn');
    return child;
  }

  /** Starts a QEMU with a monitor of its own. @returns its socket */
  async function run(name: string, args: readonly string[], cwd = directory): Promise<string> {
    const socket = join(directory, `${name}.qmp`);
    await start(name, ['-machine', 'pc', '-qmp', `unix:${socket},server=on,wait=off`, ...args], cwd);
    await until(`the monitor of ${name} listens`, () => listens(socket));
    return socket;
  }

  const row = (cycle: Cycle, name: string): Row | undefined =>
    cycle.domains.find((each) => each['name'] === name);
  const shown = async (name: string, wanted: (row: Row | undefined) => boolean): Promise<Row> => {
    const cycle = await stream.next(`VM ${name}`, (each) => wanted(row(each, name)));
    return row(cycle, name) as Row;
  };
  const answered = (vm: Row | undefined): boolean => vm?.['state'] !== undefined;

  before(async () => {
    stream = Stream.start(['--qemu', ...FAST]);
    await stream.next();
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
    assert.equal(code, 0, stderr);
  });

  test('every kind of disk, whatever its device is called, and neither CD-ROM, floppy nor firmware', async () => {
    const file = (name: string, size = MIB): string => image(join(directory, name), size, 65536);
    const layers = { driver: 'raw', 'node-name': 'f', file: { driver: 'file', filename: file('deep') } };
    const top = { driver: 'throttle', 'node-name': 'top', 'throttle-group': 'g', file: layers };
    const node = (name: string): string[] => ['-blockdev', `null-co,node-name=${name},size=${MIB}`];
    const scsi = { driver: 'scsi-cd', id: 'cd0', bus: 's.0', drive: 'iso' };
    await run('kinds', [
      ...['-device', 'virtio-scsi-pci,id=s', '-device', 'qemu-xhci,id=u'],
      ...['-device', 'sdhci-pci', '-object', 'throttle-group,id=g', '-object', 'iothread,id=io'],
      ...[...node('root'), '-device', 'virtio-blk-pci,drive=root,iothread=io'],
      ...[...node('two'), '-device', 'scsi-hd,bus=s.0,drive=two'],
      ...[...node('fast'), '-device', 'nvme,drive=fast,serial=1'],
      ...['-blockdev', JSON.stringify(top), '-device', 'scsi-hd,bus=s.0,drive=top,id=deep'],
      ...['-blockdev', `file,node-name=storage,filename=${file('by-name')}`],
      ...[
        '-blockdev',
        'raw,node-name=format,file=storage',
        '-device',
        'virtio-blk-pci,drive=format,id=named',
      ],
      ...['-drive', `if=virtio,format=raw,file=${file('v')}`, '-drive', `format=raw,file=${file('hd')}`],
      ...['-drive', `if=none,id=stick,format=raw,file=${file('stick')}`],
      ...['-device', 'usb-storage,bus=u.0,drive=stick,removable=on'],
      ...['-drive', `if=none,id=card,format=raw,file=${file('card')}`, '-device', 'sd-card,drive=card'],
      ...[...node('iso'), '-device', JSON.stringify(scsi), '-cdrom', file('cd')],
      ...['-blockdev', `file,node-name=fl,filename=${file('fl', 1440 * 1024)}`],
      ...['-device', 'floppy,id=fdc0-0-0,drive=fl'],
      ...['-drive', `if=pflash,format=raw,file=${file('flash')}`],
      ...['-drive', `if=none,id=spare,format=raw,file=${file('spare')}`],
    ]);
    const vm = await shown('kinds', (each) => each?.disks?.some((disk) => disk['disk_reads'] === 0) === true);
    assert.deepEqual(names(vm).toSorted(), [
      'card',
      'deep',
      'fast',
      'ide0-hd0',
      'named',
      'root',
      'stick',
      'two',
      'virtio0',
    ]);
    const files = {
      deep: 'deep',
      named: 'by-name',
      virtio0: 'v',
      'ide0-hd0': 'hd',
      stick: 'stick',
      card: 'card',
    };
    for (const [name, path] of Object.entries(files)) {
      const disk = device(vm.disks, name);
      assert.equal(disk?.['disk_path'], join(directory, path), name);
      assert.equal(num(disk, 'disk_allocation'), occupied(join(directory, path)), name);
      assert.equal(num(disk, 'disk_capacity'), MIB, name);
    }
    assert.equal(num(vm, 'disk_capacity'), 9 * MIB);
    assert.equal(device(vm.disks, 'root')?.['disk_allocation'], undefined, 'no file is behind it');
    // QEMU does not count what a card does.
    assert.equal(device(vm.disks, 'card')?.['disk_reads'], undefined);
    assert.equal(vm['disk_reads'], undefined);
    assert.equal(num(device(vm.disks, 'two'), 'disk_reads'), 0);
  });

  test('a disk and a CD-ROM that are plugged in, a CD that is put in, a disk that is taken out', async () => {
    const socket = await run('plug', ['-device', 'virtio-scsi-pci,id=s']);
    await shown('plug', answered);
    const add = (name: string): Promise<unknown> =>
      qmp(socket, 'blockdev-add', {
        driver: 'file',
        filename: image(join(directory, name), MIB, 4096),
        'node-name': name,
      });
    for (const name of ['new', 'iso', 'iso2']) await add(name);
    await qmp(socket, 'device_add', { driver: 'scsi-cd', bus: 's.0', drive: 'iso', id: 'cd' });
    await qmp(socket, 'device_add', { driver: 'scsi-hd', bus: 's.0', drive: 'new', id: 'disk' });
    const vm = await shown('plug', (each) => has(each, 'disk'));
    assert.deepEqual(names(vm), ['disk']);
    assert.equal(device(vm.disks, 'disk')?.['disk_path'], join(directory, 'new'));
    assert.equal(num(device(vm.disks, 'disk'), 'disk_allocation'), occupied(join(directory, 'new')));
    await qmp(socket, 'eject', { id: 'cd', force: true });
    await qmp(socket, 'blockdev-remove-medium', { id: 'cd' });
    await qmp(socket, 'blockdev-insert-medium', { id: 'cd', 'node-name': 'iso2' });
    await qmp(socket, 'blockdev-close-tray', { id: 'cd' });
    await qmp(socket, 'device_del', { id: 'disk' });
    assert.deepEqual(names(await shown('plug', (each) => !has(each, 'disk'))), []);
  });

  test('a disk that is moved and snapshotted keeps its name and has the file it has now', async () => {
    const [from, to, overlay] = ['from', 'to', 'overlay'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    image(from, 4 * MIB, MIB);
    image(to, 4 * MIB);
    const node = (name: string, filename: string): Record<string, unknown> => ({
      driver: 'raw',
      'node-name': name,
      file: { driver: 'file', filename },
    });
    const socket = await run('move', [
      '-blockdev',
      JSON.stringify(node('root', from)),
      '-device',
      'virtio-blk-pci,drive=root',
    ]);
    // Before QEMU answers, the path comes from the command line.
    const at =
      (path: string) =>
      (vm: Row | undefined): boolean =>
        device(vm?.disks, 'root')?.['disk_path'] === path && answered(vm);
    assert.equal(
      num(device((await shown('move', at(from))).disks, 'root'), 'disk_allocation'),
      occupied(from),
    );
    await qmp(socket, 'blockdev-add', node('other', to));
    await mirror(socket, { device: 'root', target: 'other' });
    const moved = await shown('move', at(to));
    assert.equal(num(device(moved.disks, 'root'), 'disk_allocation'), occupied(to));
    const snapshot = { 'node-name': 'other', 'snapshot-file': overlay, 'snapshot-node-name': 'newest' };
    await qmp(socket, 'blockdev-snapshot-sync', snapshot);
    const snapshotted = await shown('move', at(overlay));
    assert.deepEqual(names(snapshotted), ['root']);
    assert.equal(num(device(snapshotted.disks, 'root'), 'disk_allocation'), occupied(overlay));
    await read(socket, '/machine/peripheral-anon/device[0]/virtio-backend', '64k');
    await shown('move', (vm) => Number(device(vm?.disks, 'root')?.['disk_reads']) > 0);
  });

  test('an image that the process names in its own directory', async () => {
    const elsewhere = join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    image(join(elsewhere, 'disk.img'), 4 * MIB, MIB);
    image(join(directory, 'disk.img'), 4 * MIB, 3 * MIB);
    const disk = ['-drive', 'file=disk.img,if=none,id=here,format=raw'];
    await run('relative', [...disk, '-device', 'virtio-blk-pci,drive=here'], elsewhere);
    const vm = await shown(
      'relative',
      (each) => device(each?.disks, 'here')?.['disk_allocation'] !== undefined,
    );
    assert.equal(num(device(vm.disks, 'here'), 'disk_allocation'), occupied(join(elsewhere, 'disk.img')));
    // Its file system decides whether it lies on a disk of the host.
    assert.equal(device(vm.disks, 'here')?.['disk_path'], join(elsewhere, 'disk.img'));
  });

  test('the monitor in each form that QEMU takes; one that was handed over as a descriptor is not for us', async () => {
    const path = join(directory, 'form.qmp');
    const socket = `path=${path},server=on,wait=off`;
    const given = 'fd=30,server=on,wait=off';
    const forms = {
      named: ['-qmp', `unix:${socket}`],
      chardev: ['-chardev', `socket,id=q,${socket}`, '-qmp', 'chardev:q'],
      second: [
        ...['-chardev', `socket,id=a,${given}`, '-mon', 'chardev=a,mode=control'],
        ...['-chardev', `socket,id=b,${socket}`, '-mon', 'chardev=b,mode=control'],
      ],
      given: ['-qmp', `unix:${given}`],
    };
    for (const [form, args] of Object.entries(forms)) {
      const child = await start(form, args, directory);
      const vm = await shown(
        form,
        (each) => each?.['ram_minflt'] !== undefined && (form === 'given' || answered(each)),
      );
      assert.deepEqual(
        [vm['state'], vm['qmp']],
        [form === 'given' ? undefined : 'prelaunch', undefined],
        form,
      );
      child.kill('SIGKILL');
      await stream.next('it has ended', (cycle) => row(cycle, form) === undefined);
    }
  });

  test('while the monitor is silent: the disks of the command line, then those that QEMU told last', async () => {
    const path = image(join(directory, 'held.img'), MIB, 4096);
    const socket = join(directory, 'held.qmp');
    const iso = ['-cdrom', image(join(directory, 'held.iso'), MIB)];
    const disk = [
      '-drive',
      `file=${path},if=none,id=here,format=raw`,
      '-device',
      'virtio-blk-pci,drive=here',
    ];
    await run('held', [...iso, ...disk]);
    const other = connect(socket);
    await once(other, 'data');
    const vm = await shown('held', (each) => each?.['qmp'] === 'held');
    assert.deepEqual(names(vm), ['here']);
    assert.equal(device(vm.disks, 'here')?.['disk_path'], path);
    other.destroy();
    await shown('held', answered);
  });
});
