import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { isPhysicalNic, nicSpeed } from '../../src/kernel/sys/net-device.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { fixture, kernels } from './support.ts';

const sysfs = mkdtempSync(join(tmpdir(), 'proxtop-net-'));
after(() => {
  rmSync(sysfs, { recursive: true });
});

test('only devices with hardware behind them are physical', () => {
  for (const kernel of kernels) {
    assert.equal(isPhysicalNic(fixture(kernel), 'eth0'), true);
    for (const device of ['lo', 'tap100i0', 'gone'])
      assert.equal(isPhysicalNic(fixture(kernel), device), false);
  }
});

test('a device behind a port of the hardware is not a port itself', () => {
  // Written by hand after Documentation/ABI/testing/sysfs-class-net and devlink-port.rst.
  const paths = new Paths({ ...defaultRoots, sysfs });
  const nics = [
    ['ens1f0', { device: '' }, true],
    ['ens1f1np1', { device: '', phys_port_name: 'p1' }, true],
    ['ens1f1np1s2', { device: '', phys_port_name: 'p1s2' }, true],
    ['ens1f0v0', { 'device/physfn': '' }, false],
    ['enp8s0f0s88', { 'device/sfnum': '88' }, false],
    ['ens1f0npf0vf1', { device: '', phys_port_name: 'pf0vf1' }, false],
    ['en8f0pf0sf88', { device: '', phys_port_name: 'pf0sf88' }, false],
    ['ecpf1hpf', { device: '', phys_port_name: 'c1pf0' }, false],
    ['vmbr0', { phys_port_name: '' }, false],
  ] as const;
  for (const [name, files, physical] of nics) {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(join(sysfs, 'class/net', name, dirname(file)), { recursive: true });
      writeFileSync(paths.net(name, file), `${content}\n`);
    }
    assert.equal(isPhysicalNic(paths, name), physical, name);
  }
});

test('the speed is known when the link is up and the driver tells it', () => {
  // Written by hand: the captured NICs are virtual, and tell -1 or nothing.
  const paths = new Paths({ ...defaultRoots, sysfs });
  const speeds = [
    ['25000\n', 25000],
    ['-1\n', NaN],
    ['4294967295\n', NaN],
    ['0\n', NaN],
    ['\n', NaN],
  ] as const;
  mkdirSync(join(sysfs, 'class/net/eth0'), { recursive: true });
  for (const [content, speed] of speeds) {
    writeFileSync(paths.net('eth0', 'speed'), content);
    assert.equal(nicSpeed(paths, 'eth0'), speed);
  }
  for (const kernel of kernels)
    for (const device of ['eth0', 'lo']) assert.equal(nicSpeed(fixture(kernel), device), NaN);
  // The real file of a link that is not there answers EINVAL.
  assert.equal(nicSpeed(new Paths(defaultRoots), 'lo'), NaN);
});
