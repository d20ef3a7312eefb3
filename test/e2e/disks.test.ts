import assert from 'node:assert/strict';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { mirror } from '../lab/jobs.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { qmp } from '../lab/qmp.ts';
import type { LabVm } from '../lab/vm.ts';
import { has, image, names, occupied } from './disk-rows.ts';
import type { Row } from './program.ts';
import { EVERYTHING, Stream, device, domain, num } from './program.ts';

const MIB = 2 ** 20;
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const FAST = [...EVERYTHING, '--frequency=0.5', '--detail-interval=0.5'];

describe('disks of Proxmox VE', { skip, timeout: 300_000 }, () => {
  let lab: Lab;
  let stream: Stream;

  before(async () => {
    lab = Lab.create();
    stream = Stream.start([...lab.flags(), ...FAST]);
    await stream.next();
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    await lab.close();
    assert.equal(code, 0, stderr);
  });

  const shown = async (vm: LabVm, wanted: (row: Row | undefined) => boolean): Promise<Row> => {
    const cycle = await stream.next(`VM ${vm.vmid}`, (each) => wanted(domain(each, vm)));
    return domain(cycle, vm) as Row;
  };

  test('disks that come from args:, and none of the rest', async () => {
    const spare = (name: string): string => image(join(lab.root, name), MIB);
    const vm = await lab.run({
      disks: [{ interface: 'scsi', size: 4 * MIB, shape: 'blockdev' }],
      args: [
        ...['-drive', `file=${spare('a')},if=none,id=drive0,format=raw`, '-device', 'ide-hd,drive=drive0'],
        ...[
          '-drive',
          `file=${spare('b')},if=none,id=disk0,format=raw`,
          '-device',
          'nvme,drive=disk0,serial=1',
        ],
        ...['-drive', `file=${spare('c')},if=none,id=usbdisk,format=raw`],
        ...['-device', 'qemu-xhci', '-device', 'usb-storage,drive=usbdisk'],
        ...['-drive', `file=${spare('d')},if=none,id=drive-ide3,media=cdrom,format=raw`],
        ...['-device', 'ide-cd,bus=ide.1,unit=1,drive=drive-ide3,id=ide3'],
        ...['-drive', `file=${spare('e')},if=pflash,id=drive-efidisk0,format=raw`],
        ...['-drive', `file=${spare('f')},if=none,id=drive-scsi0-fleecing,format=raw`],
      ],
    });
    const row = await shown(vm, (each) => has(each, 'disk0') && each?.['state'] !== undefined);
    assert.deepEqual(names(row).toSorted(), ['disk0', 'drive0', 'scsi0', 'usbdisk']);
    assert.equal(num(row, 'disk_capacity'), 7 * MIB);
    await lab.suspendProcess(vm);
    const silent = await shown(vm, (each) => each?.['qmp'] === 'timeout');
    assert.deepEqual(names(silent).toSorted(), ['disk0', 'drive0', 'scsi0', 'usbdisk']);
    await lab.resumeProcess(vm);
  });

  for (const shape of ['drive', 'blockdev'] as const) {
    test(`a move to another storage and a resize while it runs, ${shape}`, async () => {
      const vm = await lab.run({ disks: [{ interface: 'scsi', size: 8 * MIB, shape }] });
      const old = vm.disks[0]!.image;
      writeSync(openSync(old, 'r+'), Buffer.alloc(MIB, 1));
      const target = image(join(lab.root, `moved-${shape}.raw`), 8 * MIB);
      const disk = (row: Row | undefined): Row | undefined => device(row?.disks, 'scsi0');
      await shown(vm, (row) => disk(row)?.['disk_path'] === old);
      if (shape === 'blockdev') {
        const node = { driver: 'raw', 'node-name': 'f2', file: { driver: 'file', filename: target } };
        await qmp(vm.qmpSocket, 'blockdev-add', node);
        const nodes = (await qmp(vm.qmpSocket, 'query-blockstats')) as readonly {
          parent: { 'node-name': string };
        }[];
        const replaces = nodes[0]!.parent['node-name'];
        await mirror(vm.qmpSocket, { device: 'drive-scsi0', target: 'f2', replaces });
      } else {
        const args = { device: 'drive-scsi0', target, mode: 'existing', format: 'raw' };
        await mirror(vm.qmpSocket, args, 'drive-mirror');
      }
      lab.writeConfig(vm, { scsi0: `fast:vm-${vm.vmid}-disk-0,size=8M` });
      const moved = await shown(
        vm,
        (row) => disk(row)?.['disk_storage'] === 'fast' && disk(row)?.['disk_path'] === target,
      );
      assert.equal(num(disk(moved), 'disk_allocation'), occupied(target));
      assert.equal(num(disk(moved), 'disk_capacity'), 8 * MIB);
      const of = shape === 'drive' ? { device: 'drive-scsi0' } : { 'node-name': 'drive-scsi0' };
      await qmp(vm.qmpSocket, 'block_resize', { ...of, size: 16 * MIB });
      lab.writeConfig(vm, { scsi0: `fast:vm-${vm.vmid}-disk-0,size=12M` });
      await shown(vm, (row) => disk(row)?.['disk_capacity'] === 16 * MIB);
    });
  }

  test('a disk that QEMU has as a CD-ROM, as in a template that is backed up', async () => {
    const sata = image(join(lab.root, 'sata0'), MIB);
    const vm = lab.define({
      args: [
        ...[
          '-device',
          'ahci,id=ahci0',
          '-drive',
          `file=${sata},if=none,id=drive-sata0,format=raw,readonly=on`,
        ],
        ...['-device', 'ide-cd,bus=ahci0.0,drive=drive-sata0,id=sata0'],
      ],
    });
    lab.writeConfig(vm, { sata0: 'local:100/base-100-disk-0.raw,size=1M', template: 1 });
    await lab.start(vm);
    const row = await shown(vm, (each) => each?.['state'] !== undefined && has(each, 'sata0'));
    assert.equal(device(row.disks, 'sata0')?.['disk_storage'], 'local');
    assert.equal(device(row.disks, 'sata0')?.['disk_path'], sata);
  });
});
