import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interfaceNames, tapsAmong } from '../../src/guests/proxmox/pve-taps.ts';
import { Tree } from '../collectors/support.ts';

test('taps by VM, in the order of its NICs; devices with other names are none', (t) => {
  const tree = new Tree(t);
  const taps = (): unknown => tapsAmong(interfaceNames(tree.paths) ?? ['none could be read']);
  assert.deepEqual(taps(), new Map());
  const names = [
    'tap100i10',
    'tap100i2',
    'tap100i0',
    'tap1001i0',
    'tap0100i0',
    'veth100i0',
    'tap100i0p',
    'fwbr100i0',
  ];
  for (const name of [...names, 'tap100', 'eth0']) tree.write(`sys/class/net/${name}/mtu`, '1500\n');
  assert.deepEqual(
    taps(),
    new Map([
      ['100', [10, 2, 0].reverse().map((number) => ({ device: `tap100i${number}`, end: 'host', number }))],
      ['1001', [{ device: 'tap1001i0', end: 'host', number: 0 }]],
    ]),
  );
});
