import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isPhysicalNic, nicSpeed } from '../../src/kernel/net-device.ts';
import { Paths, defaultRoots } from '../../src/kernel/paths.ts';
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
