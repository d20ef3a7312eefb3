import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Chip, findChips } from '../../src/kernel/sys/hwmon.ts';
import { Tree } from '../collectors/support.ts';

// The trees are made up after Documentation/hwmon/sysfs-interface.rst and nvme.c, coretemp.c, nct6775.c: no machine of ours has a
// chip. What fails is real: files of the kernel that answer with the errors of hardware.

/** Writes a chip as the kernel lays it out: its files below the device it sits on, a link to them in class/hwmon. */
function addChip(tree: Tree, entry: string, device: string, files: Readonly<Record<string, string>>): void {
  for (const [file, content] of Object.entries(files))
    tree.write(`sys/devices/${device}/${entry}/${file}`, content);
  mkdirSync(join(tree.root, 'sys/class/hwmon'), { recursive: true });
  symlinkSync(`../../devices/${device}/${entry}`, join(tree.root, 'sys/class/hwmon', entry));
}

/** Name, value and limit of each sensor of all chips, read again. */
async function read(t: TestContext, tree: Tree): Promise<unknown[]> {
  const chips = await findChips(tree.paths, []);
  t.after(() => Promise.all(chips.map((chip) => chip.close())));
  for (const chip of chips) await chip.read(true);
  return valuesOf(chips);
}

function valuesOf(chips: readonly Chip[]): unknown[] {
  return chips.flatMap(({ sensors }) => sensors.map(({ name, value, limit }) => [name, value, limit]));
}

test('sensors have the name of their chip, its device, and their label', async (t) => {
  const tree = new Tree(t);
  addChip(tree, 'hwmon0', 'virtual/thermal/thermal_zone0', { name: 'acpitz\n', temp1_input: '27800\n' });
  for (const disk of ['nvme0', 'nvme1'])
    addChip(tree, disk === 'nvme0' ? 'hwmon1' : 'hwmon10', `pci0000:00/0000:01:00.0/nvme/${disk}`, {
      name: 'nvme\n',
      temp1_input: '38850\n',
      temp1_label: 'Composite\n',
      temp1_max: '65261850\n',
      temp1_crit: '84850\n',
    });
  addChip(tree, 'hwmon2', 'platform/coretemp.0/hwmon', {
    name: 'coretemp\n',
    temp1_input: '-4000\n',
    temp1_label: 'Package id 0\n',
    temp1_max: '80000\n',
    temp10_input: '51000\n',
    temp2_input: '50000\n',
  });
  addChip(tree, 'hwmon3', 'platform/nct6775.656/hwmon', {
    name: 'nct6779\n',
    fan1_input: '1173\n',
    fan2_input: '0\n',
    temp1_input: '30000\n',
    temp1_crit: '0\n',
    temp1_max: '255000\n',
  });
  addChip(tree, 'hwmon4', 'virtual/hwmon', {
    name: 'dell_smm\n',
    fan1_input: '900\n',
    fan1_label: 'CPU Fan\n',
  });
  assert.deepEqual(await read(t, tree), [
    ['acpitz@thermal_zone0/temp1', 27.8, NaN],
    ['nvme0/Composite', 38.85, 84.85],
    ['coretemp.0/Package id 0', -4, 80],
    ['coretemp.0/temp2', 50, NaN],
    ['coretemp.0/temp10', 51, NaN],
    ['nct6779@nct6775.656/temp1', 30, NaN],
    ['nct6779@nct6775.656/fan1', 1173, NaN],
    ['nct6779@nct6775.656/fan2', 0, NaN],
    ['dell_smm/CPU Fan', 900, NaN],
    ['nvme1/Composite', 38.85, 84.85],
  ]);
});

test('names are unique and printable, whatever firmware writes into labels', async (t) => {
  const tree = new Tree(t);
  const labels = ['A\u001b', 'A\u0007', 'A? temp4', 'A\u0000', '', `${'x'.repeat(4000)}\nz`];
  const files = labels.flatMap((label, i): [string, string][] => [
    [`temp${i + 1}_input`, '1000\n'],
    [`temp${i + 1}_label`, label],
  ]);
  addChip(tree, 'hwmon0', 'platform/a.1/hwmon', { name: 'a\n', ...Object.fromEntries(files) });
  for (const entry of ['hwmon1', 'hwmon2'])
    addChip(tree, entry, 'platform/b.1/hwmon', { name: 'b', temp1_input: '1000\n' });
  const names = (await read(t, tree)).map((sensor) => (sensor as [string])[0]);
  assert.deepEqual(names, [
    'a.1/A?',
    'a.1/A? temp2',
    'a.1/A? temp4',
    'a.1/A? temp4 temp4',
    'a.1/temp5',
    `a.1/${'x'.repeat(77)}...`,
    'b.1@hwmon1/temp1',
    'b.1@hwmon2/temp1',
  ]);
});

test('files in the directory of the device, as the oldest drivers have them', async (t) => {
  const tree = new Tree(t);
  const device = 'sys/devices/platform/it87.656';
  tree.write(`${device}/name`, 'it87\n');
  tree.write(`${device}/temp1_input`, '41000\n');
  mkdirSync(join(tree.root, device, 'hwmon/hwmon0'), { recursive: true });
  symlinkSync('../..', join(tree.root, device, 'hwmon/hwmon0/device'));
  mkdirSync(join(tree.root, 'sys/class/hwmon'), { recursive: true });
  symlinkSync(`../../devices/platform/it87.656/hwmon/hwmon0`, join(tree.root, 'sys/class/hwmon/hwmon0'));
  assert.deepEqual(await read(t, tree), [['it87.656/temp1', 41, NaN]]);
});

test('a sensor that fails, is faulty or returns nonsense is not known; the others are', async (t) => {
  const tree = new Tree(t);
  const directory = 'sys/devices/platform/c.0/hwmon/hwmon0';
  addChip(tree, 'hwmon0', 'platform/c.0/hwmon', {
    name: 'c\n',
    temp2_input: '40000\n',
    temp2_fault: '1\n',
    temp3_input: '41000\n',
    temp3_fault: '0\n',
    temp4_input: '-274000\n',
    temp5_input: 'n/a\n',
    temp6_input: '',
    fan1_input: '-1\n',
  });
  // /proc/self/mem answers a read at 0 with EIO.
  symlinkSync('/proc/self/mem', join(tree.root, directory, 'temp1_input'));
  const values = (await read(t, tree)).map((sensor) => (sensor as [string, number])[1]);
  assert.deepEqual(values, [NaN, NaN, 41, NaN, NaN, NaN, NaN]);
  tree.write(`${directory}/temp2_fault`, '0\n');
  const again = (await read(t, tree)).map((sensor) => (sensor as [string, number])[1]);
  assert.equal(again[1], 40);
});

test('limits are read again when they are asked for; a chip whose files answer that it is gone is gone', async (t) => {
  const tree = new Tree(t);
  const directory = 'sys/devices/platform/d.0/hwmon/hwmon0';
  addChip(tree, 'hwmon0', 'platform/d.0/hwmon', { name: 'd\n', temp1_input: '1000\n', temp1_max: '50000\n' });
  // Files of a process that ended answer with ESRCH, as those of a chip with ENODEV.
  const child = spawn('sleep', ['infinity']);
  symlinkSync(`/proc/${String(child.pid)}/oom_score`, join(tree.root, directory, 'fan1_input'));
  const [chip] = await findChips(tree.paths, []);
  assert.ok(chip !== undefined);
  t.after(() => chip.close());
  await chip.read(false);
  assert.deepEqual(valuesOf([chip])[0], ['d.0/temp1', 1, 50]);
  tree.write(`${directory}/temp1_max`, '60000\n');
  await chip.read(false);
  assert.equal(chip.sensors[0]?.limit, 50);
  await chip.read(true);
  assert.equal(chip.sensors[0].limit, 60);
  assert.deepEqual(await findChips(tree.paths, [chip]), [chip]);

  child.kill();
  await once(child, 'exit');
  await chip.read(false);
  assert.equal(chip.gone, true);
  const [after] = await findChips(tree.paths, [chip]);
  assert.notEqual(after, chip);
});
